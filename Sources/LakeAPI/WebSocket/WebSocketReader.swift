package import LakeModel

/// Takes bytes as they come and gives whole messages and control frames. Pure; the same for every cut of the bytes.
package struct WebSocketReader: Sendable {
  package enum Event: Sendable, Hashable {
    case text(Bytes)
    case binary(Bytes)
    case ping(Bytes)
    case pong(Bytes)
    /// nil: the peer gave no code.
    case close(WebSocketClose?)
  }

  /// What is wrong, and the code to close with.
  package struct Failure: Error, Sendable, Hashable {
    package let close: WebSocketClose
  }

  /// Clients mask what they send, servers do not; whoever does otherwise is cut off.
  private let expectsMask: Bool
  private let messageBytesMax: Int
  private var unread: [UInt8] = []
  private var start = 0
  private var message: [UInt8] = []
  private var messageOpcode: WebSocketFrame.Opcode?

  package init(fromClient expectsMask: Bool, messageBytesMax: Int = 1 << 20) {
    self.expectsMask = expectsMask
    self.messageBytesMax = messageBytesMax
  }

  package mutating func append(_ bytes: Bytes) {
    if start > 0 {
      unread.removeFirst(start)
      start = 0
    }
    bytes.withUnsafeBytes { unread.append(contentsOf: $0) }
  }

  /// The next event; nil when more bytes are needed. After a failure the reader is of no more use.
  package mutating func next() throws(Failure) -> Event? {
    while let (head, payload) = try frame() {
      if head.opcode.isControl { return try control(head.opcode, payload) }
      guard (head.opcode == .continuation) == (messageOpcode != nil) else {
        throw WebSocketReader.failure(WebSocketClose.protocolError, "a message inside a message, or none to continue")
      }
      if head.opcode != .continuation { messageOpcode = head.opcode }
      message += payload
      guard head.isFinal, let opcode = messageOpcode else { continue }
      defer {
        message = []
        messageOpcode = nil
      }
      if opcode == .binary { return .binary(Bytes(message)) }
      guard WebSocketReader.isText(message[...]) else {
        throw WebSocketReader.failure(WebSocketClose.notText, "a text message is not UTF-8")
      }
      return .text(Bytes(message))
    }
    return nil
  }

  private struct Head {
    let isFinal: Bool
    let opcode: WebSocketFrame.Opcode
  }

  /// One frame, unmasked, once all of it is there.
  private mutating func frame() throws(Failure) -> (Head, [UInt8])? {
    let bytes = unread[start...]
    guard bytes.count >= 2 else { return nil }
    let first = bytes[start]
    let second = bytes[start + 1]
    guard first & 0x70 == 0, let opcode = WebSocketFrame.Opcode(rawValue: first & 0x0F) else {
      throw WebSocketReader.failure(WebSocketClose.protocolError, "unknown opcode or extension")
    }
    guard (second & 0x80 != 0) == expectsMask else {
      throw WebSocketReader.failure(
        WebSocketClose.protocolError, expectsMask ? "frame is not masked" : "frame is masked")
    }
    let isFinal = first & 0x80 != 0
    let short = Int(second & 0x7F)
    if opcode.isControl && (!isFinal || short > 125) {
      throw WebSocketReader.failure(WebSocketClose.protocolError, "control frame is cut or too long")
    }
    let lengthBytes = short == 126 ? 2 : short == 127 ? 8 : 0
    let headBytes = 2 + lengthBytes + (expectsMask ? 4 : 0)
    guard bytes.count >= 2 + lengthBytes else { return nil }
    var length = UInt64(short)
    if lengthBytes > 0 { length = bytes[(start + 2)..<(start + 2 + lengthBytes)].reduce(0) { $0 << 8 | UInt64($1) } }
    // Said before the bytes come, so that nobody makes us hold them.
    guard length <= UInt64(messageBytesMax - message.count) else {
      throw WebSocketReader.failure(WebSocketClose.tooLarge, "message is too large")
    }
    guard bytes.count - headBytes >= Int(length) else { return nil }
    let at = start + headBytes
    var payload = Array(bytes[at..<(at + Int(length))])
    if expectsMask {
      let key = Array(bytes[(at - 4)..<at])
      for index in payload.indices { payload[index] ^= key[index & 3] }
    }
    start = at + Int(length)
    return (Head(isFinal: isFinal, opcode: opcode), payload)
  }

  private func control(_ opcode: WebSocketFrame.Opcode, _ payload: [UInt8]) throws(Failure) -> Event {
    switch opcode {
    case .ping: return .ping(Bytes(payload))
    case .pong: return .pong(Bytes(payload))
    default:
      if payload.isEmpty { return .close(nil) }
      guard payload.count >= 2 else {
        throw WebSocketReader.failure(WebSocketClose.protocolError, "close code is cut")
      }
      let code = UInt16(payload[0]) << 8 | UInt16(payload[1])
      guard WebSocketReader.mayBeSent(code), WebSocketReader.isText(payload[2...]) else {
        throw WebSocketReader.failure(WebSocketClose.protocolError, "malformed close")
      }
      return .close(WebSocketClose(code, String(decoding: payload[2...], as: UTF8.self)))
    }
  }

  /// Codes that may stand in a frame. Source: RFC 6455, section 7.4.
  private static func mayBeSent(_ code: UInt16) -> Bool {
    (1000...1014).contains(code) && ![1004, 1005, 1006].contains(code) || (3000...4999).contains(code)
  }

  private static func isText(_ bytes: ArraySlice<UInt8>) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

  private static func failure(_ code: UInt16, _ reason: String) -> Failure {
    Failure(close: WebSocketClose(code, reason))
  }
}
