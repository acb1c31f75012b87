package import LakeModel
package import LakePorts
import Synchronization

/// The server's side of an open WebSocket: answers pings, notices a peer that is gone, closes politely. What the client says
/// besides is read and dropped.
package struct WebSocketConversation: Sendable {
  private let connection: any UpgradedConnection
  private let clock: any LakeClock

  /// A ping goes out so often; a peer from which nothing came for twice as long is gone.
  static let pingInterval = Duration.seconds(20)
  /// How long the peer may take to answer a close.
  static let closeWait = Duration.seconds(3)

  package init(_ connection: any UpgradedConnection, clock: any LakeClock) {
    self.connection = connection
    self.clock = clock
  }

  private enum Ended: Sendable {
    case byUs(WebSocketClose)
    case byPeer
  }

  /// Runs `body` until it returns why to close, the peer closes or is gone, or the task is cancelled (1001).
  package func run(_ body: @escaping @Sendable (WebSocketSender) async throws -> WebSocketClose) async {
    let heard = LastHeard(clock.now)
    let ended = await withTaskGroup(of: Ended.self) { group in
      group.addTask { await read(heard) }
      group.addTask { await keepAlive(heard) }
      group.addTask {
        do {
          return .byUs(try await body(WebSocketSender(connection: connection)))
        } catch {
          return Task.isCancelled ? .byUs(WebSocketClose(WebSocketClose.goingAway, "the server is stopping")) : .byPeer
        }
      }
      defer { group.cancelAll() }
      return await group.next()!
    }
    guard case .byUs(let close) = ended else { return }
    try? await connection.send(WebSocketFrame.close(close))
    if Task.isCancelled { return }
    await waitForClose()
  }

  /// Reads until the peer closes; a broken frame is answered with its code.
  private func read(_ heard: LastHeard) async -> Ended {
    var reader = WebSocketReader(fromClient: true, messageBytesMax: 64 << 10)
    do {
      while let bytes = try await connection.receive() {
        heard.note(clock.now)
        reader.append(bytes)
        do throws(WebSocketReader.Failure) {
          while let event = try reader.next() {
            switch event {
            case .ping(let payload): try? await connection.send(WebSocketFrame.encode(.pong, payload))
            case .close(let close):
              let echo = close.map { WebSocketFrame.close(WebSocketClose($0.code)) }
              try? await connection.send(echo ?? WebSocketFrame.encode(.close, Bytes()))
              return .byPeer
            case .text, .binary, .pong: continue
            }
          }
        } catch {
          return .byUs(error.close)
        }
      }
    } catch {
      if Task.isCancelled { return .byUs(WebSocketClose(WebSocketClose.goingAway, "the server is stopping")) }
    }
    return .byPeer
  }

  private func keepAlive(_ heard: LastHeard) async -> Ended {
    while true {
      do {
        try await clock.sleep(for: WebSocketConversation.pingInterval)
        if heard.instant.duration(to: clock.now) > WebSocketConversation.pingInterval * 2 { return .byPeer }
        try await connection.send(WebSocketFrame.encode(.ping, Bytes()))
      } catch {
        return Task.isCancelled ? .byUs(WebSocketClose(WebSocketClose.goingAway, "the server is stopping")) : .byPeer
      }
    }
  }

  /// After our close: what the peer still says is dropped until it closes too, or has taken too long.
  private func waitForClose() async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask {
        var reader = WebSocketReader(fromClient: true, messageBytesMax: 64 << 10)
        while let bytes = try? await connection.receive() {
          reader.append(bytes)
          while let event = try? reader.next() { if case .close = event { return } }
        }
      }
      group.addTask { try? await clock.sleep(for: WebSocketConversation.closeWait) }
      await group.next()
      group.cancelAll()
    }
  }
}

/// When the peer was last heard of.
private final class LastHeard: Sendable {
  private let value: Mutex<ClockInstant>
  init(_ now: ClockInstant) { value = Mutex(now) }
  var instant: ClockInstant { value.withLock { $0 } }
  func note(_ now: ClockInstant) { value.withLock { $0 = now } }
}

/// Sends messages.
package struct WebSocketSender: Sendable {
  let connection: any UpgradedConnection

  /// - Throws: when the peer is gone.
  package func send(text: Bytes) async throws { try await connection.send(WebSocketFrame.encode(.text, text)) }
}
