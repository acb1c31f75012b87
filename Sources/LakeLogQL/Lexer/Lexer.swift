/// Splits a query into tokens as Loki's scanner does: Go's rules for names, numbers, strings and comments.
struct Lexer {
  private let source: [Unicode.Scalar]
  private var index = 0
  private var line = 1
  private var lineStart = 0
  /// UTF-8 bytes before `index`.
  private var offset = 0

  init(_ text: String) {
    source = Array(text.unicodeScalars)
    if source.first == "\u{FEFF}" { advance() }
  }

  private var current: Unicode.Scalar? { index < source.count ? source[index] : nil }
  private func scalar(_ ahead: Int) -> Unicode.Scalar? { index + ahead < source.count ? source[index + ahead] : nil }
  private var position: LogQL.Position { LogQL.Position(offset: offset, line: line, column: index - lineStart + 1) }

  private mutating func advance() {
    let scalar = source[index]
    index += 1
    offset += scalar.utf8.count
    if scalar == "\n" {
      line += 1
      lineStart = index
    }
  }

  /// The next token; `.end` for ever after the last one.
  mutating func next() throws(LogQL.SyntaxError) -> Token {
    try skipBlanks()
    let start = position
    guard let first = current else { return end(start) }
    switch first {
    case "\"", "`": return try string(quote: first, start)
    case "0"..."9": return try number(start)
    case "." where scalar(1).map(isDecimal) ?? false: return try number(start)
    case "[": return try range(start)
    case "-": return minus(start)
    case "\0": throw failure("invalid character NUL", start)
    default: return try word(start)
    }
  }

  /// Of an empty text, Loki's scanner does not know the place of the end either.
  private func end(_ start: LogQL.Position) -> Token {
    var start = start
    if source.isEmpty { start.column = 0 }
    return Token(kind: .end, position: start, reportedLine: source.isEmpty ? 0 : start.line)
  }

  func failure(_ message: String, _ at: LogQL.Position, line: Int? = nil) -> LogQL.SyntaxError {
    LogQL.SyntaxError(message, line: line ?? at.line, column: at.column)
  }

  // White space, `# ...`, `// ...` and `/* ... */`.
  private mutating func skipBlanks() throws(LogQL.SyntaxError) {
    while let scalar = current {
      switch scalar {
      case " ", "\t", "\n", "\r": advance()
      case "#": skipLine()
      case "/" where self.scalar(1) == "/": skipLine()
      case "/" where self.scalar(1) == "*": try skipComment()
      default: return
      }
    }
  }

  private mutating func skipLine() {
    while let scalar = current, scalar != "\n" { advance() }
  }

  private mutating func skipComment() throws(LogQL.SyntaxError) {
    let start = position
    advance()
    advance()
    while current != nil {
      if current == "*" && scalar(1) == "/" {
        advance()
        advance()
        return
      }
      advance()
    }
    throw failure("comment not terminated", start)
  }

  private mutating func string(quote: Unicode.Scalar, _ start: LogQL.Position) throws(LogQL.SyntaxError) -> Token {
    let from = index
    advance()
    while true {
      guard let scalar = current, quote == "`" || scalar != "\n" else {
        throw failure("literal not terminated", start)
      }
      advance()
      if scalar == quote { break }
      if scalar == "\\" && quote != "`" { try skipEscape(quote: quote, start) }
    }
    guard let text = GoString.unquote(source[from..<index]) else { throw failure("invalid syntax", start) }
    return Token(kind: .string, text: text, position: start, reportedLine: start.line)
  }

  /// Steps over what follows a backslash.
  private mutating func skipEscape(quote: Unicode.Scalar, _ start: LogQL.Position) throws(LogQL.SyntaxError) {
    let digits: (count: Int, base: Int)
    switch current {
    case "a", "b", "f", "n", "r", "t", "v", "\\", quote:
      advance()
      return
    case "0", "1", "2", "3", "4", "5", "6", "7": digits = (3, 8)
    case "x": digits = (2, 16)
    case "u": digits = (4, 16)
    case "U": digits = (8, 16)
    default: throw failure("invalid char escape", start)
    }
    if digits.base == 16 { advance() }
    for _ in 0..<digits.count {
      guard let scalar = current, let value = GoString.digit(scalar), value < digits.base else {
        throw failure("invalid char escape", start)
      }
      advance()
    }
  }

  private mutating func number(_ start: LogQL.Position) throws(LogQL.SyntaxError) -> Token {
    let from = index
    if let message = scanNumber() { throw failure(message, start) }
    let text = String(String.UnicodeScalarView(source[from..<index]))
    if let token = measured(text, start) { return token }
    return Token(kind: .number, text: text, position: start, reportedLine: start.line)
  }

