import Glibc

/// Numbers as Go's `strconv` reads and writes them, which is what the query APIs put on the wire.
package enum FloatText {
  /// The shortest digits that read back as the same number, never with an exponent: `strconv`'s format `'f', -1`.
  /// `NaN`, `+Inf` and `-Inf` for the others.
  package static func fixed(_ value: Double) -> String {
    // Whole numbers that doubles hold one by one, as counts are; not the negative zero.
    if value.magnitude < 0x1p53, value == value.rounded(.towardZero), value != 0 { return String(Int(value)) }
    guard let (sign, digits, point) = shortestDigits(value) else { return special(value) }
    return sign + plain(digits, point)
  }

  /// As `fixed`, with an exponent below 1e-4 and from 1e6 on: Go's `%v`.
  package static func general(_ value: Double) -> String {
    guard let (sign, digits, point) = shortestDigits(value) else { return special(value) }
    if digits == "0" || (-3...6).contains(point) { return sign + plain(digits, point) }
    let exponent = point - 1
    let tail = digits.dropFirst()
    let magnitude = String(exponent.magnitude)
    return sign + digits.prefix(1) + (tail.isEmpty ? "" : "." + tail)
      + (exponent < 0 ? "e-" : "e+") + (magnitude.count < 2 ? "0" : "") + magnitude
  }

  /// Rounded to a number of decimals: C's `%.*f`.
  package static func decimals(_ value: Double, places: Int) -> String { formatted("%.*f", value, places) }

  /// With an exponent of at least two digits: C's `%.*e`.
  package static func exponential(_ value: Double, places: Int) -> String { formatted("%.*e", value, places) }

  /// With or without an exponent, as fits: C's `%.*g`.
  package static func significant(_ value: Double, digits: Int) -> String { formatted("%.*g", value, digits) }

  private static func formatted(_ format: String, _ value: Double, _ precision: Int) -> String {
    guard value.isFinite else { return special(value) }
    let places = Int32(clamping: max(0, precision))
    var buffer = [CChar](repeating: 0, count: 340 + Int(places))
    let count = withVaList([places, value]) { vsnprintf(&buffer, buffer.count, format, $0) }
    return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  package static func naturalLogarithm(_ value: Double) -> Double { log(value) }
  package static func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

  /// Reads what `strconv.ParseFloat` reads: decimal and hexadecimal numbers, `Inf`, `Infinity`, `NaN` in any case.
  ///
  /// - Returns: the number, or nil and Go's message (`strconv.ParseFloat: parsing "x": invalid syntax`).
  package static func parse(_ text: String) -> (value: Double?, problem: String?) {
    guard isWellFormed(text), let value = Double(text.filter { $0 != "_" }) else {
      return (nil, "strconv.ParseFloat: parsing \"\(text)\": invalid syntax")
    }
    if value.isInfinite && text.utf8.contains(where: { (48...57).contains($0) }) {
      return (nil, "strconv.ParseFloat: parsing \"\(text)\": value out of range")
    }
    return (value, nil)
  }

  private static func special(_ value: Double) -> String { value.isNaN ? "NaN" : value < 0 ? "-Inf" : "+Inf" }

  /// Sign, digits without leading or trailing zeros (`0` for zero), and where the decimal point stands among them.
  private static func shortestDigits(_ value: Double) -> (sign: String, digits: String, point: Int)? {
    guard value.isFinite else { return nil }
    var text = Substring(value.magnitude.description)
    var exponent = 0
    if let mark = text.firstIndex(of: "e") {
      exponent = Int(text[text.index(after: mark)...]) ?? 0
      text = text[..<mark]
    }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    var digits = parts[0] + (parts.count > 1 ? parts[1] : "")
    var point = parts[0].count + exponent
    while digits.count > 1, digits.last == "0" { digits.removeLast() }
    while digits.count > 1, digits.first == "0" {
      digits.removeFirst()
      point -= 1
    }
    return (value.sign == .minus ? "-" : "", String(digits), point)
  }

  private static func plain(_ digits: String, _ point: Int) -> String {
    if digits == "0" { return "0" }
    if point <= 0 { return "0." + String(repeating: "0", count: -point) + digits }
    if point >= digits.count { return digits + String(repeating: "0", count: point - digits.count) }
    return digits.prefix(point) + "." + digits.dropFirst(point)
  }

  /// Go's grammar, which Swift's is wider than (hexadecimal needs an exponent; separators only with a prefix).
  /// Whether every `_` stands between digits, the `0x` of a hexadecimal number counting as one.
  private static func separatesDigits(_ text: String, isHex: Bool) -> Bool {
    let bytes = Array(text.utf8)
    func isDigit(_ index: Int) -> Bool {
      guard bytes.indices.contains(index) else { return false }
      switch bytes[index] | 0x20 {
      case 48...57: return true
      case 97...102, UInt8(ascii: "x"): return isHex
      default: return false
      }
    }
    return bytes.indices.allSatisfy { bytes[$0] != 95 || (isDigit($0 - 1) && isDigit($0 + 1)) }
  }

  private static func isWellFormed(_ text: String) -> Bool {
    var rest = Substring(text.lowercased())
    if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
    if rest == "inf" || rest == "infinity" { return true }
    if rest == "nan" { return text.utf8.count == 3 }
    let isHex = rest.hasPrefix("0x")
    if isHex { rest.removeFirst(2) }
    func isDigit(_ character: Character) -> Bool {
      guard let byte = character.asciiValue else { return false }
      return (48...57).contains(byte) || byte == 95 || (isHex && (97...102).contains(byte))
    }
    let whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(whole.count)
    var fraction: Substring = ""
    if rest.first == "." {
      rest.removeFirst()
      fraction = rest.prefix(while: isDigit)
      rest = rest.dropFirst(fraction.count)
    }
    guard (whole + fraction).contains(where: { $0 != "_" }), separatesDigits(text, isHex: isHex) else { return false }
    guard let mark = rest.first else { return !isHex }
    guard mark == (isHex ? "p" : "e") else { return false }
    rest.removeFirst()
    if rest.first == "+" || rest.first == "-" { rest.removeFirst() }
    return !rest.isEmpty && rest.allSatisfy { $0.asciiValue.map { (48...57).contains($0) || $0 == 95 } ?? false }
  }
}
