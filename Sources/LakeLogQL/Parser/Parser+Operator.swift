import LakeModel

extension Parser {
  /// `bool`, `on (...)`, `ignoring (...)`, `group_left (...)`, `group_right (...)` after an operator.
  mutating func modifier() throws(LogQL.SyntaxError) -> (returnsBool: Bool, matching: LogQL.Matching) {
    let returnsBool = try takeIf(.bool)
    var matching = LogQL.Matching()
    guard token.kind == .on || token.kind == .ignoring else { return (returnsBool, matching) }
    matching.isOn = try take().kind == .on
    try expect(.openParenthesis)
    matching.labels = try labels()
    guard token.kind == .groupLeft || token.kind == .groupRight else { return (returnsBool, matching) }
    matching.cardinality = try take().kind == .groupLeft ? .manyToOne : .oneToMany
    // A parenthesis here always belongs to the modifier, never to the right side.
    if try takeIf(.openParenthesis) { matching.include = try labels() }
    return (returnsBool, matching)
  }

  /// Names up to and with the closing parenthesis.
  mutating func labels() throws(LogQL.SyntaxError) -> [String] {
    if try takeIf(.closeParenthesis) { return [] }
    guard token.kind == .identifier else { throw unexpected([.identifier, .closeParenthesis]) }
    var labels = [try take().text]
    while token.kind == .comma {
      try take()
      labels.append(try expect(.identifier).text)
    }
    try expect(.closeParenthesis, or: .comma)
    return labels
  }

  /// The node of an operator, or its value when both sides are numbers.
  func combine(
    _ operation: LogQL.BinaryOperation.Operation, _ left: Checked<Operand>, _ right: Checked<Operand>,
    _ returnsBool: Bool, _ matching: LogQL.Matching, _ position: LogQL.Position
  ) -> Checked<Operand> {
    let name = operation.rawValue
    func failed(_ problem: LogQL.SyntaxError) -> Checked<Operand> {
      // Any node that is no number.
      Checked(node: .metric(.vector(0)), problem: problem)
    }
    func failed(_ message: String) -> Checked<Operand> { failed(LogQL.SyntaxError(message)) }
    guard case .metric(let leftNode) = left.node else {
      return failed("unexpected type for left leg of binary operation (\(name)): \(left.node.typeName)")
    }
    guard case .metric(let rightNode) = right.node else {
      return failed("unexpected type for right leg of binary operation (\(name)): \(right.node.typeName)")
    }
    for (node, problem) in [(leftNode, left.problem), (rightNode, right.problem)] {
      if case .literal = node, let problem { return failed(problem) }
    }
    for (side, node) in [("left", leftNode), ("right", rightNode)] {
      guard operation.isSet, case .literal(let value) = node else { continue }
      let text = FloatText.decimals(value, places: 6)
      return failed("unexpected literal for \(side) leg of logical/set binary operation (\(name)): \(text)")
    }
    if let problem = left.problem ?? right.problem { return failed(problem) }
    if case .literal(let a) = leftNode, case .literal(let b) = rightNode {
      return Checked(node: .metric(.literal(operation.evaluate(a, b))))
    }
    let node = LogQL.BinaryOperation(
      operation, leftNode, rightNode, returnsBool: returnsBool, matching: matching, position: position)
    return Checked(node: .metric(.binary(node)), height: max(left.height, right.height) + 1)
  }
}

extension LogQL.BinaryOperation.Operation {
  /// The operator that a token is, and how closely it binds.
  static func binding(_ kind: TokenKind) -> (operation: Self, level: Int)? {
    let operation: Self? =
      switch kind {
      case .or: .or
      case .and: .and
      case .unless: .unless
      case .compareEqual: .equal
      case .notEqual: .notEqual
      case .less: .less
      case .lessOrEqual: .lessOrEqual
      case .greater: .greater
      case .greaterOrEqual: .greaterOrEqual
      case .add: .add
      case .subtract: .subtract
      case .multiply: .multiply
      case .divide: .divide
      case .modulo: .modulo
      case .power: .power
      default: nil
      }
    return operation.map { ($0, $0.level) }
  }

  /// How closely the operator binds: the higher, the closer.
  var level: Int {
    switch self {
    case .or: 1
    case .and, .unless: 2
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: 3
    case .add, .subtract: 4
    case .multiply, .divide, .modulo: 5
    case .power: 6
    }
  }

  /// The operator on two numbers: comparisons give 0 or 1, dividing by zero gives NaN.
  ///
  /// - Precondition: not a set operator.
  package func evaluate(_ a: Double, _ b: Double) -> Double {
    switch self {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: b == 0 ? .nan : a / b
    case .modulo: b == 0 ? .nan : a.truncatingRemainder(dividingBy: b)
    case .power: FloatText.power(a, b)
    case .equal: a == b ? 1 : 0
    case .notEqual: a != b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .greaterOrEqual: a >= b ? 1 : 0
    case .less: a < b ? 1 : 0
    case .lessOrEqual: a <= b ? 1 : 0
    case .or, .and, .unless: preconditionFailure("a set operator has no value")
    }
  }
}
