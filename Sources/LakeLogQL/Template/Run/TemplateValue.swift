import LakeModel

/// A value while a template runs, with the types that Go tells apart.
indirect enum TemplateValue {
  case null
  case bool(Bool)
  /// Go's `int`: constants, lengths.
  case int(Int64)
  /// Go's `int64`: results of `add` and its kin.
  case int64(Int64)
  case byte(UInt8)
  case float(Double)
  case string(String)
  case list([TemplateValue])
  case map([String: TemplateValue])
  /// `.` at the top: all labels of the entry.
  case labels
  case time(GoTime)

  /// What `if` makes of it. - Parameter labelCount: of the entry.
  func isTrue(labelCount: () -> Int) -> Bool {
    switch self {
    case .null: false
    case .bool(let value): value
    case .int(let value), .int64(let value): value != 0
    case .byte(let value): value != 0
    case .float(let value): value != 0
    case .string(let value): !value.isEmpty
    case .list(let values): !values.isEmpty
    case .map(let values): !values.isEmpty
    case .labels: labelCount() > 0
    case .time: true
    }
  }

  var typeName: String {
    switch self {
    case .null: "<nil>"
    case .bool: "bool"
    case .int: "int"
    case .int64: "int64"
    case .byte: "uint8"
    case .float: "float64"
    case .string: "string"
    case .list: "[]interface {}"
    case .map: "map[string]interface {}"
    case .labels: "map[string]string"
    case .time: "time.Time"
    }
  }

  var integer: Int64? {
    switch self {
    case .int(let value), .int64(let value): value
    case .byte(let value): Int64(value)
    default: nil
    }
  }

  var isString: Bool {
    if case .string = self { return true }
    return false
  }

  /// As Go's `%v` prints it inside of other values.
  var text: String {
    switch self {
    case .null: "<nil>"
    case .bool(let value): value ? "true" : "false"
    case .int(let value), .int64(let value): String(value)
    case .byte(let value): String(value)
    case .float(let value): FloatText.general(value)
    case .string(let value): value
    case .list(let values): "[" + values.map(\.text).joined(separator: " ") + "]"
    case .map(let values):
      "map["
        + values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { "\($0.key):\($0.value.text)" }
        .joined(separator: " ") + "]"
    case .labels: "map[]"
    case .time(let time): time.description
    }
  }
}

/// The numbers that sprig's functions make of any value: what cannot be read is 0.
extension TemplateValue {
  var castInteger: Int64 {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .int(let value), .int64(let value): value
    case .byte(let value): Int64(value)
    case .float(let value): Int64(exactly: value.rounded(.towardZero)) ?? Int64.min
    case .string(let text): GoInteger.parse(TemplateValue.withoutDecimals(text)).int ?? 0
    case .null, .list, .map, .labels, .time: 0
    }
  }

  var castFloat: Double {
    switch self {
    case .bool(let value): value ? 1 : 0
    case .float(let value): value
    case .string(let text): FloatText.parse(text).value ?? 0
    default: integer.map(Double.init) ?? 0
    }
  }

  /// `3.14` -> `3`; anything that is no plain decimal number stays as it is.
  private static func withoutDecimals(_ text: String) -> String {
    guard let dot = text.firstIndex(of: ".") else { return text }
    let whole = text[..<dot]
    let digits = whole.hasPrefix("-") || whole.hasPrefix("+") ? whole.dropFirst() : whole
    let isPlain = (digits + text[text.index(after: dot)...]).utf8.allSatisfy { (48...57).contains($0) }
    if !isPlain { return text }
    return digits.isEmpty ? "0" : String(whole)
  }
}
