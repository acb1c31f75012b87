import LakeModel
import Synchronization

/// What a server can do now, by service; the empty name is the server as a whole. Watchers see every change that lasts.
package final class HealthStatus: Sendable {
  package enum Serving: Int, Sendable {
    case serving = 1
    case notServing = 2
    /// Only told to watchers: no such service, yet.
    case serviceUnknown = 3
  }

  private struct State {
    var services: [String: Serving]
    var watchers: [UInt64: CheckedContinuation<Void, Never>] = [:]
    var nextWatcher: UInt64 = 0
  }

  private let state: Mutex<State>

  package init(serving services: [String] = [""]) {
    state = Mutex(State(services: Dictionary(services.map { ($0, .serving) }) { first, _ in first }))
  }

  package func set(_ service: String, _ serving: Serving) {
    let watchers = state.withLock { state in
      state.services[service] = serving
      defer { state.watchers = [:] }
      return state.watchers.sorted { $0.key < $1.key }
    }
    for (_, watcher) in watchers { watcher.resume() }
  }

  /// Every service, and the server as a whole: for the begin of a drain.
  package func setAll(_ serving: Serving) {
    for service in state.withLock({ $0.services.keys.sorted() }) { set(service, serving) }
  }

  package subscript(_ service: String) -> Serving? { state.withLock { $0.services[service] } }

  /// Waits until the service's state is another one than `seen`.
  /// - Throws: `CancellationError`.
  package func change(of service: String, from seen: Serving) async throws -> Serving {
    while true {
      let id = state.withLock { state in
        state.nextWatcher += 1
        return state.nextWatcher
      }
      try Task.checkCancellation()
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let isDone = state.withLock { state in
            // A task is marked cancelled before its handler runs: either that finds the watcher, or this finds the mark.
            if Task.isCancelled || state.services[service] ?? .serviceUnknown != seen { return true }
            state.watchers[id] = continuation
            return false
          }
          if isDone { continuation.resume() }
        }
      } onCancel: {
        state.withLock { $0.watchers.removeValue(forKey: id) }?.resume()
      }
      let now = self[service] ?? .serviceUnknown
      if now != seen { return now }
    }
  }
}

/// `grpc.health.v1.Health`: Check and Watch.
package enum HealthService {
  package static let name = "grpc.health.v1.Health"

  package static func methods(_ status: HealthStatus) -> [String: GRPCMethod] {
    ["/\(name)/Check": .unary { check($0, status) }, "/\(name)/Watch": .conversation { await watch($0, status) }]
  }

  private static func check(_ request: GRPCRequest, _ status: HealthStatus) -> GRPCResponse {
    guard let service = service(in: request.message) else {
      return GRPCResponse(GRPCStatus(.invalidArgument, "malformed HealthCheckRequest"))
    }
    guard let serving = status[service] else { return GRPCResponse(GRPCStatus(.notFound, "unknown service")) }
    return GRPCResponse(message: response(serving))
  }

  private static func watch(_ conversation: GRPCConversation, _ status: HealthStatus) async -> GRPCStatus {
    do {
      guard let message = try await conversation.receive(), let service = service(in: message) else {
        return GRPCStatus(.invalidArgument, "malformed HealthCheckRequest")
      }
      var serving = status[service] ?? .serviceUnknown
      while true {
        try await conversation.send(response(serving))
        serving = try await status.change(of: service, from: serving)
      }
    } catch let status as GRPCStatus {
      return status
    } catch {
      return GRPCStatus(.cancelled)
    }
  }

  /// Field 1 of HealthCheckRequest.
  private static func service(in message: Bytes) -> String? {
    guard let request = try? ProtoMessage(message) else { return nil }
    return request.text(1) ?? ""
  }

  /// Field 1 of HealthCheckResponse.
  private static func response(_ serving: HealthStatus.Serving) -> Bytes {
    var writer = ProtoMessageWriter()
    writer.add(1, serving.rawValue)
    return Bytes(writer.bytes)
  }
}
