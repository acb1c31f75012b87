import LakeModel

/// Go's character classes, which decide what a name, a blank and a digit are.
enum GoText {
  static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
    default: return false
    }
  }

  static func isNameStart(_ scalar: Unicode.Scalar) -> Bool { scalar == "_" || isLetter(scalar) }

  static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return isNameStart(scalar) || ("0"..."9").contains(scalar) }
    return isLetter(scalar) || scalar.properties.generalCategory == .decimalNumber
  }

  static func isNumber(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return ("0"..."9").contains(scalar) }
    switch scalar.properties.generalCategory {
    case .decimalNumber, .letterNumber, .otherNumber: return true
    default: return false
    }
  }

  static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\t", "\n", "\u{0B}", "\u{0C}", "\r", " ": true
    default: !scalar.isASCII && scalar.properties.isWhitespace
    }
  }
}

/// Go's string literals.
package enum GoString {
  static func digit(_ scalar: Unicode.Scalar) -> Int? {
    guard scalar.isASCII else { return nil }
    return Hex.value(of: UInt8(scalar.value)).map(Int.init)
  }

  /// The text that a literal in `"` or backticks stands for; bytes that make no UTF-8 become U+FFFD.
  /// - Returns: nil when it is malformed.
  static func unquote(_ literal: ArraySlice<Unicode.Scalar>) -> String? {
    guard literal.count >= 2, let quote = literal.first, literal.last == quote else { return nil }
    let inner = literal.dropFirst().dropLast()
    if quote == "`" { return String(String.UnicodeScalarView(inner)) }
    var out: [UInt8] = []
    var rest = inner[...]
    while let scalar = rest.popFirst() {
      if scalar == "\n" || scalar == quote { return nil }
      guard scalar == "\\" else {
        out.append(contentsOf: scalar.utf8)
        continue
      }
      guard let kind = rest.popFirst(), appendEscape(kind, &rest, quote, to: &out) else { return nil }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func appendEscape(
    _ kind: Unicode.Scalar, _ rest: inout ArraySlice<Unicode.Scalar>, _ quote: Unicode.Scalar, to out: inout [UInt8]
  ) -> Bool {
    func number(_ count: Int, _ base: Int, from start: Int) -> Int? {
      var value = start
      for _ in 0..<count {
        guard let scalar = rest.popFirst(), let digit = digit(scalar), digit < base else { return nil }
        value = value * base + digit
      }
      return value
    }
    switch kind {
    case "a": out.append(7)
    case "b": out.append(8)
    case "f": out.append(12)
    case "n": out.append(10)
    case "r": out.append(13)
    case "t": out.append(9)
    case "v": out.append(11)
    case "\\", quote: out.append(UInt8(kind.value))
    case "x":
      guard let value = number(2, 16, from: 0) else { return false }
      out.append(UInt8(value))
    case "u", "U":
      guard let value = number(kind == "u" ? 4 : 8, 16, from: 0), value <= 0x10FFFF else { return false }
      out.append(contentsOf: (Unicode.Scalar(UInt32(value)) ?? "\u{FFFD}").utf8)
    case "0"..."7":
      guard let value = number(2, 8, from: digit(kind)!), value <= 255 else { return false }
      out.append(UInt8(value))
    default: return false
    }
    return true
  }

  /// The text as a literal in double quotes, as Go's `strconv.Quote` writes it.
  package static func quote(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\u{07}": out += "\\a"
      case "\u{08}": out += "\\b"
      case "\u{0C}": out += "\\f"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0B}": out += "\\v"
      default:
        if isPrintable(scalar) { out.unicodeScalars.append(scalar) } else { out += escaped(scalar) }
      }
    }
    return out + "\""
  }

  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    func hex(_ width: Int) -> String {
      let digits = String(scalar.value, radix: 16)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    if scalar.value < 0x20 || scalar.value == 0x7F { return "\\x" + hex(2) }
    return scalar.value < 0x10000 ? "\\u" + hex(4) : "\\U" + hex(8)
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value >= 0x20 && scalar.value < 0x7F }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator,
      .spaceSeparator:
      return false
    default: return true
    }
  }
}
