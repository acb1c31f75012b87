import LakeLogQL
import LakeModel

/// What filters behind parsers demand of the stored line: a label that no column and no attribute brings must be made from the line,
/// so bytes of its key and of its value stand there.
///
/// A demand is necessary, never sufficient: rows that meet it still run through the pipeline, rows that do not would be dropped by it.
struct LineDemand: Sendable {
  /// It holds for rows that have none of these labels stored.
  let labels: [LabelReference]
  /// Keeps the lines that hold one of some texts.
  let matcher: LineMatcher
}

/// Finds the demands of a pipeline. README.md, "What filters behind parsers demand".
struct LineDemandReader {
  private(set) var demands: [LineDemand] = []
  private var parsers: [Parser] = []
  /// A row may carry an error here; filters by number, duration, bytes and address let such rows pass.
  private var mayHaveErrors: Bool
  /// Labels that a stage writes: their values need not stand in the line.
  private var written = Set<String>()
  /// Parsers to come read a line that is not the stored one.
  private var isRewritten = false
  /// Nothing can be told any more.
  private var isOver = false

  /// One of the texts stands in every line that the parser gives the label from.
  fileprivate struct Parser {
    let stage: LogQL.Stage
    /// Gives labels whose key does not stand in the line, with an empty value.
    var givesEmptyLabels: Bool {
      switch stage {
      case .json(let extractions): !extractions.isEmpty
      case .logfmt(let logfmt): !logfmt.extractions.isEmpty
      default: false
      }
    }

    /// How it joins keys and values, when it makes labels of all of them.
    var plainSyntax: KeyedQuantity.Syntax? {
      switch stage {
      case .json(let extractions): extractions.isEmpty ? .json : nil
      case .logfmt(let logfmt): logfmt.extractions.isEmpty ? .logfmt : nil
      default: nil
      }
    }
  }

  /// A line holds one of the texts, or plainly one of the quantities.
  private struct Clause {
    var labels: Set<String>
    var texts: Set<RegexShape.Literal>
    var quantities: [KeyedQuantity] = []

    /// Texts one of which stands in every line that holds one of the quantities.
    var keyEnds: [RegexShape.Literal] {
      quantities.map { RegexShape.Literal(bytes: $0.keyEnd.bytes, isFolded: false) }
    }
  }

  /// - Parameters:
  ///   - unwrapped: a label without which rows give no sample.
  ///   - mayHaveErrors: filters by stored labels may have met values that they could not read.
  static func demands(
    of stages: [LogQL.Stage], unwrapped: String?, mayHaveErrors: Bool
  ) throws(QueryError) -> [LineDemand] {
    var reader = LineDemandReader(mayHaveErrors: mayHaveErrors)
    for (index, stage) in stages.enumerated() {
      try reader.read(stage, rest: stages[(index + 1)...])
      if reader.isOver { return reader.demands }
    }
    if let unwrapped { reader.add(reader.clauses(label: unwrapped, values: nil)) }
    return reader.demands
  }

  private init(mayHaveErrors: Bool) { self.mayHaveErrors = mayHaveErrors }

  private mutating func read(_ stage: LogQL.Stage, rest: ArraySlice<LogQL.Stage>) throws(QueryError) {
    switch stage {
    case .lineFilter: break
    case .json, .logfmt, .regexp, .pattern:
      if isRewritten { isOver = true }
      parsers.append(Parser(stage: stage))
      mayHaveErrors = true
    case .labelFilter(let filter):
      let dropsErrorsLater = LineDemandReader.dropsErrors(rest)
      add(try clauses(filter, dropsErrorsLater: dropsErrorsLater))
    case .unpack: isOver = true
    case .decolorize: isRewritten = true
    case .lineFormat:
      isRewritten = true
      mayHaveErrors = true
    case .labelFormat(let formats):
      for format in formats { written.insert(format.label) }
      mayHaveErrors = true
    // A label that is still there was there before.
    case .keep: break
    case .drop(let choices): if choices.contains(.name("__error__")) { mayHaveErrors = false }
    }
  }

  /// Whether rows with an error are dropped by a filter to come, before anything could take the error away.
  private static func dropsErrors(_ stages: ArraySlice<LogQL.Stage>) -> Bool {
    for stage in stages {
      switch stage {
      case .labelFilter(let filter): if isFree(filter) { return true }
      case .labelFormat, .drop, .keep: return false
      default: break
      }
    }
    return false
  }

  /// `__error__=""`, alone or with others.
  private static func isFree(_ filter: LogQL.LabelFilter) -> Bool {
    switch filter {
    case .matcher(let matcher):
      matcher.name == "__error__" && matcher.operation == .equal && matcher.value.isEmpty
    case .and(let left, let right): isFree(left) || isFree(right)
    default: false
    }
  }

