import LakeModel

/// Numbers, durations and sizes as Go reads them, with Go's messages: label values and their errors are seen by clients.
enum GoNumber {
  /// Why a text could not be read.
  struct Failure: Error, Equatable {
    let message: String
  }

  // MARK: - Floats

  /// `strconv.ParseFloat(text, 64)`.
  static func float(_ text: UnsafeRawBufferPointer) throws(Failure) -> Double {
    if let value = simpleFloat(text) { return value }
    guard let value = slowFloat(text) else { throw floatFailure(text, "invalid syntax") }
    if value.isInfinite && !isSpecial(text) { throw floatFailure(text, "value out of range") }
    return value
  }

  /// Plain decimals whose digits and power of ten are exact in a double: nearly all.
  @inline(__always)
  static func simpleFloat(_ text: UnsafeRawBufferPointer) -> Double? {
    guard text.count > 0, text.count <= 18 else { return nil }
    var at = 0
    let isNegative = text[0] == UInt8(ascii: "-")
    if isNegative { at = 1 }
    var mantissa: UInt64 = 0
    var fraction = 0
    var hasDot = false
    let start = at
    while at < text.count {
      let byte = text[at]
      if ASCII.isDigit(byte) {
        mantissa = mantissa &* 10 &+ UInt64(byte &- 48)
        if hasDot { fraction &+= 1 }
      } else if byte == UInt8(ascii: ".") && !hasDot {
        hasDot = true
      } else {
        return nil
      }
      at &+= 1
    }
    guard at - start > (hasDot ? 1 : 0), mantissa < 1 << 53, fraction <= 22 else { return nil }
    let value = Double(mantissa) / powersOfTen[fraction]
    return isNegative ? -value : value
  }

  private static let powersOfTen: [Double] = (0...22).map { exponent in
    (0..<exponent).reduce(1.0) { value, _ in value * 10 }
  }

  private static func slowFloat(_ text: UnsafeRawBufferPointer) -> Double? {
    guard text.count > 0, text.count < 1000 else { return nil }
    if isSpecial(text) { return special(text) }
    // Swift reads the same decimal and hexadecimal forms, except for names, underscores and a missing binary exponent.
    var clean: [UInt8] = []
    let isHex = hasHexPrefix(text)
    var previous: UInt8 = 0
    for (index, byte) in text.enumerated() {
      if byte == UInt8(ascii: "_") {
        let next = index + 1 < text.count ? text[index + 1] : 0
        let isBetween =
          isHex
          ? (IPAddress.hexDigit(previous) != nil || previous | 0x20 == UInt8(ascii: "x"))
            && IPAddress.hexDigit(next) != nil : ASCII.isDigit(previous) && ASCII.isDigit(next)
        guard isBetween else { return nil }
      } else {
        guard ASCII.isDigit(byte) || ASCII.isLetter(byte) || byte == 43 || byte == 45 || byte == 46 else { return nil }
        clean.append(byte)
      }
      previous = byte
    }
    if isHex && !clean.contains(where: { $0 | 0x20 == UInt8(ascii: "p") }) { return nil }
    if !isHex && clean.contains(where: { ASCII.isLetter($0) && $0 | 0x20 != UInt8(ascii: "e") }) { return nil }
    // Go takes ".5" and "5."; Swift does not take all of them.
    var padded = String(decoding: clean, as: UTF8.self)
    if !isHex {
      if let dot = padded.firstIndex(of: ".") {
        let before = dot > padded.startIndex && padded[padded.index(before: dot)].isNumber
        let next = padded.index(after: dot)
        let after = next < padded.endIndex && padded[next].isNumber
        guard before || after else { return nil }
        if !after { padded.insert("0", at: next) }
        if !before { padded.insert("0", at: dot) }
      }
    }
    return Double(padded)
  }

  private static func hasHexPrefix(_ text: UnsafeRawBufferPointer) -> Bool {
    let start = text[0] == 43 || text[0] == 45 ? 1 : 0
    return text.count > start + 2 && text[start] == 48 && text[start + 1] | 0x20 == UInt8(ascii: "x")
  }

  private static func isSpecial(_ text: UnsafeRawBufferPointer) -> Bool { special(text) != nil }

  private static func special(_ text: UnsafeRawBufferPointer) -> Double? {
    let isSigned = text.count > 0 && (text[0] == 43 || text[0] == 45)
    let name = String(decoding: text.dropFirst(isSigned ? 1 : 0).map(ASCII.lowered), as: UTF8.self)
    switch name {
    case "inf", "infinity": return isSigned && text[0] == 45 ? -.infinity : .infinity
    case "nan" where !isSigned: return .nan
    default: return nil
    }
  }

  private static func floatFailure(_ text: UnsafeRawBufferPointer, _ why: String) -> Failure {
    Failure(message: "strconv.ParseFloat: parsing \(quoted(text)): \(why)")
  }

  // MARK: - Durations

