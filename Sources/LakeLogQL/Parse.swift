extension LogQL {
  /// Reads a query and checks everything that can be checked without data: regular expressions, templates, patterns,
  /// aggregations that fit their operands, selectors that select something.
  ///
  /// - Throws: the first thing wrong, worded and placed as Loki does.
  package static func parse(_ text: String) throws(SyntaxError) -> Query {
    preconditionFailure("not built yet")
  }

  /// Reads a query that must give log lines.
  package static func parseLogs(_ text: String) throws(SyntaxError) -> LogExpression {
    preconditionFailure("not built yet")
  }

  /// Reads a bare selector, `{app="x"}`.
  ///
  /// - Parameter allowsEverything: whether matchers that every stream passes are enough.
  package static func parseSelector(_ text: String, allowsEverything: Bool = false) throws(SyntaxError) -> Selector {
    preconditionFailure("not built yet")
  }
}

extension LogQL.Query: CustomStringConvertible {
  /// The query as Loki prints it: one line, canonical spacing, nested operators in parentheses.
  package var description: String { preconditionFailure("not built yet") }
}
