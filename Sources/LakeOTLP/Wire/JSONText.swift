import LakeJSON
import LakeModel

/// JSON pieces written straight into a buffer.
extension BufferBuilder where Element == UInt8 {
  /// A string in quotes; invalid UTF-8 is written as U+FFFD.
  /// - Returns: false when that happened.
  @discardableResult
  mutating func quoted(_ text: RawBytes) -> Bool {
    if text.isValidUTF8 {
      quotedValid(text)
      return true
    }
    var repaired = String(repairing: text.buffer)
    repaired.withUTF8 { quotedValid(RawBytes($0.baseAddress!, $0.count)) }
    return false
  }

  private mutating func quotedValid(_ text: RawBytes) {
    append(UInt8(ascii: "\""))
    var start = 0
    var index = 0
    while index < text.count {
      let byte = text.start[index]
      if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        append(contentsOf: text.start + start, count: index - start)
        escaped(byte)
        start = index + 1
      }
      index &+= 1
    }
    append(contentsOf: text.start + start, count: text.count - start)
    append(UInt8(ascii: "\""))
  }

  private mutating func escaped(_ byte: UInt8) {
    append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
    case 10: append(UInt8(ascii: "n"))
    case 13: append(UInt8(ascii: "r"))
    case 9: append(UInt8(ascii: "t"))
    default:
      append("u00")
      append(Hex.digits[Int(byte >> 4)])
      append(Hex.digits[Int(byte & 15)])
    }
  }

  mutating func quotedBase64(_ bytes: RawBytes) {
    append(UInt8(ascii: "\""))
    Base64.append(bytes, to: &self)
    append(UInt8(ascii: "\""))
  }

  mutating func quotedHex(_ bytes: RawBytes) {
    append(UInt8(ascii: "\""))
    for byte in bytes.buffer {
      append(Hex.digits[Int(byte >> 4)])
      append(Hex.digits[Int(byte & 15)])
    }
    append(UInt8(ascii: "\""))
  }

  /// A double as OTLP JSON has it: a number, or a string when it is not finite.
  /// - Parameter keepsNaN: writes the bits of an unusual NaN, for text that only we read again.
  mutating func jsonDouble(_ value: Double, keepsNaN: Bool) {
    if value == 0, value.sign == .minus { return append("-0.0") }  // "-0" would read as an integer
    if value.isFinite {
      let start = count
      NumberText.append(value, to: &self)
      // Not every parser takes whole numbers beyond 64 bits.
      if value.magnitude >= 9e18, !RawBytes(base + start, count - start).hasPointOrExponent { append(".0") }
      return
    }
    append(UInt8(ascii: "\""))
    NumberText.append(value.isNaN && !keepsNaN ? .nan : value, to: &self)
    append(UInt8(ascii: "\""))
  }
}
