import LakeLogQL
import LakeModel
import LakeRegex

/// What a matcher demands of a label's text; the absent label is the empty text.
struct ValueTest: Sendable {
  enum Kind: Sendable {
    case anything
    case nonEmpty
    /// One of these, sorted.
    case oneOf([[UInt8]])
    case matches(RE2Pattern)
  }
  let kind: Kind
  let isNegated: Bool
  /// Of `oneOf`: the values that are ids, as columns of ids hold them. Ids are shown in lower case only.
  let ids: [[UInt8]]

  init(_ kind: Kind, isNegated: Bool = false) {
    self.kind = kind
    self.isNegated = isNegated
    if case .oneOf(let values) = kind {
      ids = values.compactMap(ValueTest.id)
    } else {
      ids = []
    }
  }

  /// The bytes that an id's text means; nil when it is the text of none.
  static func id(_ text: [UInt8]) -> [UInt8]? {
    text.allSatisfy { ASCII.lowered($0) == $0 } ? Hex.bytes(text) : nil
  }

  /// - Throws: `.invalid` for an expression that does not compile; the parser finds these first.
  init(_ matcher: LogQL.Matcher) throws(QueryError) {
    self.init(try ValueTest.kind(matcher), isNegated: matcher.operation.isNegated)
  }

  private static func kind(_ matcher: LogQL.Matcher) throws(QueryError) -> Kind {
    if !matcher.operation.isRegex { return .oneOf([Array(matcher.value.utf8)]) }
    switch matcher.value {
    case ".*": return .anything
    case ".+": return .nonEmpty
    default:
      if let values = RegexShape.wholeValues(matcher.value) { return .oneOf(values) }
      // The whole value, and `.` takes newlines.
      do { return .matches(try RE2Pattern("(?s:\(matcher.value))")) } catch {
        throw .invalid("error parsing regexp: \(error.message)")
      }
    }
  }

  /// As a label filter of a pipeline tests: expressions as Loki shortens them, and `.` takes no newlines.
  ///
  /// - Throws: `.invalid` for an expression that does not compile; the parser finds these first.
  init(filter matcher: LogQL.Matcher) throws(QueryError) {
    guard matcher.operation.isRegex else {
      try self.init(matcher)
      return
    }
    let kind =
      if let shortcut = RegexShortcut.read(matcher.value, isLabel: true) {
        try ValueTest.kind(shortcut)
      } else {
        try ValueTest.matching(matcher.value)
      }
    self.init(kind, isNegated: matcher.operation.isNegated)
  }

  private static func kind(_ shortcut: RegexShortcut) throws(QueryError) -> Kind {
    if shortcut.pieces.isEmpty { return .anything }
    if shortcut.pieces == [.nonEmpty] { return .nonEmpty }
    let texts = shortcut.pieces.compactMap { piece in
      if case .equals(let text, isFolded: false) = piece { Array(text.utf8) } else { nil }
    }
    if texts.count == shortcut.pieces.count { return .oneOf(texts.sorted { $0.lexicographicallyPrecedes($1) }) }
    return try matching(shortcut.pieces.map { $0.expression(isWhole: true) }.joined(separator: "|"))
  }

  private static func matching(_ expression: String) throws(QueryError) -> Kind {
    do { return .matches(try RE2Pattern("(?:\(expression))")) } catch {
      throw .invalid("error parsing regexp: \(error.message)")
    }
  }

  func passes(_ text: UnsafeRawBufferPointer) -> Bool {
    let holds: Bool
    switch kind {
    case .anything: holds = true
    case .nonEmpty: holds = !text.isEmpty
    case .oneOf(let values): holds = values.contains { value in value.withUnsafeBytes { ByteOrder.areEqual($0, text) } }
    case .matches(let expression): holds = expression.matchesWhole(text)
    }
    return holds != isNegated
  }

  func passes(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { passes($0) } }

  /// Whether rows without the label pass.
  var passesAbsent: Bool { passes([]) }

  /// The texts that the test is about, none of them empty: a row passes when its text is one of them, or with `isNegated` when it is none.
  /// nil: the test is about others as well.
  var texts: [[UInt8]]? {
    if case .oneOf(let values) = kind, !values.contains([]) { return values }
    return nil
  }
}

extension RegexShape {
  /// The texts that an anchored expression matches, when they are few and exact in case; sorted.
  static func wholeValues(_ expression: String) -> [[UInt8]]? {
    var parser = RegexSyntax(Array(expression.unicodeScalars), isFolded: false)
    guard let exact = parser.parse()?.exactStrings(), exact.allSatisfy({ !$0.isFolded }) else { return nil }
    return exact.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) }
  }
}
