import LakeModel

/// Go's `fmt.Sprint` and `fmt.Sprintf`.
enum GoFormat {
  typealias Failure = LogQL.Template.Failure

  /// Operands in a row, with a blank between two that are no strings.
  static func print(_ values: [TemplateValue]) -> String {
    var out = ""
    for (index, value) in values.enumerated() {
      if index > 0 && !value.isString && !values[index - 1].isString { out += " " }
      out += value.text
    }
    return out
  }

  private struct Verb {
    var minus = false
    var plus = false
    var sharp = false
    var space = false
    var zero = false
    var width: Int?
    var precision: Int?
  }

  static func format(_ format: String, _ values: [TemplateValue]) throws(Failure) -> String {
    var out = ""
    var rest = format.unicodeScalars[...]
    var used = 0
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        out.unicodeScalars.append(scalar)
        continue
      }
      var verb = Verb()
      flags(&rest, &verb)
      verb.width = try number(&rest, values, &used) { verb.minus = true }
      if rest.first == "." {
        rest.removeFirst()
        verb.precision = try number(&rest, values, &used) {} ?? 0
      }
      guard let letter = rest.popFirst() else {
        out += "%!(NOVERB)"
        break
      }
      if letter == "%" {
        out += "%"
      } else if used >= values.count {
        out += "%!\(letter)(MISSING)"
      } else {
        if let text = piece(letter, values[used], verb) {
          out += padded(text, verb, letter)
        } else {
          out += unfit(letter, values[used], verb)
        }
        used += 1
      }
      try TemplateFunction.bounded(out.utf8.count)
    }
    if used < values.count {
      let extra = values[used...].map { "\($0.typeName)=\($0.text)" }.joined(separator: ", ")
      out += "%!(EXTRA \(extra))"
    }
    return out
  }

  private static func flags(_ rest: inout Substring.UnicodeScalarView, _ verb: inout Verb) {
    while let scalar = rest.first {
      switch scalar {
      case "-": verb.minus = true
      case "+": verb.plus = true
      case "#": verb.sharp = true
      case " ": verb.space = true
      case "0": verb.zero = true
      default: return
      }
      rest.removeFirst()
    }
  }

  /// A width or precision, given as digits or as `*`.
  private static func number(
    _ rest: inout Substring.UnicodeScalarView, _ values: [TemplateValue], _ used: inout Int, negative: () -> Void
  ) throws(Failure) -> Int? {
    if rest.first == "*" {
      rest.removeFirst()
      guard used < values.count, let value = values[used].integer else { return nil }
      used += 1
      if value < 0 { negative() }
      try TemplateFunction.bounded(Int(clamping: value.magnitude))
      return Int(value.magnitude)
    }
    var value: Int?
    while let scalar = rest.first, ("0"..."9").contains(scalar) {
      rest.removeFirst()
      value = (value ?? 0) * 10 + Int(scalar.value - 48)
      try TemplateFunction.bounded(value!)
    }
    return value
  }

  private static func padded(_ text: String, _ verb: Verb, _ letter: Unicode.Scalar) -> String {
    let missing = (verb.width ?? 0) - text.unicodeScalars.count
    if missing <= 0 { return text }
    if verb.minus { return text + String(repeating: " ", count: missing) }
    guard verb.zero, "dbocxXfFeEgGs".unicodeScalars.contains(letter) || letter == "v" else {
      return String(repeating: " ", count: missing) + text
    }
    let sign = text.first.map { "+-".contains($0) } ?? false
    return (sign ? String(text.prefix(1)) : "") + String(repeating: "0", count: missing)
      + (sign ? String(text.dropFirst()) : text)
  }

  /// What stands for a value that the verb does not take: its type, and the value as `%v` prints it.
  private static func unfit(_ letter: Unicode.Scalar, _ value: TemplateValue, _ verb: Verb) -> String {
    if value.isNullValue { return "%!\(letter)(<nil>)" }
    return "%!\(letter)(\(value.typeName)=" + padded(piece("v", value, verb) ?? value.text, verb, "v") + ")"
  }

  /// nil when the verb does not take such a value.
  private static func piece(_ letter: Unicode.Scalar, _ value: TemplateValue, _ verb: Verb) -> String? {
    switch letter {
    case "v":
      if case .float(let float) = value { return signed(floating("g", float, verb), verb) }
      if let integer = value.integer { return number(integer, 10, "", verb) }
      return cut(verb.sharp && value.isString ? GoString.quote(value.text) : value.text, verb)
    case "T": return value.typeName
    case "t":
      if case .bool(let flag) = value { return flag ? "true" : "false" }
      return nil
    case "s":
      switch value {
      case .string, .time: return cut(value.text, verb)
      case .list, .map, .labels: return value.text
      default: return nil
      }
    case "q":
      if case .string(let text) = value { return GoString.quote(cut(text, verb)) }
      if let integer = value.integer, let scalar = Unicode.Scalar(UInt32(clamping: integer)) { return "'\(scalar)'" }
      return nil
    case "d", "b", "o", "O", "c", "U": return integral(letter, value, verb)
    case "x", "X": return hexadecimal(letter, value, verb)
    case "e", "E", "f", "F", "g", "G":
      guard case .float(let float) = value else { return nil }
      return signed(floating(letter, float, verb), verb)
    default: return nil
    }
  }

  private static func cut(_ text: String, _ verb: Verb) -> String {
    guard let precision = verb.precision else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.prefix(precision)))
  }

  private static func signed(_ text: String, _ verb: Verb) -> String {
    if text.hasPrefix("-") || text.hasPrefix("+") && !text.hasPrefix("+Inf") { return text }
    let bare = text.hasPrefix("+") ? String(text.dropFirst()) : text
    return verb.plus ? "+" + bare : verb.space ? " " + bare : text
  }

  private static func integral(_ letter: Unicode.Scalar, _ value: TemplateValue, _ verb: Verb) -> String? {
    guard let integer = value.integer else { return nil }
    switch letter {
    case "c": return Unicode.Scalar(UInt32(clamping: integer)).map { String($0) } ?? "\u{FFFD}"
    case "U":
      let hex = String(integer, radix: 16, uppercase: true)
      return "U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
    default:
      let radix = letter == "d" ? 10 : letter == "b" ? 2 : 8
      let prefix = letter == "O" ? "0o" : verb.sharp && letter == "o" ? "0" : verb.sharp && letter == "b" ? "0b" : ""
      return number(integer, radix, prefix, verb)
    }
  }

  private static func number(_ integer: Int64, _ radix: Int, _ prefix: String, _ verb: Verb, isUpper: Bool = false)
    -> String
  {
    var digits = String(integer.magnitude, radix: radix, uppercase: isUpper)
    if let precision = verb.precision, digits.count < precision {
      digits = String(repeating: "0", count: precision - digits.count) + digits
    }
    return signed((integer < 0 ? "-" : "") + prefix + digits, verb)
  }

  private static func hexadecimal(_ letter: Unicode.Scalar, _ value: TemplateValue, _ verb: Verb) -> String? {
    let isUpper = letter == "X"
    if case .string(let text) = value {
      let hex = Hex.text(text.utf8)
      return isUpper ? hex.uppercased() : hex
    }
    guard let integer = value.integer else { return nil }
    return number(integer, 16, verb.sharp ? (isUpper ? "0X" : "0x") : "", verb, isUpper: isUpper)
  }

  private static func floating(_ letter: Unicode.Scalar, _ value: Double, _ verb: Verb) -> String {
    if !value.isFinite { return FloatText.fixed(value) }
    switch letter {
    case "f", "F": return FloatText.decimals(value, places: verb.precision ?? 6)
    case "e", "E":
      let text = FloatText.exponential(value, places: verb.precision ?? 6)
      return letter == "E" ? text.uppercased() : text
    default:
      let text = verb.precision.map { FloatText.significant(value, digits: max($0, 1)) } ?? FloatText.general(value)
      return letter == "G" ? text.uppercased() : text
    }
  }
}

extension TemplateValue {
  fileprivate var isNullValue: Bool {
    if case .null = self { return true }
    return false
  }
}
