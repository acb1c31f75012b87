import LakeModel

/// Base64 of RFC 4648 section 4: standard alphabet, padded.
enum Base64 {
  private static let alphabet = RawBytes("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")

  static func append(_ bytes: RawBytes, to out: inout BufferBuilder<UInt8>) {
    let digits = alphabet.start
    var index = 0
    while index < bytes.count {
      let left = bytes.count - index
      let word =
        UInt32(bytes.start[index]) << 16 | (left > 1 ? UInt32(bytes.start[index + 1]) << 8 : 0)
        | (left > 2 ? UInt32(bytes.start[index + 2]) : 0)
      out.append(digits[Int(word >> 18)])
      out.append(digits[Int(word >> 12 & 63)])
      out.append(left > 1 ? digits[Int(word >> 6 & 63)] : UInt8(ascii: "="))
      out.append(left > 2 ? digits[Int(word & 63)] : UInt8(ascii: "="))
      index += 3
    }
  }

  /// Appends the decoded bytes. Line breaks are passed over; padding is required, stray bits in the last digit are not looked at.
  /// - Returns: false when `text` is not base64; `out` then holds a part.
  static func decode(_ text: RawBytes, into out: inout BufferBuilder<UInt8>) -> Bool {
    var word: UInt32 = 0
    var digits = 0
    var padding = 0
    for byte in text.buffer {
      if byte == 10 || byte == 13 { continue }
      if byte == UInt8(ascii: "=") {
        guard digits >= 2, digits + padding < 4 else { return false }
        padding += 1
        continue
      }
      guard padding == 0, let value = value(of: byte) else { return false }
      word = word << 6 | UInt32(value)
      digits += 1
      if digits == 4 {
        out.append(UInt8(truncatingIfNeeded: word >> 16))
        out.append(UInt8(truncatingIfNeeded: word >> 8))
        out.append(UInt8(truncatingIfNeeded: word))
        digits = 0
        word = 0
      }
    }
    if digits == 0 { return padding == 0 }
    guard digits + padding == 4 else { return false }
    if digits == 2 {
      out.append(UInt8(truncatingIfNeeded: word >> 4))
    } else {
      out.append(UInt8(truncatingIfNeeded: word >> 10))
      out.append(UInt8(truncatingIfNeeded: word >> 2))
    }
    return true
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - 65
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - 71
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit + 4
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
