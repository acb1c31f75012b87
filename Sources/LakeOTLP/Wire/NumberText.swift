import LakeModel

/// Numbers as text and back, without losing a bit.
///
/// A double is written with the fewest digits that read back as the same double, in JavaScript's layout: `3`, `1.5`, `1e-7`, `1e+21`,
/// `-0`, `NaN`, `Infinity`, `-Infinity`. A NaN other than the usual one keeps its bits: `NaN(0x7ff0000000000002)`.
enum NumberText {
  static let usualNaN = Double.nan.bitPattern

  static func append(_ value: Int64, to out: inout BufferBuilder<UInt8>) {
    let target = out.reserve(20)
    var count = 0
    if value < 0 {
      target[0] = UInt8(ascii: "-")
      count = 1
    }
    count += write(value.magnitude, to: target + count)
    out.count += count
  }

  static func append(_ value: UInt64, to out: inout BufferBuilder<UInt8>) {
    let target = out.reserve(20)
    out.count += write(value, to: target)
  }

  /// - Returns: number of digits.
  @inline(__always)
  private static func write(_ value: UInt64, to target: UnsafeMutablePointer<UInt8>) -> Int {
    var count = 1
    var rest = value
    while rest >= 10 {
      rest /= 10
      count &+= 1
    }
    rest = value
    var index = count
    while index > 0 {
      index &-= 1
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      target[index] = 48 &+ UInt8(truncatingIfNeeded: digit)
      rest = quotient
    }
    return count
  }

  static func append(_ value: Double, to out: inout BufferBuilder<UInt8>) {
    if appendThousandths(value, to: &out) { return }
    guard value.isFinite else { return appendNonFinite(value, to: &out) }
    if value.sign == .minus { out.append(UInt8(ascii: "-")) }
    if value == 0 { return out.append(UInt8(ascii: "0")) }
    var (digits, exponent) = shortestDigits(value.magnitude)
    digits.withUTF8 { layOut(RawBytes($0.baseAddress!, $0.count), exponent: exponent, to: &out) }
  }

  /// Most doubles of the field are whole numbers or have up to three decimals: such a number divided by 1000 is correctly rounded,
  /// and no other decimal of 15 digits reads as the same double, so these digits are the shortest.
  @inline(__always)
  private static func appendThousandths(_ value: Double, to out: inout BufferBuilder<UInt8>) -> Bool {
    let magnitude = value.magnitude
    guard magnitude < 1e9, magnitude >= 0.001 else { return false }
    let thousandths = (magnitude * 1000).rounded()
    guard thousandths / 1000 == magnitude else { return false }
    var (whole, rest) = UInt64(thousandths).quotientAndRemainder(dividingBy: 1000)
    if value < 0 { out.append(UInt8(ascii: "-")) }
    append(whole, to: &out)
    guard rest != 0 else { return true }
    out.append(UInt8(ascii: "."))
    whole = 100
    while rest != 0 {
      out.append(48 &+ UInt8(truncatingIfNeeded: rest / whole))
      rest %= whole
      whole /= 10
    }
    return true
  }

  private static func appendNonFinite(_ value: Double, to out: inout BufferBuilder<UInt8>) {
    if value == .infinity { return out.append("Infinity") }
    if value == -.infinity { return out.append("-Infinity") }
    out.append("NaN")
    guard value.bitPattern != usualNaN else { return }
    out.append("(0x")
    for shift in stride(from: 60, through: 0, by: -4) {
      out.append(Hex.digits[Int(value.bitPattern >> UInt64(shift) & 15)])
    }
    out.append(")")
  }

  /// - Returns: digits `d1 d2 ...` without zeros at either end, and the power of ten of `0.d1d2...`.
  private static func shortestDigits(_ value: Double) -> (String, Int) {
    var digits = ""
    var point: Int?
    var exponent = 0
    let text = value.description
    var rest = Substring(text)
    if let mark = rest.firstIndex(of: "e") {
      exponent = Int(rest[rest.index(after: mark)...]) ?? 0
      rest = rest[..<mark]
    }
    for character in rest.unicodeScalars {
      if character == "." { point = digits.utf8.count } else { digits.unicodeScalars.append(character) }
    }
    var power = (point ?? digits.utf8.count) + exponent
    while digits.utf8.first == UInt8(ascii: "0"), digits.utf8.count > 1 {
      digits.removeFirst()
      power -= 1
    }
    while digits.utf8.last == UInt8(ascii: "0"), digits.utf8.count > 1 { digits.removeLast() }
    return (digits, power)
  }

  private static func layOut(_ digits: RawBytes, exponent: Int, to out: inout BufferBuilder<UInt8>) {
    let count = digits.count
    if exponent > 21 || exponent < -5 {
      out.append(digits.start[0])
      if count > 1 {
        out.append(UInt8(ascii: "."))
        out.append(contentsOf: digits.start + 1, count: count - 1)
      }
      out.append(UInt8(ascii: "e"))
      out.append(exponent > 0 ? UInt8(ascii: "+") : UInt8(ascii: "-"))
      append(UInt64((exponent - 1).magnitude), to: &out)
    } else if exponent <= 0 {
      out.append("0.")
      out.append(repeating: UInt8(ascii: "0"), count: -exponent)
      out.append(digits)
    } else if count <= exponent {
      out.append(digits)
      out.append(repeating: UInt8(ascii: "0"), count: exponent - count)
    } else {
      out.append(contentsOf: digits.start, count: exponent)
      out.append(UInt8(ascii: "."))
      out.append(contentsOf: digits.start + exponent, count: count - exponent)
    }
  }

  // MARK: - Reading

  /// Decimal digits that fit; a sign only where `Int64` is asked for. Leading zeros are allowed.
  static func uint64(_ text: RawBytes) -> UInt64? {
    guard text.count > 0 else { return nil }
    var value: UInt64 = 0
    for byte in text.buffer {
      guard byte >= 48, byte <= 57 else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(byte - 48))
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }

  static func int64(_ text: RawBytes) -> Int64? {
    guard text.count > 0 else { return nil }
    let sign = text.start[0]
    guard sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") else {
      return uint64(text).flatMap(Int64.init(exactly:))
    }
    guard let magnitude = uint64(RawBytes(text.start + 1, text.count - 1)) else { return nil }
    if sign == UInt8(ascii: "+") { return Int64(exactly: magnitude) }
    return magnitude == Int64.min.magnitude ? .min : Int64(exactly: magnitude).map { -$0 }
  }

  /// Decimal notation, `inf`, `infinity` and `nan` in any case with a sign, and the NaN form of `append`.
  static func double(_ text: RawBytes) -> Double? {
    guard text.count > 0, text.count <= 1024 else { return nil }
    let string = String(decoding: text.buffer, as: UTF8.self)
    if let value = decimal(string) { return value }
    switch string.lowercased() {
    case "nan": return Double.nan
    case "inf", "+inf", "infinity", "+infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    default: break
    }
    guard string.hasPrefix("NaN(0x"), string.hasSuffix(")") else { return nil }
    guard let bits = UInt64(string.dropFirst(6).dropLast(), radix: 16) else { return nil }
    let value = Double(bitPattern: bits)
    return value.isNaN ? value : nil
  }

  private static func decimal(_ text: String) -> Double? {
    for byte in text.utf8 {
      switch byte {
      case 48...57, UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"): break
      default: return nil
      }
    }
    guard let value = Double(text), value.isFinite else { return nil }
    return value
  }
}
