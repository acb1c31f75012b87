extension LogQL {
  /// Reads a query and checks everything that can be checked without data: regular expressions, templates, patterns,
  /// aggregations that fit their operands, selectors that select something.
  ///
  /// - Throws: the first thing wrong, worded and placed as Loki does.
  package static func parse(_ text: String) throws(SyntaxError) -> Query {
    let query = try parseUnbuilt(text)
    try query.checkStages()
    return query
  }

  /// As `parse`, but expressions and templates inside of pipeline stages may be wrong: what is enough to print a query.
  package static func parseUnbuilt(_ text: String) throws(SyntaxError) -> Query {
    let checked = try read(text)
    if let problem = checked.problem { throw problem }
    switch checked.node {
    case .logs(let logs): return .logs(logs)
    case .metric(let metric): return .metric(metric)
    case .variants(let variants): return .variants(variants)
    }
  }

  /// What is said of a query where only a selector is wanted.
  package static let onlySelectors = "only label matchers are supported"

  /// Reads a bare selector, `{app="x"}`.
  ///
  /// - Parameter allowsEverything: whether matchers that every stream passes are enough.
  package static func parseSelector(_ text: String, allowsEverything: Bool = false) throws(SyntaxError) -> Selector {
    let checked = try read(text)
    if !allowsEverything, let problem = checked.problem { throw problem }
    guard case .logs(let logs) = checked.node, logs.stages.isEmpty else {
      throw SyntaxError(onlySelectors)
    }
    return logs.selector
  }

  private static func read(_ text: String) throws(SyntaxError) -> Checked<Operand> {
    if text.utf8.count >= queryBytesMax {
      throw SyntaxError("input size too long (\(text.utf8.count) > \(queryBytesMax))")
    }
    var parser = try Parser(text)
    return try parser.query()
  }
}

extension LogQL.Query {
  /// - Throws: what is wrong inside of a stage, as `parse` does.
  package func checkStages() throws(LogQL.SyntaxError) {
    if let problem = stageProblem { throw problem }
  }

  /// What is wrong inside of a stage, in the order of the text.
  fileprivate var stageProblem: LogQL.SyntaxError? {
    switch self {
    case .logs(let logs): StageCheck.problem(logs.stages)
    case .metric(let metric): metric.stageProblem
    case .variants(let variants):
      StageCheck.problem(variants.range.logs.stages) ?? variants.metrics.lazy.compactMap(\.stageProblem).first
    }
  }
}

extension LogQL.MetricExpression {
  fileprivate var stageProblem: LogQL.SyntaxError? {
    switch self {
    case .literal, .vector: nil
    case .range(let range): StageCheck.problem(range.range.logs.stages)
    case .aggregation(let aggregation): aggregation.operand.stageProblem
    case .labelReplace(let replace): replace.operand.stageProblem
    case .binary(let binary): binary.left.stageProblem ?? binary.right.stageProblem
    }
  }
}