  // MARK: - Filters

  /// Clauses all of which hold for a row that the filter keeps.
  private mutating func clauses(_ filter: LogQL.LabelFilter, dropsErrorsLater: Bool) throws(QueryError) -> [Clause] {
    switch filter {
    case .matcher(let matcher):
      if matcher.name == "__error__" {
        if LineDemandReader.isFree(filter) { mayHaveErrors = false }
        return []
      }
      let test = try ValueTest(filter: matcher)
      if matcher.name.hasPrefix("__") || test.passesAbsent { return [] }
      return clauses(label: matcher.name, values: test.isNegated ? nil : LineDemandReader.values(matcher, test))
    case .number(let label, _, _), .duration(let label, _, _), .bytes(let label, _, _), .ip(let label, _, _):
      let isTold =
        dropsErrorsLater || (!mayHaveErrors && !parsers.contains { $0.givesEmptyLabels })
      mayHaveErrors = true
      guard isTold else { return [] }
      let texts = clauses(label: label, values: nil)
      guard let quantity = quantityClause(label: label, try LabelCondition(filter)) else { return texts }
      return [quantity] + texts.filter { !$0.texts.isSubset(of: quantity.texts.union(quantity.keyEnds)) }
    case .and(let left, let right):
      let first = try clauses(left, dropsErrorsLater: dropsErrorsLater)
      return first + (try clauses(right, dropsErrorsLater: dropsErrorsLater))
    case .or(let left, let right):
      let before = mayHaveErrors
      let first = try clauses(left, dropsErrorsLater: dropsErrorsLater)
      let between = mayHaveErrors
      // The right side sees what the left one may have marked, and rows that the left one would have dropped.
      mayHaveErrors = before || between
      let second = try clauses(right, dropsErrorsLater: dropsErrorsLater)
      mayHaveErrors = mayHaveErrors || before || between
      // Either side's most telling clause.
      guard let a = first.first, let b = second.first else { return [] }
      return [
        Clause(
          labels: a.labels.union(b.labels), texts: a.texts.union(b.texts), quantities: a.quantities + b.quantities)
      ]
    }
  }

  /// Texts one of which the value of a label that passes holds; nil: nothing is known.
  private static func values(_ matcher: LogQL.Matcher, _ test: ValueTest) -> [RegexShape.Literal]? {
    if let texts = test.texts { return texts.map { RegexShape.Literal(bytes: $0, isFolded: false) } }
    guard matcher.operation.isRegex else { return nil }
    return RegexShape(matcher.value).anyOf
  }

  /// Whether a row that has the label, but not stored, has it from a parser. Hidden labels come from their columns.
  private func isMade(_ label: String) -> Bool {
    !parsers.isEmpty && !written.contains(label) && !LabelReference(label).isHidden
  }

  /// The clauses of a label that must be there, the most telling one first.
  private func clauses(label: String, values: [RegexShape.Literal]?) -> [Clause] {
    guard isMade(label) else { return [] }
    var name = label
    if name.hasSuffix("_extracted") { name.removeLast("_extracted".count) }
    var found: [Clause] = []
    func add(_ texts: Set<RegexShape.Literal>?) {
      guard let texts, !texts.isEmpty, texts.count <= LineDemandReader.textsMax else { return }
      found.append(Clause(labels: [label], texts: texts))
    }
    if let values { add(union { $0.texts(ofValues: values) }) }
    add(union { $0.texts(ofKey: name, label: label) })
    return found
  }

  /// The clause of a label whose value must pass a test as a quantity, where every parser joins keys and values in the same plain way.
  private func quantityClause(label: String, _ condition: LabelCondition) -> Clause? {
    guard case .quantity(_, let test) = condition, let syntax = parsers.first?.plainSyntax,
      parsers.allSatisfy({ $0.plainSyntax == syntax }), isMade(label),
      // Such a label may have come from a key with or without the suffix.
      !label.hasSuffix("_extracted"), let keyEnd = LineText.lastWord(label)
    else { return nil }
    if case .ip = test { return nil }
    return Clause(
      labels: [label], texts: syntax == .json ? [Parser.escape] : [],
      quantities: [KeyedQuantity(keyEnd: ByteNeedle(keyEnd), syntax: syntax, test: test)])
  }

  private static let textsMax = 12

  /// What any of the parsers may ask for; nil when one of them asks for nothing.
  private func union(_ texts: (Parser) -> Set<RegexShape.Literal>?) -> Set<RegexShape.Literal>? {
    var all = Set<RegexShape.Literal>()
    for parser in parsers {
      guard let some = texts(parser) else { return nil }
      all.formUnion(some)
    }
    return all
  }

