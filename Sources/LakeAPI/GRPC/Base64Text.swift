import LakeModel

/// Base64 of RFC 4648 with padding, as constants of the program are written.
enum Base64Text {
  /// - Returns: nil when it is not base64.
  static func decode(_ text: StaticString) -> Bytes? {
    var out: [UInt8] = []
    var group: UInt32 = 0
    var digits = 0
    for index in 0..<text.utf8CodeUnitCount {
      let byte = text.utf8Start[index]
      if byte == UInt8(ascii: "=") { break }
      guard let value = value(of: byte) else { return nil }
      group = group << 6 | UInt32(value)
      digits += 1
      guard digits % 4 == 0 else { continue }
      out += [
        UInt8(truncatingIfNeeded: group >> 16), UInt8(truncatingIfNeeded: group >> 8), UInt8(truncatingIfNeeded: group),
      ]
    }
    switch digits % 4 {
    case 0: break
    case 2: out.append(UInt8(truncatingIfNeeded: group >> 4))
    case 3: out += [UInt8(truncatingIfNeeded: group >> 10), UInt8(truncatingIfNeeded: group >> 2)]
    default: return nil
    }
    return Bytes(out)
  }

  static func encode(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      let group = part.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - part.count))
      for index in 0..<4 {
        out.append(index <= part.count ? digits[Int(group >> UInt32(18 - 6 * index)) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: out, as: UTF8.self)
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
