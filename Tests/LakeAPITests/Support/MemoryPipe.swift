import LakeModel
import Synchronization

@testable import LakeAPI

/// An upgraded connection in memory: what the test sends comes out of `receive`, what the surface sends is kept.
final class MemoryPipe: UpgradedConnection {
  struct Gone: Error {}

  private struct State {
    var incoming: [Bytes] = []
    var hasEnded = false
    var receiver: CheckedContinuation<Bytes?, any Error>?
    var sent: [Bytes] = []
    var watcher: (count: Int, continuation: CheckedContinuation<Void, Never>)?
  }

  private let state = Mutex(State())

  func receive() async throws -> Bytes? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { receiver in
        state.withLock { state in
          if !state.incoming.isEmpty {
            receiver.resume(returning: state.incoming.removeFirst())
          } else if state.hasEnded {
            receiver.resume(returning: nil)
          } else if Task.isCancelled {
            receiver.resume(throwing: Gone())
          } else {
            state.receiver = receiver
          }
        }
      }
    } onCancel: {
      take()?.resume(throwing: Gone())
    }
  }

  func send(_ bytes: Bytes) async throws {
    if bytes[0] == 0x89 { return }  // pings of a slow run
    let watcher = state.withLock { state -> CheckedContinuation<Void, Never>? in
      state.sent.append(bytes)
      guard let watcher = state.watcher, state.sent.count >= watcher.count else { return nil }
      state.watcher = nil
      return watcher.continuation
    }
    watcher?.resume()
  }

  private func take() -> CheckedContinuation<Bytes?, any Error>? {
    state.withLock { state in
      defer { state.receiver = nil }
      return state.receiver
    }
  }

  /// nil: the client closes its side.
  func give(_ bytes: Bytes?) {
    let receiver = state.withLock { state -> CheckedContinuation<Bytes?, any Error>? in
      defer { state.receiver = nil }
      if state.receiver == nil {
        if let bytes { state.incoming.append(bytes) } else { state.hasEnded = true }
      }
      return state.receiver
    }
    receiver?.resume(returning: bytes)
  }

  /// Waits until the surface has sent so many times.
  func sent(_ count: Int) async -> [Bytes] {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.sent.count >= count { return true }
        state.watcher = (count, continuation)
        return false
      }
      if isThere { continuation.resume() }
    }
    return state.withLock { $0.sent }
  }

  /// Everything sent so far, as events.
  func events() throws -> [WebSocketReader.Event] {
    var reader = WebSocketReader(fromClient: false, messageBytesMax: 64 << 20)
    for bytes in state.withLock({ $0.sent }) { reader.append(bytes) }
    var events: [WebSocketReader.Event] = []
    while let event = try reader.next() { events.append(event) }
    return events
  }
}
