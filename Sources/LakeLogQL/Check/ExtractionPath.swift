extension LogQL {
  /// Where an extraction of `json` finds its value: `user.tags[0]["first name"]`.
  package struct ExtractionPath: Hashable, Sendable {
    package enum Step: Hashable, Sendable {
      case member(String)
      /// Of an array; not negative.
      case element(Int)
    }
    package var steps: [Step]

    package struct Malformed: Error, Hashable, Sendable {
      package let message: String
    }

    /// Reads an expression of `| json label="..."`.
    package static func json(_ text: String) -> Result<ExtractionPath, Malformed> {
      var reader = PathReader(text)
      do throws(Malformed) {
        return .success(ExtractionPath(steps: try reader.read { reader throws(Malformed) in try reader.jsonPath() }))
      } catch {
        return .failure(error)
      }
    }

    /// Reads an expression of `| logfmt label="..."`: a key, or a key in quotes.
    package static func logfmt(_ text: String) -> Result<ExtractionPath, Malformed> {
      var reader = PathReader(text)
      do throws(Malformed) {
        return .success(ExtractionPath(steps: try reader.read { reader throws(Malformed) in try reader.logfmtPath() }))
      } catch {
        return .failure(error)
      }
    }
  }
}

/// The small lexers and grammars of the two kinds of path.
private struct PathReader {
  typealias Malformed = LogQL.ExtractionPath.Malformed
  typealias Step = LogQL.ExtractionPath.Step

  private enum Token: Equatable {
    case dot, open, close, end
    case string(String)
    case field(String)
    case index(Int)
  }
  private let text: [Unicode.Scalar]
  private var at = 0

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  /// Characters that begin no token end the text; they are what is wrong unless the grammar misses something as well.
  mutating func read(_ body: (inout PathReader) throws(Malformed) -> [Step]) throws(Malformed) -> [Step] {
    let steps = try body(&self)
    if let problem { throw Malformed(message: problem) }
    return steps
  }

  fileprivate mutating func jsonPath() throws(Malformed) -> [Step] {
    var steps: [Step] = []
    var token = next(takesIndices: true)
    while token != .end || steps.isEmpty {
      switch token {
      case .open: steps.append(try bracketed())
      case .dot where !steps.isEmpty:
        guard case .field(let name) = next(takesIndices: true) else { throw unexpected("FIELD") }
        steps.append(.member(name))
      case .field(let name) where steps.isEmpty: steps.append(.member(name))
      default: throw unexpected(steps.isEmpty ? "LSB or FIELD" : nil)
      }
      token = next(takesIndices: true)
    }
    return steps
  }

  private mutating func bracketed() throws(Malformed) -> Step {
    let step: Step
    switch next(takesIndices: true) {
    case .string(let name): step = .member(name)
    case .index(let index): step = .element(index)
    default: throw unexpected("STRING or INDEX")
    }
    guard next(takesIndices: true) == .close else { throw unexpected("RSB") }
    return step
  }

  fileprivate mutating func logfmtPath() throws(Malformed) -> [Step] {
    var steps: [Step] = []
    while true {
      switch next(takesIndices: false) {
      case .field(let name) where steps.isEmpty: steps.append(.member(name))
      case .string(let name): steps.append(.member(name))
      case .end where !steps.isEmpty: return steps
      default: throw unexpected(steps.isEmpty ? "STRING or KEY" : nil)
      }
    }
  }

  private var last = Token.end
  /// Of the lexer.
  private var problem: String?
  private var isLogfmt = false

  private func unexpected(_ expected: String?) -> Malformed {
    let name =
      switch last {
      case .dot: "DOT"
      case .open: "LSB"
      case .close: "RSB"
      case .end: "$end"
      case .string: "STRING"
      case .field: isLogfmt ? "KEY" : "FIELD"
      case .index: "INDEX"
      }
    return Malformed(message: "syntax error: unexpected \(name)" + (expected.map { ", expecting \($0)" } ?? ""))
  }

  /// The next token; what cannot be one ends the text.
  private mutating func next(takesIndices: Bool) -> Token {
    isLogfmt = !takesIndices
    last = scan(takesIndices: takesIndices)
    return last
  }

  private mutating func scan(takesIndices: Bool) -> Token {
    while at < text.count, [" ", "\t", "\n"].contains(text[at]) { at += 1 }
    guard at < text.count else { return .end }
    let first = text[at]
    if takesIndices {
      if ("0"..."9").contains(first) { return index() }
      if let sign: Token = [".": .dot, "[": .open, "]": .close][first] {
        at += 1
        return sign
      }
    }
    if first.isASCII && GoText.isNameStart(first) {
      let start = at
      while at < text.count, text[at].isASCII, GoText.isNamePart(text[at]) { at += 1 }
      return .field(String(String.UnicodeScalarView(text[start..<at])))
    }
    if first == "\"" { return string() }
    return unreadable("unexpected char \(first)")
  }

  private mutating func unreadable(_ problem: String) -> Token {
    self.problem = problem
    at = text.count
    return .end
  }

  /// A string ends at a quote, at a closing bracket or at the end.
  private mutating func string() -> Token {
    at += 1
    let start = at
    while at < text.count, text[at] != "\"", text[at] != "]" { at += 1 }
    let name = String(String.UnicodeScalarView(text[start..<at]))
    at = min(at + 1, text.count)
    return .string(name)
  }

  private mutating func index() -> Token {
    let start = at
    while at < text.count, ("0"..."9").contains(text[at]) { at += 1 }
    guard at < text.count else { return unreadable("non-integer value: \0") }
    if text[at] == "." { return unreadable("cannot use float as array index") }
    guard [" ", "\t", "\n", "]"].contains(text[at]) else { return unreadable("non-integer value: \(text[at])") }
    let digits = String(String.UnicodeScalarView(text[start..<at]))
    return Int(digits).map { .index($0) } ?? unreadable("strconv.Atoi: parsing \"\(digits)\": value out of range")
  }
}
