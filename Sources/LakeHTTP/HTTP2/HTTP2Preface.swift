/// What a client that speaks HTTP/2 says first (RFC 9113, section 3.4).
enum HTTP2Preface {
  private static let text: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
  static let byteCount = 24

  enum Match { case no, maybe, yes }

  /// - Parameter bytes: the first of a connection.
  static func match(_ bytes: UnsafeRawBufferPointer) -> Match {
    let count = min(bytes.count, byteCount)
    for index in 0..<count where bytes[index] != text.utf8Start[index] { return .no }
    return count == byteCount ? .yes : .maybe
  }
}
