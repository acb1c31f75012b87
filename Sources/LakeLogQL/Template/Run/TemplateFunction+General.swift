import LakeModel

extension TemplateFunction {
  static let generalFunctions: [String: TemplateFunction] = [
    "default": TemplateFunction(.any, rest: .any) { arguments, _ in
      guard arguments.count > 1 else { return arguments[0] }
      if case .time = arguments[1] { return arguments[1] }
      return arguments[1].isTrue(labelCount: { 1 }) ? arguments[1] : arguments[0]
    },
    "fromJson": TemplateFunction(.string) { arguments, _ in TemplateJSON.value(of: arguments.string(0)) },
    "not": TemplateFunction(.any) { arguments, environment in
      .bool(!arguments[0].isTrue(labelCount: { environment.labels().count }))
    },
    "len": TemplateFunction(.any) { arguments, environment throws(Failure) in
      switch arguments[0] {
      case .string(let text): return .int(Int64(text.utf8.count))
      case .list(let values): return .int(Int64(values.count))
      case .map(let values): return .int(Int64(values.count))
      case .labels: return .int(Int64(environment.labels().count))
      case .null: throw Failure("len of nil pointer")
      default: throw Failure("len of type \(arguments[0].typeName)")
      }
    },
    "index": TemplateFunction(.any, rest: .any) { arguments, environment throws(Failure) in
      var value = arguments[0]
      for key in arguments.dropFirst() { value = try element(of: value, key, environment) }
      return value
    },
    "slice": TemplateFunction(.any, rest: .any) { arguments, _ throws(Failure) in
      try slice(arguments[0], arguments.dropFirst().map { $0 })
    },
    "print": TemplateFunction(rest: .any) { arguments, _ in .string(GoFormat.print(arguments)) },
    "println": TemplateFunction(rest: .any) { arguments, _ in
      .string(arguments.map(\.text).joined(separator: " ") + "\n")
    },
    "printf": TemplateFunction(.string, rest: .any) { arguments, _ throws(Failure) in
      .string(try GoFormat.format(arguments.string(0), Array(arguments.dropFirst())))
    },
    "html": TemplateFunction(rest: .any) { arguments, _ in .string(Escaping.html(Escaping.text(arguments))) },
    "js": TemplateFunction(rest: .any) { arguments, _ in .string(Escaping.script(Escaping.text(arguments))) },
    "urlquery": TemplateFunction(rest: .any) { arguments, _ in
      .string(GoStrings.queryEscaped(Escaping.text(arguments)))
    },
    "call": TemplateFunction(.any, rest: .any) { arguments, _ throws(Failure) in
      throw Failure("non-function of type \(arguments[0].typeName)")
    },
  ]

  private static func element(of value: TemplateValue, _ key: TemplateValue, _ environment: TemplateEnvironment)
    throws(Failure) -> TemplateValue
  {
    switch value {
    case .map, .labels:
      guard case .string(let name) = key else {
        throw Failure("value has type \(key.typeName); should be string")
      }
      if case .map(let values) = value { return values[name] ?? .null }
      return .string(environment.labels().first { $0.name == name }?.value ?? "")
    case .list(let values): return values[try offset(key, below: values.count, of: "slice")]
    case .string(let text):
      let bytes = Array(text.utf8)
      return .byte(bytes[try offset(key, below: bytes.count, of: "string")])
    case .null: throw Failure("index of untyped nil")
    default: throw Failure("can't index item of type \(value.typeName)")
    }
  }

  private static func offset(_ key: TemplateValue, below count: Int, of kind: String? = nil) throws(Failure) -> Int {
    guard let index = key.integer else { throw Failure("cannot index slice/array with type \(key.typeName)") }
    guard (0..<Int64(count)).contains(index) else {
      // Go lets the length itself pass, and its reflection refuses it.
      if let kind, index == count { throw Failure("reflect: \(kind) index out of range") }
      throw Failure("index out of range: \(index)")
    }
    return Int(index)
  }

