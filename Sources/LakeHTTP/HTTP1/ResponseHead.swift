import LakeAPI
import LakeModel

/// The bytes before a response's body, and how the body is framed.
struct ResponseHead {
  enum Framing: Hashable {
    /// No body follows, whatever the handler gave: HEAD, 204, 304.
    case absent
    case length(Int)
    case chunked
    /// HTTP/1.0: the end of the connection ends the body.
    case untilClose
  }

  let framing: Framing
  /// Whether another request may follow on the connection.
  let isPersistent: Bool

  /// - Parameter isClosing: the server wants the connection closed after this response.
  init(_ response: HTTPResponse, to exchange: Exchange, isClosing: Bool) {
    var isPersistent = exchange.isPersistent && !isClosing
    for (name, value) in response.headers.fields where ResponseHead.isSame(name, "connection") {
      if ResponseHead.isSame(value, "close") { isPersistent = false }
    }
    switch response.body {
    case .upgrade: framing = .absent
    case _ where exchange.isHead || response.status == 204 || response.status == 304: framing = .absent
    case .bytes(let bytes): framing = .length(bytes.count)
    case .stream where exchange.isVersion10:
      framing = .untilClose
      isPersistent = false
    case .stream: framing = .chunked
    }
    self.isPersistent = isPersistent
  }

  /// Writes status line and fields. What decides the framing (Content-Length, Transfer-Encoding, Connection) and Date are the
  /// server's to say; the handler's are left out, except for the length of an answer to HEAD that has no body to count.
  func write(_ response: HTTPResponse, to exchange: Exchange, date: [UInt8], into out: inout ByteWriter) {
    out.append("HTTP/1.1 ")
    out.append(number: min(max(response.status, 100), 999))
    out.append(" ")
    out.append(StatusReason.text(response.status))
    out.append("\r\n")
    var declaredLength: String?
    for (name, value) in response.headers.fields {
      if isOurs(name) {
        if ResponseHead.isSame(name, "content-length") { declaredLength = value }
        continue
      }
      out.append(fieldText: name)
      out.append(": ")
      out.append(fieldText: value)
      out.append("\r\n")
    }
    out.append(date)
    writeFraming(response, to: exchange, declaredLength: declaredLength, into: &out)
    if case .upgrade = response.body {
      out.append("Connection: Upgrade\r\n")
    } else if !isPersistent {
      out.append("Connection: close\r\n")
    } else if exchange.isVersion10 {
      out.append("Connection: keep-alive\r\n")
    }
    out.append("\r\n")
  }

  private func writeFraming(
    _ response: HTTPResponse, to exchange: Exchange, declaredLength: String?, into out: inout ByteWriter
  ) {
    switch framing {
    case .length(let count): ResponseHead.writeLength(count, into: &out)
    case .chunked: out.append("Transfer-Encoding: chunked\r\n")
    case .untilClose: break
    case .absent:
      guard exchange.isHead, response.status != 204, response.status != 304 else { return }
      switch response.body {
      case .bytes(let bytes):
        let declared = bytes.isEmpty ? declaredLength.flatMap { Int($0) } : nil
        ResponseHead.writeLength(max(0, declared ?? bytes.count), into: &out)
      case .stream: if !exchange.isVersion10 { out.append("Transfer-Encoding: chunked\r\n") }
      case .upgrade: break
      }
    }
  }

  private static func writeLength(_ count: Int, into out: inout ByteWriter) {
    out.append("Content-Length: ")
    out.append(number: count)
    out.append("\r\n")
  }

  private func isOurs(_ name: String) -> Bool {
    switch name.utf8.count {
    case 4: ResponseHead.isSame(name, "date")
    case 10: ResponseHead.isSame(name, "connection") || ResponseHead.isSame(name, "keep-alive")
    case 14: ResponseHead.isSame(name, "content-length")
    case 17: ResponseHead.isSame(name, "transfer-encoding")
    default: false
    }
  }

  private static func isSame(_ name: String, _ lower: StaticString) -> Bool {
    guard name.utf8.count == lower.utf8CodeUnitCount else { return false }
    var index = 0
    for byte in name.utf8 {
      if (byte &- 65 < 26 ? byte | 0x20 : byte) != lower.utf8Start[index] { return false }
      index += 1
    }
    return true
  }
}
