import LakeLogQL
import LakeModel
import LakeRegex

/// One line filter, compiled: `|= "a" or "b"`, `!~ "x"`, `|= ip("10.0.0.0/8")`.
struct LineMatcher: Sendable {
  /// One operand.
  enum Test: Sendable {
    case always
    case literal(ByteNeedle)
    /// `needles`: one of them is in every matching line; empty when nothing is known.
    case regex(RE2Pattern, needles: [ByteNeedle])
    case pattern(LinePatternMatcher)
    case ip(IPMatcher)
    /// Lines of which a parser may make a label whose value passes.
    case quantity(KeyedQuantity)

    var isAlways: Bool { if case .always = self { true } else { false } }
  }
  private let tests: [Test]
  /// As the query has it, for people.
  let text: String
  /// `!=`, `!~`, `!>`: lines that pass no test are kept.
  let isNegated: Bool

  /// - Throws: `.invalid` for an expression, pattern or address that does not compile; the parser finds these first.
  init(_ filter: LogQL.LineFilter) throws(QueryError) {
    isNegated = filter.operation.isNegated
    text =
      filter.operation.rawValue + " "
      + filter.operands.map { operand in
        switch operand {
        case .text(let text): text
        case .ip(let text): "ip(\(text))"
        }
      }.joined(separator: " or ")
    var tests: [Test] = []
    for operand in filter.operands {
      switch operand {
      case .ip(let text):
        guard let matcher = IPMatcher(text) else { throw .invalid("ip: invalid pattern: \"\(text)\"") }
        tests.append(.ip(matcher))
      case .text(let text):
        switch filter.operation {
        case .contains, .notContains: tests.append(text.isEmpty ? .always : .literal(ByteNeedle(text)))
        case .matches, .notMatches: tests += try LineMatcher.regex(text)
        case .pattern, .notPattern: tests.append(.pattern(try LinePatternMatcher(text)))
        }
      }
    }
    // As Loki has it, what every line holds counts only alone: `|= "" or "a"` is `|= "a"`.
    self.tests = isNegated || tests.allSatisfy(\.isAlways) ? tests : tests.filter { !$0.isAlways }
  }

  /// Keeps the lines that hold one of the needles, or may hold one of the quantities.
  init(anyOf needles: [ByteNeedle], quantities: [KeyedQuantity] = []) {
    isNegated = false
    tests = quantities.map { .quantity($0) } + needles.map { .literal($0) }
    text =
      "|= "
      + (quantities.map(\.keyEnd) + needles).map { String(decoding: $0.bytes, as: UTF8.self) }
      .joined(separator: " or ")
  }

  private static func regex(_ text: String) throws(QueryError) -> [Test] {
    let compiled: RE2Pattern
    do { compiled = try RE2Pattern(text) } catch { throw .invalid("error parsing regexp: \(error.message)") }
    if let shortcut = RegexShortcut.read(text, isLabel: false) {
      if shortcut.pieces.isEmpty { return [.always] }
      if shortcut.forgets {
        var tests: [Test] = []
        for piece in shortcut.pieces { tests += try regex(piece.expression(isWhole: false)) }
        return tests
      }
    }
    let shape = RegexShape(text)
    let needles = (shape.anyOf ?? []).map { ByteNeedle($0.bytes, isFolded: $0.isFolded) }
    if shape.isExact { return needles.map { .literal($0) } }
    return [.regex(compiled, needles: needles)]
  }

  /// Whether the filter keeps the line.
  func keeps(_ line: UnsafeRawBufferPointer) -> Bool {
    for test in tests where LineMatcher.passes(test, line) { return !isNegated }
    return isNegated
  }

  /// The rows that the filter keeps, searching a piece of the line column at once.
  ///
  /// - Parameters:
  ///   - lines: a piece of the column; `firstRow` is the row of its first value.
  ///   - rows: rows of the block, all inside the piece.
  func select(_ rows: RowSelection, in lines: BytesView, firstRow: Int) -> RowSelection {
    var found = RowSelection.none
    for test in tests {
      let rest = found.isEmpty ? rows : rows.subtracting(found)
      if rest.isEmpty { break }
      let more = LineMatcher.passing(test, rest, lines, firstRow)
      found = found.isEmpty ? more : found.union(more)
    }
    return isNegated ? rows.subtracting(found) : found
  }

  /// How dear the filter is, to run cheap ones first: literals before expressions, and what keeps less before what keeps more.
  var cost: Int {
    var cost = isNegated ? 1 : 0
    for test in tests {
      switch test {
      case .always: break
      case .literal: cost += 2
      case .regex(_, let needles): cost += needles.isEmpty ? 100 : 10
      case .pattern: cost += 10
      case .ip: cost += 50
      case .quantity: cost += 3
      }
    }
    return cost
  }

  /// Texts one of which every kept line holds: for indexes that know which lines cannot. nil: none can be told.
  var neededLiterals: [ByteNeedle]? {
    guard !isNegated else { return nil }
    var all: [ByteNeedle] = []
    for test in tests {
      switch test {
      case .literal(let needle): all.append(needle)
      case .quantity(let quantity): all.append(quantity.keyEnd)
      case .regex(_, let needles) where !needles.isEmpty: all += needles
      case .pattern(let pattern):
        guard let needle = pattern.longestLiteral else { return nil }
        all.append(needle)
      default: return nil
      }
    }
    return all
  }

  private static func passes(_ test: Test, _ line: UnsafeRawBufferPointer) -> Bool {
    switch test {
    case .always: true
    case .literal(let needle): needle.occurs(in: line)
    case .regex(let expression, _): expression.matches(line)
    case .pattern(let pattern): pattern.matches(line)
    case .ip(let matcher): matcher.matchesAny(in: line)
    case .quantity(let quantity): quantity.mayPassSomewhere(in: line)
    }
  }

  private static func passing(
    _ test: Test, _ rows: RowSelection, _ lines: BytesView, _ firstRow: Int
  ) -> RowSelection {
    switch test {
    case .always: return rows
    case .literal(let needle): return RowSearch.rows(holding: needle, in: lines, among: rows, firstRow: firstRow)
    case .regex(let expression, let needles):
      let candidates =
        needles.isEmpty ? rows : RowSearch.rows(holdingAny: needles, in: lines, among: rows, firstRow: firstRow)
      return candidates.filter { expression.matches(lines[$0 - firstRow]) }
    case .pattern(let pattern):
      let candidates =
        pattern.longestLiteral.map { RowSearch.rows(holding: $0, in: lines, among: rows, firstRow: firstRow) } ?? rows
      return candidates.filter { pattern.matches(lines[$0 - firstRow]) }
    case .ip(let matcher): return rows.filter { matcher.matchesAny(in: lines[$0 - firstRow]) }
    case .quantity(let quantity):
      return RowSearch.rows(holding: quantity.keyEnd, in: lines, among: rows, firstRow: firstRow) {
        quantity.mayPass($0)
      }
    }
  }
}

extension RowSearch {
  /// Those of `rows` whose value holds at least one of the needles.
  static func rows(
    holdingAny needles: [ByteNeedle], in values: BytesView, among rows: RowSelection, firstRow: Int
  ) -> RowSelection {
    var found = RowSelection.none
    for needle in needles {
      let rest = found.isEmpty ? rows : rows.subtracting(found)
      if rest.isEmpty { break }
      let more = RowSearch.rows(holding: needle, in: values, among: rest, firstRow: firstRow)
      found = found.isEmpty ? more : found.union(more)
    }
    return found
  }
}