  private static func slice(_ value: TemplateValue, _ bounds: [TemplateValue]) throws(Failure) -> TemplateValue {
    if bounds.count > 2 { throw Failure("too many slice indexes: \(bounds.count)") }
    let count: Int
    switch value {
    case .string(let text): count = text.utf8.count
    case .list(let values): count = values.count
    default: throw Failure("can't slice item of type \(value.typeName)")
    }
    let from = bounds.isEmpty ? 0 : try offset(bounds[0], below: count + 1)
    let to = bounds.count < 2 ? count : try offset(bounds[1], below: count + 1)
    if from > to { throw Failure("invalid slice index: \(from) > \(to)") }
    switch value {
    case .string(let text): return .string(String(decoding: Array(text.utf8)[from..<to], as: UTF8.self))
    case .list(let values): return .list(Array(values[from..<to]))
    default: return value
    }
  }
}

/// `eq`, `ne`, `lt`, `le`, `gt`, `ge`.
extension TemplateFunction {
  static let comparisons: [String: TemplateFunction] = [
    "eq": TemplateFunction(.any, rest: .any) { arguments, _ throws(Failure) in
      if arguments.count == 1 { throw Failure("missing argument for comparison") }
      for other in arguments.dropFirst() where try isEqual(arguments[0], other) { return .bool(true) }
      return .bool(false)
    },
    "ne": TemplateFunction(.any, .any) { arguments, _ throws(Failure) in
      .bool(!(try isEqual(arguments[0], arguments[1])))
    },
    "lt": ordered { less, _ in less }, "le": ordered { less, equal in less || equal },
    "gt": ordered { less, equal in !less && !equal }, "ge": ordered { less, _ in !less },
  ]

  private static func ordered(_ verdict: @escaping @Sendable (_ less: Bool, _ equal: Bool) -> Bool) -> TemplateFunction
  {
    TemplateFunction(.any, .any) { arguments, _ throws(Failure) in
      let (a, b) = (arguments[0], arguments[1])
      switch (a, b) {
      case (.string(let x), .string(let y)):
        return .bool(verdict(x.utf8.lexicographicallyPrecedes(y.utf8), Array(x.utf8) == Array(y.utf8)))
      case (.float(let x), .float(let y)): return .bool(verdict(x < y, x == y))
      default:
        if let x = a.integer, let y = b.integer { return .bool(verdict(x < y, x == y)) }
        throw Failure(a.isBasic && b.isBasic ? incompatible(a, b) : "invalid type for comparison")
      }
    }
  }

  private static func incompatible(_ a: TemplateValue, _ b: TemplateValue) -> String {
    "incompatible types for comparison: \(a.typeName) and \(b.typeName)"
  }

  private static func isEqual(_ a: TemplateValue, _ b: TemplateValue) throws(Failure) -> Bool {
    switch (a, b) {
    case (.string(let x), .string(let y)): return Array(x.utf8) == Array(y.utf8)
    case (.float(let x), .float(let y)): return x == y
    case (.bool(let x), .bool(let y)): return x == y
    case (.null, .null): return true
    case (.null, _), (_, .null): return false
    case (.time(let x), .time(let y)): return x == y
    default:
      if let x = a.integer, let y = b.integer { return x == y }
      throw Failure(
        a.isBasic && b.isBasic ? incompatible(a, b) : "non-comparable type \(a.text): \(a.typeName)")
    }
  }
}

extension TemplateValue {
  fileprivate var isBasic: Bool {
    switch self {
    case .bool, .int, .int64, .byte, .float, .string: true
    default: false
    }
  }
}

enum Escaping {
  /// What the escapers print: a lone nothing as the template itself would.
  static func text(_ arguments: [TemplateValue]) -> String {
    if arguments.count == 1, case .null = arguments[0] { return "<no value>" }
    return GoFormat.print(arguments)
  }

  static func html(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "&#34;"
      case "'": out += "&#39;"
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\0": out += "\u{FFFD}"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  static func script(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": out += "\\\\"
      case "'": out += "\\'"
      case "\"": out += "\\\""
      case "<", ">", "&", "=":
        out += "\\u00" + Hex.text([UInt8(scalar.value)]).uppercased()
      default:
        if scalar.isASCII && scalar.value < 0x20 {
          out += "\\u00" + Hex.text([UInt8(scalar.value)]).uppercased()
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    return out
  }
}
