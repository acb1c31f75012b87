/// The recursive descent over the tokens of one query.
///
/// Loki's parser is generated, and what its messages list as expected follows from its tables: a place where the text
/// could also end or go on outside lists nothing, nor does one with more than four possibilities. The lists here are
/// written down per place; `Tests/LakeLogQLTests` compares them with recorded messages.
struct Parser {
  private var lexer: Lexer
  /// The token to come.
  private(set) var token: Token
  private var depth = 0

  init(_ text: String) throws(LogQL.SyntaxError) {
    lexer = Lexer(text)
    token = try lexer.next()
  }

  /// Takes the token to come and looks at the next one.
  @discardableResult
  mutating func take() throws(LogQL.SyntaxError) -> Token {
    let taken = token
    token = try lexer.next()
    return taken
  }

  /// Takes the token if it is of this kind.
  mutating func takeIf(_ kind: TokenKind) throws(LogQL.SyntaxError) -> Bool {
    guard token.kind == kind else { return false }
    try take()
    return true
  }

  /// Takes a token of this kind.
  ///
  /// - Parameter others: what could stand here instead, for the message.
  @discardableResult
  mutating func expect(_ kind: TokenKind, or others: TokenKind...) throws(LogQL.SyntaxError) -> Token {
    guard token.kind == kind else { throw unexpected([kind] + others) }
    return try take()
  }

  /// The message about the token to come; `expected` is listed in the order of the kinds, and only up to four.
  func unexpected(_ expected: [TokenKind] = []) -> LogQL.SyntaxError {
    var message = "syntax error: unexpected \(token.kind.name)"
    if !expected.isEmpty && expected.count <= 4 {
      let names = expected.sorted { $0.rawValue < $1.rawValue }.map(\.name)
      message += ", expecting " + names.joined(separator: " or ")
    }
    return LogQL.SyntaxError(message, line: token.reportedLine, column: token.position.column)
  }

  /// Runs `body` one level deeper.
  mutating func nested<T>(_ body: (inout Parser) throws(LogQL.SyntaxError) -> T) throws(LogQL.SyntaxError) -> T {
    depth += 1
    defer { depth -= 1 }
    if depth > LogQL.depthMax { throw tooDeep }
    return try body(&self)
  }

  var tooDeep: LogQL.SyntaxError {
    LogQL.SyntaxError(
      "query nests too deeply: more than \(LogQL.depthMax) levels", line: token.position.line,
      column: token.position.column)
  }
}

/// A tree and the first thing wrong with it that must wait until the syntax of the whole text is known to be right.
struct Checked<Node> {
  var node: Node
  var problem: LogQL.SyntaxError?
  /// Levels of the tree.
  var height = 1
}
