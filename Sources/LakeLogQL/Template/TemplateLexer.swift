/// A token of a template.
struct TemplateToken {
  enum Kind {
    case error, bool, sign, character, complex, assign, declare, end, field, identifier, leftDelimiter, leftParenthesis
    case number, pipe, rawString, rightDelimiter, rightParenthesis, space, string, text, variable
    case block, breakLoop, continueLoop, dot, define, otherwise, endBlock, ifBranch, null, range, template, with

    static let keywords: [String: Kind] = [
      "block": .block, "break": .breakLoop, "continue": .continueLoop, ".": .dot, "define": .define,
      "else": .otherwise, "end": .endBlock, "if": .ifBranch, "nil": .null, "range": .range, "template": .template,
      "with": .with,
    ]
  }
  var kind: Kind
  /// The text as it stands; of an error the message.
  var text: String
  var line: Int
  /// Where the token begins, in characters of the template.
  var place: Int

  /// As messages show it.
  var shown: String {
    switch kind {
    case .end: return "EOF"
    case .error: return text
    case .block, .breakLoop, .continueLoop, .dot, .define, .otherwise, .endBlock, .ifBranch, .null, .range, .template,
      .with:
      return "<\(text)>"
    default:
      let scalars = text.unicodeScalars
      if text.utf8.count <= 10 { return GoString.quote(text) }
      return GoString.quote(String(String.UnicodeScalarView(scalars.prefix(10)))) + "..."
    }
  }
}

/// Splits a template into tokens: text outside of `{{ }}`, Go's words and signs inside.
struct TemplateLexer {
  private let input: [Unicode.Scalar]
  private var at = 0
  private var start = 0
  private var line = 1
  private var startLine = 1
  private var isInside = false
  private var depth = 0
  private var isDone = false

  init(_ text: String) { input = Array(text.unicodeScalars) }

  mutating func next() -> TemplateToken {
    if isDone { return TemplateToken(kind: .end, text: "", line: startLine, place: start) }
    while true {
      if let token = isInside ? insideAction() : outsideAction() { return token }
    }
  }

  private func has(_ text: String, at index: Int) -> Bool {
    let wanted = text.unicodeScalars
    return index + wanted.count <= input.count && wanted.elementsEqual(input[index..<index + wanted.count])
  }
  private var peek: Unicode.Scalar? { at < input.count ? input[at] : nil }
  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool { [" ", "\t", "\r", "\n"].contains(scalar) }

  @discardableResult
  private mutating func step() -> Unicode.Scalar? {
    guard at < input.count else { return nil }
    at += 1
    if input[at - 1] == "\n" { line += 1 }
    return input[at - 1]
  }

  private mutating func stepTo(_ end: Int) { while at < end { step() } }

  private mutating func ignore() {
    start = at
    startLine = line
  }

  private mutating func emit(_ kind: TemplateToken.Kind) -> TemplateToken {
    let text = String(String.UnicodeScalarView(input[start..<at]))
    let token = TemplateToken(kind: kind, text: text, line: startLine, place: start)
    ignore()
    return token
  }

  private mutating func fail(_ message: String) -> TemplateToken {
    isDone = true
    return TemplateToken(kind: .error, text: message, line: startLine, place: start)
  }

  private func isTrimMarkerAfter(_ index: Int) -> Bool {
    index + 1 < input.count && input[index] == "-" && TemplateLexer.isSpace(input[index + 1])
  }

  /// Whether `}}` or ` -}}` comes next.
  private func rightDelimiter() -> (isHere: Bool, trims: Bool) {
    if at + 1 < input.count, TemplateLexer.isSpace(input[at]), input[at + 1] == "-", has("}}", at: at + 2) {
      return (true, true)
    }
    return (has("}}", at: at), false)
  }

  private mutating func skipSpaces() {
    while let scalar = peek, TemplateLexer.isSpace(scalar) { step() }
  }

  private mutating func outsideAction() -> TemplateToken? {
    var open = at
    while open < input.count, !has("{{", at: open) { open += 1 }
    guard open < input.count else {
      stepTo(input.count)
      if at > start { return emit(.text) }
      isDone = true
      return emit(.end)
    }
    if open > at {
      var textEnd = open
      if isTrimMarkerAfter(open + 2) {
        while textEnd > at, TemplateLexer.isSpace(input[textEnd - 1]) { textEnd -= 1 }
      }
      stepTo(textEnd)
      let token = at > start ? emit(.text) : nil
      stepTo(open)
      ignore()
      if let token { return token }
    }
    return leftDelimiter()
  }

  private mutating func leftDelimiter() -> TemplateToken? {
    let marker = isTrimMarkerAfter(at + 2) ? 2 : 0
    if has("/*", at: at + 2 + marker) {
      stepTo(at + 2 + marker)
      ignore()
      return comment()
    }
    stepTo(at + 2)
    let token = emit(.leftDelimiter)
    stepTo(at + marker)
    ignore()
    isInside = true
    depth = 0
    return token
  }

  private mutating func comment() -> TemplateToken? {
    var end = at + 2
    while end < input.count, !has("*/", at: end) { end += 1 }
    guard end < input.count else { return fail("unclosed comment") }
    stepTo(end + 2)
    let (isHere, trims) = rightDelimiter()
    guard isHere else { return fail("comment ends before closing delimiter") }
    stepTo(at + (trims ? 4 : 2))
    if trims { skipSpaces() }
    ignore()
    return nil
  }