  /// A duration or size that begins with `text`, if the characters up to the next blank make one of it.
  private mutating func measured(_ text: String, _ start: LogQL.Position) -> Token? {
    var token = Token(kind: .duration, position: start, reportedLine: 0)
    let durationTail = tail { GoText.isNumber($0) || $0 == "." || "nuµmshdwy".unicodeScalars.contains($0) }
    if !durationTail.isEmpty, let duration = GoDuration.parseLenient(text + durationTail) {
      for _ in durationTail.unicodeScalars { advance() }
      token.duration = duration
      return token
    }
    guard text != "-" else { return nil }
    let bytesTail = tail { GoText.isNumber($0) || $0 == "." || "BikKMGTP".unicodeScalars.contains($0) }
    if !bytesTail.isEmpty, let size = ByteSize.parse(text + bytesTail) {
      for _ in bytesTail.unicodeScalars { advance() }
      token.kind = .bytes
      token.size = size
      return token
    }
    return nil
  }

  private func tail(_ isPart: (Unicode.Scalar) -> Bool) -> String {
    var end = index
    while end < source.count, isPart(source[end]) { end += 1 }
    return String(String.UnicodeScalarView(source[index..<end]))
  }

  /// `[5m]`: everything up to the bracket is the duration, blanks included.
  private mutating func range(_ start: LogQL.Position) throws(LogQL.SyntaxError) -> Token {
    advance()
    let from = index
    while let scalar = current, scalar != "]" { advance() }
    guard current != nil else { throw failure("missing closing ']' in duration", start, line: 0) }
    let text = String(String.UnicodeScalarView(source[from..<index]))
    advance()
    switch GoDuration.parsePrometheus(text) {
    case .success(let duration):
      return Token(kind: .range, duration: duration, position: start, reportedLine: 0)
    case .failure(let problem): throw failure(problem.message, start, line: 0)
    }
  }

  /// `-`, a flag (`--strict`) or a negative duration.
  private mutating func minus(_ start: LogQL.Position) -> Token {
    advance()
    if current == "-" {
      let flag = "-" + tail { GoText.isLetter($0) || $0 == "-" }
      if flag == "--strict" || flag == "--keep-empty" {
        for _ in flag.unicodeScalars.dropFirst() { advance() }
        return Token(kind: .functionFlag, text: flag, position: start, reportedLine: 0)
      }
    }
    return measured("-", start) ?? Token(kind: .subtract, text: "-", position: start, reportedLine: start.line)
  }

  /// Names, keywords and signs.
  private mutating func word(_ start: LogQL.Position) throws(LogQL.SyntaxError) -> Token {
    let from = index
    if let first = current, GoText.isNameStart(first) {
      while let scalar = current, GoText.isNamePart(scalar) { advance() }
    } else if current == "'" {
      try skipCharacterLiteral(start)
    } else {
      advance()
    }
    let text = String(String.UnicodeScalarView(source[from..<index]))
    let lower = text.lowercased()
    if let kind = TokenKind.functions[lower] {
      let isCall = isFunctionCallAhead()
      return Token(kind: isCall ? kind : .identifier, text: text, position: start, reportedLine: start.line)
    }
    if let following = current, let kind = TokenKind.fixed[lower + String(following)] {
      advance()
      return Token(kind: kind, text: text + String(following), position: start, reportedLine: 0)
    }
    if let kind = TokenKind.fixed[lower] {
      return Token(kind: kind, text: text, position: start, reportedLine: start.line)
    }
    return Token(kind: .identifier, text: text, position: start, reportedLine: start.line)
  }

  /// `'x'` is one token, of no use anywhere; it exists for the message.
  private mutating func skipCharacterLiteral(_ start: LogQL.Position) throws(LogQL.SyntaxError) {
    advance()
    var count = 0
    while true {
      guard let scalar = current, scalar != "\n" else { throw failure("literal not terminated", start) }
      advance()
      if scalar == "'" { break }
      if scalar == "\\" { try skipEscape(quote: "'", start) }
      count += 1
    }
    if count != 1 { throw failure("invalid char literal", start) }
  }

  /// Whether `(`, `by (` or `without (` comes next.
  private func isFunctionCallAhead() -> Bool {
    var at = skipSpaces(from: index)
    guard at < source.count else { return false }
    if source[at] == "(" { return true }
    for keyword in ["by", "without"] {
      let end = at + keyword.unicodeScalars.count
      guard end <= source.count else { continue }
      if String(String.UnicodeScalarView(source[at..<end])).lowercased() == keyword {
        at = skipSpaces(from: end)
        return at < source.count && source[at] == "("
      }
    }
    return false
  }

