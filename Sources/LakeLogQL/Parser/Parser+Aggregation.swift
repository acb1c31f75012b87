import LakeModel

extension Parser {
  mutating func rangeAggregation(_ operation: LogQL.RangeAggregation.Operation) throws(LogQL.SyntaxError)
    -> Checked<Operand>
  {
    let position = try take().position
    try expect(.openParenthesis)
    var parameter: String?
    switch token.kind {
    case .number:
      parameter = try take().text
      try expect(.comma)
    case .openBrace, .openParenthesis: break
    default: throw unexpected([.number, .openBrace, .openParenthesis])
    }
    let range = try nested { parser throws(LogQL.SyntaxError) in try parser.logRange() }
    try expect(.closeParenthesis)
    let grouping = try self.grouping()
    let node = LogQL.RangeAggregation(
      operation, parameter: parameter.flatMap { FloatText.parse($0).value }, range, grouping: grouping,
      position: position)
    return Checked(node: .metric(.range(node)), problem: problem(node, parameter) ?? range.logs.selector.problem)
  }

  private func problem(_ node: LogQL.RangeAggregation, _ parameter: String?) -> LogQL.SyntaxError? {
    let name = node.operation.rawValue
    if let parameter {
      if node.operation != .quantile {
        return LogQL.SyntaxError("parameter \(parameter) not supported for operation \(name)")
      }
      if let problem = FloatText.parse(parameter).problem {
        return LogQL.SyntaxError("invalid parameter for operation \(name): \(problem)")
      }
    } else if node.operation == .quantile {
      return LogQL.SyntaxError("parameter required for operation \(name)")
    }
    if node.grouping != nil && !node.operation.allowsGrouping {
      return LogQL.SyntaxError("grouping not allowed for \(name) aggregation")
    }
    if node.range.unwrap != nil && !node.operation.allowsUnwrap {
      return LogQL.SyntaxError("invalid aggregation \(name) with unwrap")
    }
    if node.range.unwrap == nil && !node.operation.allowsLines {
      return LogQL.SyntaxError("invalid aggregation \(name) without unwrap")
    }
    return nil
  }

  mutating func vectorAggregation(_ operation: LogQL.VectorAggregation.Operation) throws(LogQL.SyntaxError)
    -> Checked<Operand>
  {
    let position = try take().position
    var grouping = try self.grouping(or: [.openParenthesis])
    let isGroupedBefore = grouping != nil
    try expect(.openParenthesis)
    let (parameter, operand) = try aggregationArguments()
    guard token.kind == .closeParenthesis else { throw unexpected() }
    try take()
    if !isGroupedBefore { grouping = try self.grouping() }
    let problem = problem(operation, parameter, grouping)
    let node = LogQL.VectorAggregation(
      operation, parameter: parameter.flatMap { Int($0) } ?? 0, operand.node, grouping: grouping, position: position)
    return Checked(
      node: .metric(.aggregation(node)), problem: problem ?? operand.problem, height: operand.height + 1)
  }

  /// `metric` or `5, metric`. A number may also begin the metric, as in `sum(1 + rate(...))`.
  private mutating func aggregationArguments() throws(LogQL.SyntaxError)
    -> (parameter: String?, operand: Checked<LogQL.MetricExpression>)
  {
    guard token.kind == .number else { return (nil, try metric()) }
    let text = token.text
    let literal = try self.literal()
    if try takeIf(.comma) { return (text, try metric()) }
    return (nil, try metric(from: Checked(node: .metric(.literal(literal.node)), problem: literal.problem)))
  }

  private func problem(
    _ operation: LogQL.VectorAggregation.Operation, _ parameter: String?, _ grouping: LogQL.Grouping?
  ) -> LogQL.SyntaxError? {
    let name = operation.rawValue
    switch operation {
    case .topK, .bottomK, .approximateTopK:
      guard let parameter else { return LogQL.SyntaxError("parameter required for operation \(name)") }
      guard let count = Int(parameter) else {
        return LogQL.SyntaxError("invalid parameter \(name)(\(parameter),")
      }
      if count <= 0 {
        return LogQL.SyntaxError("invalid parameter (must be greater than 0) \(name)(\(parameter)")
      }
      if operation == .approximateTopK && grouping != nil {
        return LogQL.SyntaxError("grouping not allowed for \(name) aggregation")
      }
    default:
      if let parameter { return LogQL.SyntaxError("unsupported parameter for operation \(name)(\(parameter),") }
    }
    if operation == .sort || operation == .sortDescending, !(grouping?.labels ?? []).isEmpty {
      return LogQL.SyntaxError("sort and sort_desc doesn't allow grouping by ")
    }
    return nil
  }

  /// `by (...)` or `without (...)`, if it is there.
  ///
  /// - Parameter others: what must stand here otherwise.
  private mutating func grouping(or others: [TokenKind] = []) throws(LogQL.SyntaxError) -> LogQL.Grouping? {
    guard token.kind == .by || token.kind == .without else {
      if let other = others.first, token.kind != other { throw unexpected([.by, .without] + others) }
      return nil
    }
    let isWithout = try take().kind == .without
    try expect(.openParenthesis)
    return LogQL.Grouping(isWithout: isWithout, try labels())
  }
}

extension LogQL.RangeAggregation.Operation {
  init?(_ kind: TokenKind) {
    switch kind {
    case .countOverTime: self = .count
    case .rate: self = .rate
    case .rateCounter: self = .rateCounter
    case .bytesOverTime: self = .bytes
    case .bytesRate: self = .bytesRate
    case .avgOverTime: self = .average
    case .sumOverTime: self = .sum
    case .minOverTime: self = .min
    case .maxOverTime: self = .max
    case .stdvarOverTime: self = .variance
    case .stddevOverTime: self = .deviation
    case .quantileOverTime: self = .quantile
    case .firstOverTime: self = .first
    case .lastOverTime: self = .last
    case .absentOverTime: self = .absent
    default: return nil
    }
  }

  var allowsGrouping: Bool {
    switch self {
    case .average, .deviation, .variance, .quantile, .max, .min, .first, .last: true
    default: false
    }
  }

  var allowsUnwrap: Bool {
    switch self {
    case .count, .bytes, .bytesRate: false
    default: true
    }
  }

  var allowsLines: Bool {
    switch self {
    case .bytes, .bytesRate, .count, .rate, .absent: true
    default: false
    }
  }
}

extension LogQL.VectorAggregation.Operation {
  init?(_ kind: TokenKind) {
    switch kind {
    case .sum: self = .sum
    case .avg: self = .average
    case .count: self = .count
    case .max: self = .max
    case .min: self = .min
    case .stddev: self = .deviation
    case .stdvar: self = .variance
    case .bottomk: self = .bottomK
    case .topk: self = .topK
    case .sort: self = .sort
    case .sortDesc: self = .sortDescending
    case .approxTopk: self = .approximateTopK
    default: return nil
    }
  }
}
