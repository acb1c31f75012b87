extension Parser {
  mutating func selector() throws(LogQL.SyntaxError) -> LogQL.Selector {
    let start = try expect(.openBrace).position
    if try takeIf(.closeBrace) { return LogQL.Selector([], position: start) }
    guard token.kind == .identifier else { throw unexpected([.identifier, .closeBrace]) }
    var matchers: [LogQL.Matcher] = []
    repeat {
      matchers.append(try matcher())
    } while try takeIf(.comma)
    try expect(.closeBrace, or: .comma)
    return LogQL.Selector(matchers, position: start)
  }

  private mutating func matcher() throws(LogQL.SyntaxError) -> LogQL.Matcher {
    let name = try expect(.identifier)
    guard let operation = LogQL.Matcher.Operation(token.kind) else {
      throw unexpected([.equal, .matches, .notMatches, .notEqual])
    }
    try take()
    return try matcher(name, operation)
  }

  /// The value after `name =`, and the check of a regular expression as soon as it is known.
  mutating func matcher(_ name: Token, _ operation: LogQL.Matcher.Operation) throws(LogQL.SyntaxError)
    -> LogQL.Matcher
  {
    guard token.kind == .string else { throw unexpected([.string]) }
    let value = token.text
    if operation.isRegex, let problem = RegexCheck.problem(value) { throw LogQL.SyntaxError(problem) }
    try take()
    return LogQL.Matcher(name.text, operation, value, position: name.position)
  }
}

extension LogQL.Matcher.Operation {
  init?(_ kind: TokenKind) {
    switch kind {
    case .equal: self = .equal
    case .notEqual: self = .notEqual
    case .matches: self = .matches
    case .notMatches: self = .notMatches
    default: return nil
    }
  }
}

extension LogQL.Selector {
  /// What is wrong with it: it must ask for something that streams without the label do not have.
  var problem: LogQL.SyntaxError? {
    if matchers.contains(where: { !$0.matchesEmpty }) { return nil }
    return LogQL.SyntaxError(
      "queries require at least one regexp or equality matcher that does not have an empty-compatible value. "
        + "For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will")
  }
}

extension LogQL.Matcher {
  /// Whether an absent label passes.
  package var matchesEmpty: Bool {
    switch operation {
    case .equal: value.isEmpty
    case .notEqual: !value.isEmpty
    case .matches: RegexCheck.matchesEmpty(value)
    case .notMatches: !RegexCheck.matchesEmpty(value)
    }
  }
}