  private mutating func add(_ clauses: [Clause]) {
    for clause in clauses {
      let texts = clause.texts.sorted { a, b in
        a.bytes == b.bytes ? !a.isFolded && b.isFolded : a.bytes.lexicographicallyPrecedes(b.bytes)
      }
      demands.append(
        LineDemand(
          labels: clause.labels.sorted().map { LabelReference($0) },
          matcher: LineMatcher(
            anyOf: texts.map { ByteNeedle($0.bytes, isFolded: $0.isFolded) }, quantities: clause.quantities)))
    }
  }
}

// MARK: - Parsers

extension LineDemandReader.Parser {
  /// In JSON and in quoted values any ASCII character may be written like this instead.
  fileprivate static let escape = RegexShape.Literal(bytes: Array(#"\u00"#.utf8), isFolded: false)

  /// Texts one of which stands in every line from which the label is made; nil when none can be told, empty when it never is.
  ///
  /// - Parameters:
  ///   - name: the label's name without `_extracted`.
  fileprivate func texts(ofKey name: String, label: String) -> Set<RegexShape.Literal>? {
    switch stage {
    case .json(let extractions) where extractions.isEmpty:
      return LineText.word(name).map { [$0, Self.escape] }
    case .json(let extractions):
      var all = Set<RegexShape.Literal>()
      for extraction in extractions where extraction.label == name || extraction.label == label {
        guard case .success(let path) = LogQL.ExtractionPath.json(extraction.expression) else { return nil }
        let members = path.steps.compactMap { step in if case .member(let name) = step { name } else { nil } }
        guard let text = members.compactMap({ LineText.run(Array($0.utf8)) }).max(by: LineText.isShorter) else {
          return nil
        }
        all.formUnion([RegexShape.Literal(bytes: text, isFolded: false), Self.escape])
      }
      return all
    case .logfmt(let logfmt) where logfmt.extractions.isEmpty:
      return LineText.word(name).map { [$0] }
    case .logfmt(let logfmt):
      var all = Set<RegexShape.Literal>()
      for extraction in logfmt.extractions where extraction.label == name || extraction.label == label {
        guard case .success(let path) = LogQL.ExtractionPath.logfmt(extraction.expression), path.steps.count == 1,
          case .member(let key) = path.steps[0], let first = LineText.word(key),
          let second = LineText.word(extraction.label)
        else { return nil }
        all.formUnion([first, second])
      }
      return all
    case .regexp(let expression): return RegexShape(expression).anyOf.map { Set($0) }
    case .pattern(let text):
      guard case .success(let pattern) = LogQL.LinePattern.parser(text), case .literal(let first)? = pattern.parts.first
      else { return nil }
      return [RegexShape.Literal(bytes: Array(first.utf8), isFolded: false)]
    default: return nil
    }
  }

  /// Texts one of which stands in every line that gives a label one of the values.
  fileprivate func texts(ofValues values: [RegexShape.Literal]) -> Set<RegexShape.Literal>? {
    var all = Set<RegexShape.Literal>()
    for value in values {
      guard let run = LineText.run(value.bytes) else { return nil }
      all.insert(RegexShape.Literal(bytes: run, isFolded: value.isFolded && run.contains(where: ASCII.isLetter)))
    }
    switch stage {
    case .json, .logfmt: all.insert(Self.escape)
    default: break
    }
    return all
  }
}

/// Parts of texts that stand in a line as they are, whatever a parser does to the rest.
private enum LineText {
  /// Shorter texts stand in too many lines.
  private static let bytesMin = 2

  /// The longest run of letters and digits of a label's name: every other character may have become `_`.
  static func word(_ name: String) -> RegexShape.Literal? {
    longest(Array(name.utf8)) { ASCII.isLetter($0) || ASCII.isDigit($0) }
      .map { RegexShape.Literal(bytes: $0, isFolded: false) }
  }

  /// The longest run of characters that are written in JSON and logfmt as they are or as `\u00..`. Spaces may stand for bytes that are no
  /// text; quotes and slashes have further escapes.
  static func run(_ text: [UInt8]) -> [UInt8]? {
    longest(text) { byte in
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "'"): false
      default: byte > 32 && byte < 127
      }
    }
  }

  /// The letters and digits that a label's name ends with: the end of its key stands so in the line.
  static func lastWord(_ name: String) -> [UInt8]? {
    let end = Array(name.utf8.reversed().prefix { ASCII.isLetter($0) || ASCII.isDigit($0) }.reversed())
    return end.count >= bytesMin ? end : nil
  }

  static func isShorter(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.count < b.count }

  private static func longest(_ text: [UInt8], _ belongs: (UInt8) -> Bool) -> [UInt8]? {
    let runs = text.split { !belongs($0) }
    guard let best = runs.map(Array.init).max(by: isShorter), best.count >= bytesMin else { return nil }
    return best
  }
}
