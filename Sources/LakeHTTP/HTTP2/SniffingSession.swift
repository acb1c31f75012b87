import LakeModel

/// A connection that has not shown yet which HTTP it speaks: the preface of HTTP/2, or anything else.
final class SniffingSession: ConnectionSession {
  private unowned let connection: Connection
  private var first: [UInt8] = []
  let deadline: Int64?
  var wantsInput: Bool { true }

  init(_ connection: Connection) {
    self.connection = connection
    let timeouts = connection.server.configuration.timeouts
    // A client that connects and says nothing gets no longer than one that sends its header slowly.
    deadline = connection.loop.now + min(timeouts.header.nanoseconds, timeouts.idle.nanoseconds)
  }

  func received(_ bytes: UnsafeRawBufferPointer) {
    if first.isEmpty {
      if !decide(bytes) { first = Array(bytes) }  // less than the 24 bytes of the preface
    } else {
      first.append(contentsOf: bytes)
      let all = first
      all.withUnsafeBytes { _ = decide($0) }
    }
  }

  /// - Returns: false when more bytes are needed. Otherwise the connection has another session now.
  private func decide(_ bytes: UnsafeRawBufferPointer) -> Bool {
    switch HTTP2Preface.match(bytes) {
    case .maybe: return false
    case .yes: connection.adopt(HTTP2Session(connection), bytes)
    case .no: connection.adopt(HTTP1Session(connection), bytes)
    }
    return true
  }

  func refuseConnection() {
    // Whatever it speaks, it gets the older answer.
    let session = HTTP1Session(connection)
    connection.adopt(session, UnsafeRawBufferPointer(start: nil, count: 0))
    session.refuseConnection()
  }

  func deadlineReached(now: Int64) {
    guard !first.isEmpty else { return connection.closeAfterOutput(lingers: false) }
    // The beginning of a preface is also the beginning of a slow request.
    let session = HTTP1Session(connection)
    first.withUnsafeBytes { connection.adopt(session, $0) }
    session.refuseSlowHeader()
  }

  func directRoom() -> UnsafeMutableRawBufferPointer? { nil }
  func receivedDirectly(_ count: Int) {}
  func peerClosed() {}
  func receivedEnd() { connection.closeAfterOutput(lingers: false) }
  func outputDrained() {}
  func turnEnded() {}
  func drain() { connection.closeAfterOutput(lingers: false) }
  func connectionClosed() {}
}
