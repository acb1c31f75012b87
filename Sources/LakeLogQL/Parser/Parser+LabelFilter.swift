extension Parser {
  /// A label filter and all that `and`, `or`, a comma or nothing at all joins to it.
  ///
  /// `and` binds closer than `or`, both to the left. What a comma or juxtaposition joins, though, takes everything
  /// that follows: `a, b or c` is `a, (b or c)`, and `a or b, c` is `a or (b, c)`.
  mutating func labelFilter() throws(LogQL.SyntaxError) -> LogQL.LabelFilter {
    try labelFilter(above: 0).node
  }

  /// - Parameter binding: operators that bind no closer than this end the filter: 1 for `or`, 2 for `and`.
  private mutating func labelFilter(above binding: Int) throws(LogQL.SyntaxError) -> Checked<LogQL.LabelFilter> {
    var left = try labelFilterOperand()
    while true {
      let right: Checked<LogQL.LabelFilter>
      var isOr = false
      switch token.kind {
      case .or:
        guard binding < 1 else { return left }
        try take()
        try requireLabelFilter()
        right = try labelFilter(above: 1)
        isOr = true
      case .and:
        guard binding < 2 else { return left }
        try take()
        try requireLabelFilter()
        right = try labelFilter(above: 2)
      case .comma:
        try take()
        try requireLabelFilter()
        right = try nested { parser throws(LogQL.SyntaxError) in try parser.labelFilter(above: 0) }
      case .identifier, .openParenthesis:
        right = try nested { parser throws(LogQL.SyntaxError) in try parser.labelFilter(above: 0) }
      default: return left
      }
      let height = max(left.height, right.height) + 1
      if height > LogQL.filterChainMax { throw tooDeep }
      left = Checked(node: isOr ? .or(left.node, right.node) : .and(left.node, right.node), height: height)
    }
  }

  private func requireLabelFilter() throws(LogQL.SyntaxError) {
    if token.kind != .identifier && token.kind != .openParenthesis {
      throw unexpected([.identifier, .openParenthesis])
    }
  }

  private mutating func labelFilterOperand() throws(LogQL.SyntaxError) -> Checked<LogQL.LabelFilter> {
    if try takeIf(.openParenthesis) {
      try requireLabelFilter()
      let inner = try nested { parser throws(LogQL.SyntaxError) in try parser.labelFilter(above: 0) }
      // More operators could stand here as well, so the message lists nothing.
      guard token.kind == .closeParenthesis else { throw unexpected() }
      try take()
      return inner
    }
    return Checked(node: try labelTest())
  }

  /// `name <operator> value`.
  private mutating func labelTest() throws(LogQL.SyntaxError) -> LogQL.LabelFilter {
    let name = try expect(.identifier, or: .openParenthesis)
    switch token.kind {
    case .matches, .notMatches:
      let operation = LogQL.Matcher.Operation(token.kind)!
      try take()
      return .matcher(try matcher(name, operation))
    case .equal, .notEqual:
      let operation = LogQL.Matcher.Operation(token.kind)!
      try take()
      if token.kind == .string { return .matcher(try matcher(name, operation)) }
      if token.kind == .ip { return try ipTest(name, isNegated: operation == .notEqual) }
      return try comparison(name, operation == .equal ? .equal : .notEqual)
    default:
      guard let comparison = LogQL.Comparison(token.kind) else { throw unexpected() }
      try take()
      return try self.comparison(name, comparison)
    }
  }

  private mutating func ipTest(_ name: Token, isNegated: Bool) throws(LogQL.SyntaxError) -> LogQL.LabelFilter {
    try take()
    try expect(.openParenthesis)
    let text = try expect(.string).text
    try expect(.closeParenthesis)
    return .ip(label: name.text, isNegated: isNegated, text)
  }

  private mutating func comparison(_ name: Token, _ comparison: LogQL.Comparison) throws(LogQL.SyntaxError)
    -> LogQL.LabelFilter
  {
    switch token.kind {
    case .duration: return .duration(label: name.text, comparison, try take().duration)
    case .bytes: return .bytes(label: name.text, comparison, try take().size)
    case .number, .add, .subtract:
      let literal = try self.literal()
      // What is no number counts as 0 here, as in Loki; elsewhere it is an error.
      if let problem = literal.problem, !problem.message.hasSuffix("invalid syntax") { throw problem }
      return .number(label: name.text, comparison, literal.node)
    default: throw unexpected()
    }
  }
}

extension LogQL.Comparison {
  init?(_ kind: TokenKind) {
    switch kind {
    case .compareEqual: self = .equal
    case .notEqual: self = .notEqual
    case .greater: self = .greater
    case .greaterOrEqual: self = .greaterOrEqual
    case .less: self = .less
    case .lessOrEqual: self = .lessOrEqual
    default: return nil
    }
  }
}