  private mutating func insideAction() -> TemplateToken? {
    let (isEnd, trims) = rightDelimiter()
    if isEnd {
      if depth > 0 { return fail("unclosed left paren") }
      return closeAction(trims: trims)
    }
    guard let scalar = peek else { return fail("unclosed action") }
    switch scalar {
    case " ", "\t", "\r", "\n": return spaces()
    case "\"": return quoted("\"", .string, "unterminated quoted string")
    case "'": return quoted("'", .character, "unterminated character constant")
    case "`": return rawString()
    case "$": return variable()
    case ".":
      if at + 1 == input.count || ("0"..."9").contains(input[at + 1]) { return number() }
      step()
      return fieldOrVariable(.field)
    case "+", "-", "0"..."9": return number()
    case ":":
      step()
      if step() != "=" { return fail("expected :=") }
      return emit(.declare)
    default: return word(scalar)
    }
  }

  private mutating func word(_ scalar: Unicode.Scalar) -> TemplateToken {
    if GoText.isNamePart(scalar) { return identifier() }
    step()
    switch scalar {
    case "=": return emit(.assign)
    case "|": return emit(.pipe)
    case "(":
      depth += 1
      return emit(.leftParenthesis)
    case ")":
      depth -= 1
      return depth < 0 ? fail("unexpected right paren") : emit(.rightParenthesis)
    default:
      if scalar.isASCII && scalar.value > 0x20 && scalar.value < 0x7F { return emit(.sign) }
      return fail("unrecognized character in action: \(TemplateLexer.codePoint(scalar))")
    }
  }

  private mutating func closeAction(trims: Bool) -> TemplateToken {
    if trims {
      stepTo(at + 2)
      ignore()
    }
    stepTo(at + 2)
    let token = emit(.rightDelimiter)
    if trims {
      skipSpaces()
      ignore()
    }
    isInside = false
    return token
  }

  private mutating func spaces() -> TemplateToken? {
    // The last blank belongs to the delimiter in ` -}}`.
    while let scalar = peek, TemplateLexer.isSpace(scalar), !rightDelimiter().trims { step() }
    return at > start ? emit(.space) : nil
  }

  private mutating func quoted(_ quote: Unicode.Scalar, _ kind: TemplateToken.Kind, _ problem: String) -> TemplateToken
  {
    step()
    while true {
      switch step() {
      case nil, "\n": return fail(problem)
      case "\\":
        if let next = step(), next != "\n" { continue }
        return fail(problem)
      case quote: return emit(kind)
      default: continue
      }
    }
  }

  private mutating func rawString() -> TemplateToken {
    step()
    while let scalar = step() {
      if scalar == "`" { return emit(.rawString) }
    }
    return fail("unterminated raw quoted string")
  }

  private mutating func variable() -> TemplateToken {
    step()
    return isAtTerminator ? emit(.variable) : fieldOrVariable(.variable)
  }

  private mutating func fieldOrVariable(_ kind: TemplateToken.Kind) -> TemplateToken {
    if isAtTerminator { return emit(.dot) }
    while let scalar = peek, GoText.isNamePart(scalar) { step() }
    return isAtTerminator ? emit(kind) : badCharacter()
  }

  private mutating func identifier() -> TemplateToken {
    while let scalar = peek, GoText.isNamePart(scalar) { step() }
    if !isAtTerminator { return badCharacter() }
    let text = String(String.UnicodeScalarView(input[start..<at]))
    if let keyword = TemplateToken.Kind.keywords[text] { return emit(keyword) }
    return emit(text == "true" || text == "false" ? .bool : .identifier)
  }

  private mutating func badCharacter() -> TemplateToken {
    fail("bad character \(peek.map(TemplateLexer.codePoint) ?? "U+FFFFFFFFFFFFFFFF")")
  }

  private var isAtTerminator: Bool {
    guard let scalar = peek else { return true }
    return TemplateLexer.isSpace(scalar) || [".", ",", "|", ":", ")", "("].contains(scalar) || has("}}", at: at)
  }

  private mutating func number() -> TemplateToken {
    func bad(_ lexer: inout TemplateLexer) -> TemplateToken {
      let text = String(String.UnicodeScalarView(lexer.input[lexer.start..<lexer.at]))
      return lexer.fail("bad number syntax: \(GoString.quote(text))")
    }
    if !scanNumber() { return bad(&self) }
    guard peek == "+" || peek == "-" else { return emit(.number) }
    if !scanNumber() || input[at - 1] != "i" { return bad(&self) }
    return emit(.complex)
  }

  private mutating func accept(_ allowed: String) -> Bool {
    guard let scalar = peek, allowed.unicodeScalars.contains(scalar) else { return false }
    step()
    return true
  }

  private mutating func scanNumber() -> Bool {
    _ = accept("+-")
    var digits = "0123456789_"
    if accept("0") {
      if accept("xX") {
        digits = "0123456789abcdefABCDEF_"
      } else if accept("oO") {
        digits = "01234567_"
      } else if accept("bB") {
        digits = "01_"
      }
    }
    while accept(digits) {}
    if accept(".") { while accept(digits) {} }
    if digits.count == 11, accept("eE") {
      _ = accept("+-")
      while accept(digits) {}
    }
    if digits.count == 23, accept("pP") {
      _ = accept("+-")
      while accept("0123456789_") {}
    }
    _ = accept("i")
    if let scalar = peek, GoText.isNamePart(scalar) {
      step()
      return false
    }
    return true
  }

  /// `U+0021 '!'`.
  private static func codePoint(_ scalar: Unicode.Scalar) -> String {
    let hex = String(scalar.value, radix: 16, uppercase: true)
    let name = "U+" + String(repeating: "0", count: max(0, 4 - hex.count)) + hex
    let isShown = GoString.quote(String(scalar)).unicodeScalars.contains(scalar)
    return isShown ? "\(name) '\(scalar)'" : name
  }
}
