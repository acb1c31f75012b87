import LakeLogQL

/// Which labels parsers of a metric query must make: those that its filters, its sample and its grouping name.
///
/// Loki's parsers stop when they have all of them, and do nothing when none is wanted; then a malformed line is no error.
/// So what hints say can be seen in answers. Source: Loki's `parser_hints.go`.
final class ParserHints: Sendable {
  /// Names wanted; empty: all.
  let required: [FixedBytes]
  /// Parsers are passed over.
  let wantsNothing: Bool
  /// The query names `__error__`: rows with errors are kept for it.
  let preservesErrors: Bool
  /// What a key may begin with that becomes a wanted name: a bit for each byte.
  private let firstBytes: [UInt64]

  /// Log queries want every label.
  static let everything = ParserHints(required: [], wantsNothing: false, preservesErrors: false)

  private init(required: [FixedBytes], wantsNothing: Bool, preservesErrors: Bool) {
    self.required = required
    self.wantsNothing = wantsNothing
    self.preservesErrors = preservesErrors
    firstBytes = ParserHints.firstBytes(required)
  }

  /// Keys become names by having space cut off, characters replaced by `_`, and `_` put before a digit.
  private static func firstBytes(_ names: [FixedBytes]) -> [UInt64] {
    var bits = [UInt64](repeating: names.isEmpty ? .max : 0, count: 4)
    func add(_ byte: UInt8) { bits[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
    for byte in [9, 10, 11, 12, 13, 32] as [UInt8] { add(byte) }
    for name in names {
      guard let first = name.buffer.first else { continue }
      add(first)
      if first == UInt8(ascii: "_") { for byte in UInt8.min...UInt8.max where !ASCII.isLetter(byte) { add(byte) } }
    }
    return bits
  }

  /// Whether a wanted name may begin with what a key becomes; tells most that may not by their first byte.
  @inline(__always)
  func mayBegin(key: UnsafeRawBufferPointer) -> Bool {
    guard let first = key.first else { return true }
    return firstBytes.withUnsafeBufferPointer { $0[Int(first >> 6)] >> UInt64(first & 63) & 1 != 0 }
  }

  /// Whether a key may become a wanted name by itself.
  @inline(__always)
  func mayWant(key: UnsafeRawBufferPointer) -> Bool {
    if key.isEmpty { return true }
    return mayBegin(key: key) && (required.isEmpty || isWantedOrChanges(key))
  }

  /// A key that is a name already is wanted or not; others are told once they have been made names.
  private func isWantedOrChanges(_ key: UnsafeRawBufferPointer) -> Bool {
    wants(key) || ASCII.isDigit(key[0]) || !key.allSatisfy(LabelKey.isPart)
  }

  /// - Parameters:
  ///   - stages: of the pipeline; `unwrap` and its filters follow them.
  ///   - grouping: of the samples.
  convenience init(_ stages: [LogQL.Stage], unwrap: LogQL.Unwrap?, grouping: SeriesGrouping) {
    var names: [String] = []
    for stage in stages { names += stage.requiredLabels }
    for filter in unwrap?.filters ?? [] { names += filter.labels }
    var isGrouped = false
    var isSingle = false
    switch grouping {
    case .everything: isSingle = true
    case .by(let labels):
      isGrouped = !labels.isEmpty
      isSingle = labels.isEmpty
      names += labels
    case .without, .none: break
    }
    if let unwrap { names.append(unwrap.label) }
    var wanted: [String] = []
    func want(_ name: String) { if !name.isEmpty && !wanted.contains(name) { wanted.append(name) } }
    for name in names {
      want(name)
      if name.hasSuffix("_extracted") { want(String(name.dropLast("_extracted".count))) }
    }
    if isSingle {
      self.init(
        required: wanted.map { FixedBytes($0) }, wantsNothing: wanted.isEmpty,
        preservesErrors: wanted.contains("__error__"))
    } else if isGrouped {
      self.init(
        required: wanted.map { FixedBytes($0) }, wantsNothing: false, preservesErrors: wanted.contains("__error__"))
    } else {
      self.init(required: [], wantsNothing: false, preservesErrors: false)
    }
  }

  @inline(__always)
  func wants(_ name: UnsafeRawBufferPointer) -> Bool {
    if required.isEmpty { return true }
    for wanted in required where wanted.buffer.equals(name) { return true }
    return false
  }

  /// Whether a wanted name begins so.
  func wantsBeginning(_ prefix: UnsafeRawBufferPointer) -> Bool {
    if required.isEmpty { return true }
    for wanted in required {
      let name = wanted.buffer
      if name.count >= prefix.count && name.part(0..<prefix.count).equals(prefix) { return true }
    }
    return false
  }

  /// Whether every wanted label has been made.
  func isSatisfied(by labels: borrowing RowLabels) -> Bool {
    if required.isEmpty || labels.made.count < required.count { return false }
    for wanted in required where !labels.isMade(wanted.buffer) { return false }
    return true
  }
}

extension LogQL.Stage {
  /// Labels that a stage reads, as far as hints count them.
  var requiredLabels: [String] {
    switch self {
    case .labelFilter(let filter): filter.labels
    case .lineFormat(let text): (try? LogQL.Template(text, name: "line"))?.fields ?? []
    case .labelFormat(let formats):
      formats.flatMap { format in
        switch format.source {
        case .label(let name): [name]
        case .template(let text): (try? LogQL.Template(text, name: "label"))?.fields ?? []
        }
      }
    case .lineFilter, .json, .logfmt, .regexp, .pattern, .unpack, .decolorize, .drop, .keep: []
    }
  }
}

extension LogQL.Template {
  /// Names of fields that the template reads.
  var fields: [String] { nodes.flatMap(LogQL.Template.fields) }

  private static func fields(_ node: Node) -> [String] {
    switch node {
    case .text, .leaveLoop, .nextRound: []
    case .action(let pipeline): fields(pipeline)
    case .branch(let branch):
      fields(branch.pipeline) + branch.body.flatMap(fields) + branch.otherwise.flatMap(fields)
    case .call(_, let pipeline): pipeline.map(fields) ?? []
    }
  }

  private static func fields(_ pipeline: Pipeline) -> [String] {
    pipeline.commands.flatMap { $0.arguments.flatMap(fields) }
  }

  private static func fields(_ argument: Argument) -> [String] {
    switch argument {
    case .field(let names): names
    case .pipeline(let pipeline): fields(pipeline)
    case .chain(let inner, _): fields(inner)
    default: []
    }
  }
}
