/// What a request asks for: origin form `/path?query`, absolute form `http://host/path?query`, or `*` for OPTIONS.
struct RequestTarget: Sendable, Hashable {
  /// Percent-decoded, valid UTF-8, without NUL.
  var path = ""
  /// As sent; its percent signs are followed by two hex digits.
  var query = ""
  /// Of the absolute form: replaces Host (RFC 9112, section 3.2.2).
  var authority: String?

  init() {}

  init(_ target: UnsafeRawBufferPointer, isOptions: Bool) throws(RequestFailure) {
    guard !target.isEmpty else { throw .targetMalformed }
    var needsDecoding = false
    for byte in target {
      guard ByteClass.target.contains(byte) else { throw .targetMalformed }
      if byte == UInt8(ascii: "%") || byte >= 0x80 { needsDecoding = true }
    }
    var origin = target
    if target[0] != UInt8(ascii: "/") {
      if target.count == 1, target[0] == UInt8(ascii: "*"), isOptions {
        path = "*"
        return
      }
      origin = try takeAuthority(target)
    }
    let pathEnd = origin.firstIndex(of: UInt8(ascii: "?")) ?? origin.count
    let pathBytes = UnsafeRawBufferPointer(rebasing: origin[..<pathEnd])
    if pathEnd < origin.count {
      let queryBytes = UnsafeRawBufferPointer(rebasing: origin[(pathEnd + 1)...])
      if needsDecoding { try PercentEncoding.check(queryBytes) }
      query = String(decoding: queryBytes, as: UTF8.self)
    }
    if pathBytes.isEmpty {
      path = "/"
    } else if needsDecoding {
      path = try PercentEncoding.decode(pathBytes)
    } else {
      path = String(decoding: pathBytes, as: UTF8.self)
    }
  }

  /// - Returns: what follows the authority; empty, or beginning with `/` or `?`.
  private mutating func takeAuthority(
    _ target: UnsafeRawBufferPointer
  ) throws(RequestFailure) -> UnsafeRawBufferPointer {
    let scheme: Int
    if RequestTarget.hasPrefix(target, "http://") {
      scheme = 7
    } else if RequestTarget.hasPrefix(target, "https://") {
      scheme = 8
    } else {
      throw .targetMalformed
    }
    let rest = UnsafeRawBufferPointer(rebasing: target[scheme...])
    let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.count
    let bytes = UnsafeRawBufferPointer(rebasing: rest[..<end])
    guard !bytes.isEmpty, bytes.allSatisfy({ ByteClass.host.contains($0) }) else { throw .targetMalformed }
    authority = String(decoding: bytes, as: UTF8.self)
    return UnsafeRawBufferPointer(rebasing: rest[end...])
  }

  private static func hasPrefix(_ bytes: UnsafeRawBufferPointer, _ prefix: StaticString) -> Bool {
    guard bytes.count >= prefix.utf8CodeUnitCount else { return false }
    for index in 0..<prefix.utf8CodeUnitCount where bytes[index] | 0x20 != prefix.utf8Start[index] | 0x20 {
      return false
    }
    return true
  }
}
