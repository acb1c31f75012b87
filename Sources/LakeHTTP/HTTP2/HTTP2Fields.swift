import CNghttp2

/// Response fields as HTTP/2 wants them: names in lower case, no connection-specific ones, values without line ends around which another
/// protocol behind us could stumble.
enum HTTP2Fields {
  /// - Parameter body: nghttp2 copies what it is given.
  static func withNameValues<R>(
    _ fields: [(name: String, value: String)], _ body: (UnsafeMutableBufferPointer<nghttp2_nv>) -> R
  ) -> R {
    var bytes: [UInt8] = []
    var spans: [(name: Int, value: Int)] = []
    bytes.reserveCapacity(fields.count * 40)
    for (name, value) in fields {
      guard appendName(name, to: &bytes) else { continue }
      let start = bytes.count
      appendValue(value, to: &bytes)
      spans.append((start, bytes.count))
    }
    return bytes.withUnsafeMutableBufferPointer { bytes in
      withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: spans.count) { pairs in
        var start = 0
        for (index, span) in spans.enumerated() {
          let base = bytes.baseAddress!
          pairs[index] = nghttp2_nv(
            name: base + start, value: base + span.name, namelen: span.name - start, valuelen: span.value - span.name,
            flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue))
          start = span.value
        }
        return body(pairs)
      }
    }
  }

  /// - Returns: false, with nothing appended, for a name that is no token or belongs to HTTP/1.1 connections.
  private static func appendName(_ name: String, to bytes: inout [UInt8]) -> Bool {
    let start = bytes.count
    for byte in name.utf8 {
      guard ByteClass.token.contains(byte) || (byte == UInt8(ascii: ":") && bytes.count == start) else {
        bytes.removeSubrange(start...)
        return false
      }
      bytes.append(byte &- 65 < 26 ? byte | 0x20 : byte)
    }
    return bytes.count > start
  }

  private static func appendValue(_ value: String, to bytes: inout [UInt8]) {
    let start = bytes.count
    for byte in value.utf8 {
      let isBlank = byte == 13 || byte == 10 || byte == 0 || byte == 32 || byte == 9
      if isBlank, bytes.count == start { continue }
      bytes.append(isBlank ? 32 : byte)
    }
    while bytes.count > start, bytes[bytes.count - 1] == 32 { bytes.removeLast() }
  }

  /// What HTTP/1.1 says of the connection, and HTTP/2 forbids; and what the server says itself.
  static func isForbidden(_ name: String) -> Bool {
    switch name.lowercased() {
    case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "te", "date", "content-length":
      true
    default: false
    }
  }
}