  /// `time.ParseDuration(text)`: nanoseconds.
  static func duration(_ text: UnsafeRawBufferPointer) throws(Failure) -> Int64 {
    func invalid() -> Failure { Failure(message: "time: invalid duration \(quotedPlain(text))") }
    var at = 0
    var isNegative = false
    if text.count > 0, text[0] == 45 || text[0] == 43 {
      isNegative = text[0] == 45
      at = 1
    }
    if text.count - at == 1 && text[at] == 48 { return 0 }
    guard at < text.count else { throw invalid() }
    var total: UInt64 = 0
    while at < text.count {
      guard text[at] == 46 || ASCII.isDigit(text[at]) else { throw invalid() }
      // Whole and fraction.
      var whole: UInt64 = 0
      let wholeStart = at
      while at < text.count, ASCII.isDigit(text[at]) {
        let (product, overflow) = whole.multipliedReportingOverflow(by: 10)
        let (sum, carried) = product.addingReportingOverflow(UInt64(text[at] - 48))
        guard !overflow, !carried, sum <= 1 << 63 else { throw invalid() }
        whole = sum
        at += 1
      }
      var hasDigits = at > wholeStart
      var fraction: UInt64 = 0
      var scale = 1.0
      if at < text.count, text[at] == 46 {
        at += 1
        var isFull = false
        while at < text.count, ASCII.isDigit(text[at]) {
          hasDigits = true
          if !isFull {
            let (product, overflow) = fraction.multipliedReportingOverflow(by: 10)
            if overflow || product > (1 << 63) - 10 {
              isFull = true
            } else {
              fraction = product + UInt64(text[at] - 48)
              scale *= 10
            }
          }
          at += 1
        }
      }
      guard hasDigits else { throw invalid() }
      let unitStart = at
      while at < text.count, text[at] != 46, !ASCII.isDigit(text[at]) { at += 1 }
      let unitText = UnsafeRawBufferPointer(rebasing: text[unitStart..<at])
      guard !unitText.isEmpty else {
        throw Failure(message: "time: missing unit in duration \(quotedPlain(text))")
      }
      guard let unit = durationUnits[String(decoding: unitText, as: UTF8.self)] else {
        throw Failure(message: "time: unknown unit \(quotedPlain(unitText)) in duration \(quotedPlain(text))")
      }
      let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
      guard !overflow, product <= 1 << 63 else { throw invalid() }
      var part = product
      if fraction > 0 {
        part += UInt64(Double(fraction) * (Double(unit) / scale))
        guard part <= 1 << 63 else { throw invalid() }
      }
      let (sum, carried) = total.addingReportingOverflow(part)
      guard !carried, sum <= 1 << 63 else { throw invalid() }
      total = sum
    }
    if isNegative { return total == 1 << 63 ? .min : -Int64(total) }
    guard total < 1 << 63 else { throw invalid() }
    return Int64(total)
  }

  private static let durationUnits: [String: UInt64] = [
    "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
    "h": 3_600_000_000_000,
  ]

  // MARK: - Sizes

  /// `humanize.ParseBytes(text)`.
  static func bytes(_ text: UnsafeRawBufferPointer) throws(Failure) -> UInt64 {
    var end = 0
    var hasComma = false
    while end < text.count, ASCII.isDigit(text[end]) || text[end] == 46 || text[end] == 44 {
      if text[end] == 44 { hasComma = true }
      end += 1
    }
    let digits = text[..<end].filter { !hasComma || $0 != 44 }
    let number = try Bytes(Array(digits)).withUnsafeBytes { bytes throws(Failure) in try float(bytes) }
    let name = trimmedLower(text[end...])
    guard let unit = sizeUnits[name] else { throw Failure(message: "unhandled size name: \(name)") }
    let value = number * unit
    guard value < 18_446_744_073_709_551_615.0 else {
      throw Failure(message: "too large: \(String(decoding: text, as: UTF8.self))")
    }
    return UInt64(value)
  }

  private static func trimmedLower(_ text: Slice<UnsafeRawBufferPointer>) -> String {
    func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    var rest = text
    while let first = rest.first, isSpace(first) { rest = rest.dropFirst() }
    while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
    return String(decoding: rest.map(ASCII.lowered), as: UTF8.self)
  }

  private static let sizeUnits: [String: Double] = {
    var units: [String: Double] = ["": 1, "b": 1]
    var decimal = 1.0
    var binary = 1.0
    for letter in ["k", "m", "g", "t", "p", "e"] {
      decimal *= 1000
      binary *= 1024
      for name in [letter, letter + "b"] { units[name] = decimal }
      for name in [letter + "i", letter + "ib"] { units[name] = binary }
    }
    return units
  }()

  // MARK: - Quoting

  /// Text as Go's package `time` quotes it: bytes that are no printable ASCII by their number.
  private static func quotedPlain(_ text: UnsafeRawBufferPointer) -> String {
    var out = "\""
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += "\\" + String(UnicodeScalar(byte))
      case 32..<128: out.unicodeScalars.append(UnicodeScalar(byte))
      default: out += "\\x" + Hex.text([byte])
      }
    }
    return out + "\""
  }

  /// Text as Go's `%q` and `strconv.Quote` print it.
  static func quoted(_ text: UnsafeRawBufferPointer) -> String {
    var out = "\""
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      case "\r": out += "\\r"
      case _ where scalar.value < 32 || scalar.value == 127:
        out += "\\x" + Hex.text([UInt8(scalar.value)])
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
