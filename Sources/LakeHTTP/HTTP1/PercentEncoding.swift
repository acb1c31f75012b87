import LakeModel

/// `%2F` and the like in request targets.
enum PercentEncoding {
  static func check(_ bytes: UnsafeRawBufferPointer) throws(RequestFailure) {
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%") {
        guard index + 2 < bytes.count, Hex.value(of: bytes[index + 1]) != nil, Hex.value(of: bytes[index + 2]) != nil
        else { throw .percentEncodingMalformed }
        index += 2
      }
      index += 1
    }
  }

  /// - Throws: `.percentEncodingMalformed` for a sign without two hex digits; `.targetMalformed` when the result holds NUL
  ///   or is not UTF-8.
  static func decode(_ bytes: UnsafeRawBufferPointer) throws(RequestFailure) -> String {
    try check(bytes)
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%") {
        out.append(Hex.value(of: bytes[index + 1])! << 4 | Hex.value(of: bytes[index + 2])!)
        index += 3
      } else {
        out.append(bytes[index])
        index += 1
      }
    }
    guard !out.contains(0), let text = String(validating: out, as: UTF8.self) else { throw .targetMalformed }
    return text
  }
}
