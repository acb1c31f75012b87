import LakeModel

/// Anything that can stand beside an operator.
enum Operand {
  case logs(LogQL.LogExpression)
  case metric(LogQL.MetricExpression)
  case variants(LogQL.Variants)

  /// Loki's name of the type, which its messages give.
  var typeName: String {
    switch self {
    case .logs(let logs): logs.stages.isEmpty ? "*syntax.MatchersExpr" : "*syntax.PipelineExpr"
    case .metric: "metric"
    case .variants: "*syntax.MultiVariantExpr"
    }
  }
}

extension Parser {
  mutating func query() throws(LogQL.SyntaxError) -> Checked<Operand> {
    let expression = try self.expression()
    guard token.kind == .end else { throw unexpected() }
    return expression
  }

  /// Operands joined by operators that bind closer than `binding`.
  ///
  /// - Parameter first: the first operand where it has been read already.
  mutating func expression(above binding: Int = 0, from first: Checked<Operand>? = nil) throws(LogQL.SyntaxError)
    -> Checked<Operand>
  {
    var left: Checked<Operand>
    if let first { left = first } else { left = try operand() }
    while let (operation, level) = LogQL.BinaryOperation.Operation.binding(token.kind), level > binding {
      let position = try take().position
      let (returnsBool, matching) = try modifier()
      // The power operator binds to the right, all others to the left.
      let right = try nested { parser throws(LogQL.SyntaxError) in
        try parser.expression(above: operation == .power ? level - 1 : level)
      }
      left = combine(operation, left, right, returnsBool, matching, position)
      if left.height > LogQL.depthMax { throw tooDeep }
    }
    return left
  }

  /// An expression that must give samples, as in an aggregation's parentheses.
  ///
  /// Anything else could still become the left side of an operator, which is why the message comes with what follows.
  mutating func metric(from first: Checked<Operand>? = nil) throws(LogQL.SyntaxError)
    -> Checked<LogQL.MetricExpression>
  {
    let expression = try nested { parser throws(LogQL.SyntaxError) in try parser.expression(from: first) }
    guard case .metric(let node) = expression.node else { throw unexpected() }
    return Checked(node: node, problem: expression.problem, height: expression.height)
  }

  private mutating func operand() throws(LogQL.SyntaxError) -> Checked<Operand> {
    switch token.kind {
    case .openBrace: return try logs()
    case .openParenthesis: return try parenthesized()
    case .number, .add, .subtract:
      let literal = try self.literal()
      return Checked(node: .metric(.literal(literal.node)), problem: literal.problem)
    case .vector: return try vector()
    case .labelReplace: return try labelReplace()
    case .variants: return try variants()
    default:
      if let operation = LogQL.RangeAggregation.Operation(token.kind) { return try rangeAggregation(operation) }
      if let operation = LogQL.VectorAggregation.Operation(token.kind) { return try vectorAggregation(operation) }
      throw unexpected()
    }
  }

  private mutating func logs() throws(LogQL.SyntaxError) -> Checked<Operand> {
    let selector = try self.selector()
    let stages = try self.stages().stages
    return Checked(node: .logs(LogQL.LogExpression(selector: selector, stages: stages)), problem: selector.problem)
  }

  private mutating func parenthesized() throws(LogQL.SyntaxError) -> Checked<Operand> {
    try take()
    let inner = try nested { parser throws(LogQL.SyntaxError) in try parser.expression() }
    if case .variants = inner.node { throw unexpected() }
    guard token.kind == .closeParenthesis else { throw unexpected() }
    try take()
    return inner
  }

  /// A number with an optional sign.
  mutating func literal() throws(LogQL.SyntaxError) -> Checked<Double> {
    let isNegative = token.kind == .subtract
    if token.kind == .add || token.kind == .subtract { try take() }
    let text = try expect(.number).text
    let (value, problem) = FloatText.parse(text)
    return Checked(
      node: isNegative ? -(value ?? 0) : value ?? 0,
      problem: problem.map { LogQL.SyntaxError("unable to parse literal as a float: \($0)") })
  }

  private mutating func vector() throws(LogQL.SyntaxError) -> Checked<Operand> {
    try take()
    try expect(.openParenthesis)
    let (value, problem) = FloatText.parse(try expect(.number).text)
    try expect(.closeParenthesis)
    return Checked(
      node: .metric(.vector(value ?? 0)),
      problem: problem.map { LogQL.SyntaxError("unable to parse vectorExpr as a float: \($0)") })
  }

  private mutating func labelReplace() throws(LogQL.SyntaxError) -> Checked<Operand> {
    let position = try take().position
    try expect(.openParenthesis)
    let operand = try metric()
    var texts: [String] = []
    for index in 0..<4 {
      // After the operand an operator could come as well, so that the message lists nothing.
      if index == 0 && token.kind != .comma { throw unexpected() }
      try expect(.comma)
      texts.append(try expect(.string).text)
    }
    try expect(.closeParenthesis)
    let problem = RegexCheck.problem("^(?:\(texts[3]))$").map {
      LogQL.SyntaxError("invalid regex in label_replace: \($0)")
    }
    let node = LogQL.LabelReplace(
      operand.node, destination: texts[0], replacement: texts[1], source: texts[2], regex: texts[3],
      position: position)
    return Checked(node: .metric(.labelReplace(node)), problem: problem ?? operand.problem, height: operand.height + 1)
  }

  private mutating func variants() throws(LogQL.SyntaxError) -> Checked<Operand> {
    try take()
    try expect(.openParenthesis)
    var metrics: [Checked<LogQL.MetricExpression>] = []
    repeat {
      metrics.append(try metric())
      if token.kind != .comma && token.kind != .closeParenthesis { throw unexpected() }
    } while try takeIf(.comma)
    try take()
    try expect(.of)
    try expect(.openParenthesis)
    let range = try logRange()
    try expect(.closeParenthesis)
    return Checked(
      node: .variants(LogQL.Variants(metrics.map(\.node), of: range)),
      problem: range.logs.selector.problem ?? metrics.lazy.compactMap(\.problem).first,
      height: metrics.map(\.height).max()! + 1)
  }
}
