import LakeModel

/// A function that templates may call: the types it takes, and what it does.
struct TemplateFunction: Sendable {
  typealias Failure = LogQL.Template.Failure

  /// Types of parameters, as Go checks them.
  enum Kind: Sendable {
    case any, string, int, float, time

    var typeName: String {
      switch self {
      case .any: "interface {}"
      case .string: "string"
      case .int: "int"
      case .float: "float64"
      case .time: "time.Time"
      }
    }

    func checked(_ value: TemplateValue) throws(Failure) -> TemplateValue {
      switch (self, value) {
      case (.any, _), (.string, .string), (.int, .int), (.float, .float), (.time, .time): return value
      case (_, .null): throw Failure("invalid value; expected \(typeName)")
      default: throw Failure("wrong type for value; expected \(typeName); got \(value.typeName)")
      }
    }

    /// What is said of a constant of another kind.
    func refusal(of shown: String) -> String {
      switch self {
      case .any: "can't handle \(shown) for arg of type interface {}"
      case .string: "expected string; found \(shown)"
      case .int: "expected integer; found \(shown)"
      case .float: "expected float; found \(shown)"
      case .time: "can't handle \(shown) for arg of type time.Time"
      }
    }

    /// A constant takes the parameter's type; nil when its own will do.
    func constant(_ number: LogQL.Template.Number) throws(Failure) -> TemplateValue? {
      switch self {
      case .any: return nil
      case .int:
        guard let value = number.int else { throw Failure(refusal(of: number.text)) }
        return .int(value)
      case .float:
        guard let value = number.float else { throw Failure(refusal(of: number.text)) }
        return .float(value)
      case .string, .time: throw Failure(refusal(of: number.text))
      }
    }
  }

  typealias Body = @Sendable ([TemplateValue], TemplateEnvironment) throws(Failure) -> TemplateValue

  let kinds: [Kind]
  /// Of any number of further arguments.
  let rest: Kind?
  let run: Body

  init(_ kinds: Kind..., rest: Kind? = nil, run: @escaping Body) {
    self.kinds = kinds
    self.rest = rest
    self.run = run
  }

  func kind(_ index: Int) -> Kind { index < kinds.count ? kinds[index] : rest ?? .any }

  func problem(_ name: String, argumentCount: Int) -> String? {
    if rest != nil {
      return argumentCount < kinds.count
        ? "wrong number of args for \(name): want at least \(kinds.count) got \(argumentCount)" : nil
    }
    return argumentCount == kinds.count
      ? nil : "wrong number of args for \(name): want \(kinds.count) got \(argumentCount)"
  }

  static let all: [String: TemplateFunction] = [
    textFunctions, numberFunctions, timeFunctions, generalFunctions, comparisons,
  ].reduce(into: [:]) { all, more in all.merge(more) { _, new in new } }

  /// A text, which must not grow without bound.
  static func bounded(_ count: Int) throws(Failure) {
    if count > LogQL.Template.outputBytesMax { throw Failure("the text would have \(count) bytes") }
  }
}

extension [TemplateValue] {
  /// The argument as its checked kind. - Precondition: the kind is the one declared.
  func string(_ index: Int) -> String {
    guard case .string(let value) = self[index] else { preconditionFailure("the argument is no string") }
    return value
  }

  func int(_ index: Int) -> Int {
    guard case .int(let value) = self[index] else { preconditionFailure("the argument is no int") }
    return Int(value)
  }

  func time(_ index: Int) -> GoTime {
    guard case .time(let value) = self[index] else { preconditionFailure("the argument is no time") }
    return value
  }
}
