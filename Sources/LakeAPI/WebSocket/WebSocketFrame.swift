package import LakeModel

/// One frame. Source: RFC 6455, section 5.2.
///
///     +---+---+---------+---+---------+-----------------------+----------------+-----------------+
///     |fin|rsv| opcode  | m | length  | length, if 126 or 127 | key, if masked | payload         |
///     | 1 | 3 | 4       | 1 | 7       | 16 or 64, big-endian  | 32             |                 |
///     +---+---+---------+---+---------+-----------------------+----------------+-----------------+
package enum WebSocketFrame {
  package enum Opcode: UInt8, Sendable {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    var isControl: Bool { rawValue >= 8 }
  }

  /// A whole message, or a control frame, as one frame.
  ///
  /// - Parameter mask: a client's key, drawn anew for each frame; nil for a server.
  package static func encode(_ opcode: Opcode, _ payload: Bytes, mask: UInt32? = nil) -> Bytes {
    var head: [UInt8] = [0x80 | opcode.rawValue]
    let masked: UInt8 = mask == nil ? 0 : 0x80
    switch payload.count {
    case ...125: head.append(masked | UInt8(payload.count))
    case ...0xFFFF:
      head.append(masked | 126)
      head += [UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default:
      head.append(masked | 127)
      for shift in stride(from: 56, through: 0, by: -8) {
        head.append(UInt8(truncatingIfNeeded: payload.count >> shift))
      }
    }
    guard let mask else { return Bytes(head + payload.array) }
    let key = (0..<4).map { UInt8(truncatingIfNeeded: mask >> (24 - $0 * 8)) }
    var body = payload.array
    for index in body.indices { body[index] ^= key[index & 3] }
    return Bytes(head + key + body)
  }

  /// A close frame with its code and reason; the reason is cut to what a control frame holds.
  package static func close(_ code: WebSocketClose, mask: UInt32? = nil) -> Bytes {
    var payload: [UInt8] = [UInt8(code.code >> 8), UInt8(code.code & 0xFF)]
    for scalar in code.reason.unicodeScalars {
      let encoded = Array(String(scalar).utf8)
      if payload.count + encoded.count > 125 { break }
      payload += encoded
    }
    return encode(.close, Bytes(payload), mask: mask)
  }
}

/// Why a conversation ends. Source: RFC 6455, section 7.4.
package struct WebSocketClose: Sendable, Hashable {
  package let code: UInt16
  package let reason: String

  package init(_ code: UInt16, _ reason: String = "") {
    self.code = code
    self.reason = reason
  }

  package static let normal: UInt16 = 1000
  package static let goingAway: UInt16 = 1001
  package static let protocolError: UInt16 = 1002
  package static let notText: UInt16 = 1007
  package static let tooLarge: UInt16 = 1009
  package static let internalError: UInt16 = 1011
}