  private func skipSpaces(from start: Int) -> Int {
    var at = start
    while at < source.count, GoText.isSpace(source[at]) { at += 1 }
    return at
  }
}

private func isDecimal(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

// Numbers by Go's rules: prefixes, separators, exponents. The text is judged again when its value is needed.
extension Lexer {
  /// Steps over a number.
  /// - Returns: what is wrong with it, or nil.
  private mutating func scanNumber() -> String? {
    var base = 10
    var prefix: Unicode.Scalar?
    var hasDigits = false
    var hasSeparator = false
    var invalidDigit: Unicode.Scalar?
    var isFloat = false
    let from = index

    if current != "." {
      if current == "0" {
        advance()
        switch lower(current) {
        case "x":
          advance()
          (base, prefix) = (16, "x")
        case "o":
          advance()
          (base, prefix) = (8, "o")
        case "b":
          advance()
          (base, prefix) = (2, "b")
        default:
          (base, prefix) = (8, "0")
          hasDigits = true
        }
      }
      scanDigits(base, &hasDigits, &hasSeparator, &invalidDigit)
    }
    if current == "." {
      advance()
      isFloat = true
      if prefix == "o" || prefix == "b" { return "invalid radix point in \(Lexer.literalName(prefix))" }
      scanDigits(base, &hasDigits, &hasSeparator, &invalidDigit)
    }
    if !hasDigits { return "\(Lexer.literalName(prefix)) has no digits" }
    if let sign = current, lower(sign) == "e" || lower(sign) == "p" {
      if lower(sign) == "e" && prefix != nil && prefix != "0" {
        return "'\(sign)' exponent requires decimal mantissa"
      }
      if lower(sign) == "p" && prefix != "x" { return "'\(sign)' exponent requires hexadecimal mantissa" }
      advance()
      isFloat = true
      if current == "+" || current == "-" { advance() }
      var exponentHasDigits = false
      var ignored: Unicode.Scalar?
      scanDigits(10, &exponentHasDigits, &hasSeparator, &ignored)
      if !exponentHasDigits { return "exponent has no digits" }
    } else if prefix == "x" && isFloat {
      return "hexadecimal mantissa requires a 'p' exponent"
    }
    if !isFloat, let invalidDigit { return "invalid digit '\(invalidDigit)' in \(Lexer.literalName(prefix))" }
    if hasSeparator && !Lexer.separatesDigits(source[from..<index]) { return "'_' must separate successive digits" }
    return nil
  }

  private mutating func scanDigits(
    _ base: Int, _ hasDigits: inout Bool, _ hasSeparator: inout Bool, _ invalid: inout Unicode.Scalar?
  ) {
    while let scalar = current {
      if scalar == "_" {
        hasSeparator = true
      } else if let value = GoString.digit(scalar), value < (base <= 10 ? 10 : 16) {
        hasDigits = true
        if value >= base && invalid == nil { invalid = scalar }
      } else {
        return
      }
      advance()
    }
  }

  private func lower(_ scalar: Unicode.Scalar?) -> Unicode.Scalar? {
    scalar.flatMap { $0.isASCII ? Unicode.Scalar($0.value | 0x20) : nil }
  }

  private static func literalName(_ prefix: Unicode.Scalar?) -> String {
    switch prefix {
    case "x": "hexadecimal literal"
    case "o", "0": "octal literal"
    case "b": "binary literal"
    default: "decimal literal"
    }
  }

  /// Whether every `_` stands between two digits (a prefix counts as one).
  private static func separatesDigits(_ text: ArraySlice<Unicode.Scalar>) -> Bool {
    let all = Array(text)
    let isHex = all.count >= 2 && all[0] == "0" && (all[1] == "x" || all[1] == "X")
    let hasPrefix = all.count >= 2 && all[0] == "0" && "xXoObB".unicodeScalars.contains(all[1])
    var previous: Unicode.Scalar = hasPrefix ? "0" : "."
    for scalar in all.dropFirst(hasPrefix ? 2 : 0) {
      let isDigit = isHex ? GoString.digit(scalar) != nil : ("0"..."9").contains(scalar)
      if scalar == "_" {
        if previous != "0" { return false }
        previous = "_"
      } else {
        if !isDigit && previous == "_" { return false }
        previous = isDigit ? "0" : "."
      }
    }
    return previous != "_"
  }
}
