import LakeAPI
import LakeModel
import Synchronization

/// A connection after 101: hands what comes to whoever receives, sends what it is told, knows nothing of what is spoken.
///
/// `@unchecked Sendable`: `connection` and `task` are used on the loop's thread only, everything else is behind the lock.
final class UpgradedSession: ConnectionSession, UpgradedConnection, @unchecked Sendable {
  struct Gone: Error {}

  private struct State {
    var pieces: [Bytes] = []
    var byteCount = 0
    var hasEnded = false
    var isGone = false
    var receiver: CheckedContinuation<Bytes?, any Error>?
    var sender: CheckedContinuation<Void, any Error>?
  }

  private let connection: Connection
  private let loop: EventLoop
  private let limits: HTTPLimits
  private var task: Task<Void, Never>?
  private let state = Mutex(State())

  init(_ connection: Connection, task: Task<Void, Never>) {
    self.connection = connection
    self.task = task
    loop = connection.loop
    limits = connection.server.configuration.limits
  }

  // MARK: The conversation's side, any thread

  func receive() async throws -> Bytes? {
    try await withTaskCancellationHandler {
      let piece = try await withCheckedThrowingContinuation { (receiver: CheckedContinuation<Bytes?, any Error>) in
        state.withLock { state in
          if !state.pieces.isEmpty {
            let piece = state.pieces.removeFirst()
            state.byteCount -= piece.count
            receiver.resume(returning: piece)
          } else if state.hasEnded {
            receiver.resume(returning: nil)
          } else if state.isGone || Task.isCancelled {
            receiver.resume(throwing: Gone())
          } else {
            state.receiver = receiver
          }
        }
      }
      loop.execute { [self] in if connection.isOpen { connection.pump() } }
      return piece
    } onCancel: {
      takeReceiver()?.resume(throwing: Gone())
    }
  }

  func send(_ bytes: Bytes) async throws {
    let mustWait = await loop.perform { [self] () -> Bool? in
      guard connection.isOpen else { return nil }
      connection.send(UnsafeRawBufferPointer(start: nil, count: 0), bytes)
      return connection.unsentByteCount > limits.unsentBytesMax
    }
    guard let mustWait else { throw Gone() }
    if mustWait { try await waitForRoom() }
  }

  private func waitForRoom() async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (sender: CheckedContinuation<Void, any Error>) in
        state.withLock { state in
          if state.isGone || Task.isCancelled { sender.resume(throwing: Gone()) } else { state.sender = sender }
        }
        // The output may have left before anybody waited for it.
        loop.execute { [self] in if connection.unsentByteCount == 0 { outputDrained() } }
      }
    } onCancel: {
      takeSender()?.resume(throwing: Gone())
    }
  }

  private func takeReceiver() -> CheckedContinuation<Bytes?, any Error>? {
    state.withLock { state in
      defer { state.receiver = nil }
      return state.receiver
    }
  }

  private func takeSender() -> CheckedContinuation<Void, any Error>? {
    state.withLock { state in
      defer { state.sender = nil }
      return state.sender
    }
  }

  // MARK: The connection's side, on the loop's thread

  /// The conversation is over.
  func finish() {
    task = nil
    connection.closeAfterOutput(lingers: true)
  }

  var wantsInput: Bool { state.withLock { !$0.hasEnded && $0.byteCount < limits.readAheadBytesMax } }
  var deadline: Int64? { nil }
  func directRoom() -> UnsafeMutableRawBufferPointer? { nil }
  func receivedDirectly(_ count: Int) {}

  func received(_ bytes: UnsafeRawBufferPointer) {
    if bytes.isEmpty { return }
    let piece = Bytes(copying: bytes)
    let waiting = state.withLock { state in
      defer { state.receiver = nil }
      if state.receiver == nil {
        state.pieces.append(piece)
        state.byteCount += piece.count
      }
      return state.receiver
    }
    waiting?.resume(returning: piece)
  }

  func receivedEnd() {
    state.withLock { $0.hasEnded = true }
    takeReceiver()?.resume(returning: nil)
  }

  func outputDrained() { takeSender()?.resume() }

  func connectionClosed() {
    state.withLock { $0.isGone = true }
    takeReceiver()?.resume(throwing: Gone())
    takeSender()?.resume(throwing: Gone())
    task?.cancel()
    task = nil
  }

  func drain() { task?.cancel() }
  func refuseConnection() {}
  func peerClosed() {}
  func turnEnded() {}
  func deadlineReached(now: Int64) {}
}

extension HTTPResponse {
  /// For an upgrade that the client's HTTP cannot have.
  static let upgradeRefused = HTTPResponse(
    status: 400, headers: ["Content-Type": "text/plain; charset=utf-8"],
    body: .bytes(Bytes("the connection cannot be upgraded\n")))
}
