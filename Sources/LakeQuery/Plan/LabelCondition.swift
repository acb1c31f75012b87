import LakeLogQL
import LakeModel

/// What a query demands of labels that rows have before any parser ran: matchers of the selector, and label filters.
///
/// Filters by number, duration, bytes or address may fail to read a value; such rows are kept and marked by the row
/// pipeline, so here they count as kept, and `BlockFilter` tells that there were some.
indirect enum LabelCondition: Sendable {
  case value(LabelReference, ValueTest)
  case quantity(LabelReference, QuantityTest)
  case and(LabelCondition, LabelCondition)
  case or(LabelCondition, LabelCondition)

  init(_ matcher: LogQL.Matcher) throws(QueryError) {
    self = .value(LabelReference(matcher.name), try ValueTest(matcher))
  }

  init(_ filter: LogQL.LabelFilter) throws(QueryError) {
    switch filter {
    case .matcher(let matcher):
      self = .value(LabelReference(matcher.name), try ValueTest(filter: matcher))
    case .and(let left, let right): self = .and(try LabelCondition(left), try LabelCondition(right))
    case .or(let left, let right): self = .or(try LabelCondition(left), try LabelCondition(right))
    case .number(let label, let comparison, let value):
      self = .quantity(LabelReference(label), .number(comparison, value))
    case .duration(let label, let comparison, let value):
      self = .quantity(LabelReference(label), .duration(comparison, value.nanoseconds))
    case .bytes(let label, let comparison, let value):
      // Loki hands the query on as text, where a size has two digits: 3KiB becomes 3.1kB. Recorded: logfmt-5b09e38d8d.
      let handedOn = ByteSize.parse(ByteSize.text(value).filter { $0 != " " }) ?? value
      self = .quantity(LabelReference(label), .bytes(comparison, handedOn))
    case .ip(let label, let isNegated, let pattern):
      guard let matcher = IPMatcher(pattern) else { throw .invalid("ip: invalid pattern: \"\(pattern)\"") }
      self = .quantity(LabelReference(label), .ip(matcher, isNegated: isNegated))
    }
  }

  /// Whether it may meet values it cannot read.
  var mayFail: Bool {
    switch self {
    case .value: false
    case .quantity: true
    case .and(let left, let right), .or(let left, let right): left.mayFail || right.mayFail
    }
  }

  /// Quantities that columns do not ask of rows which the other side of an `and` has left out. Loki asks both sides, so on the left of
  /// an `or` they may mark rows that its right side keeps.
  var guardedQuantities: [LabelCondition] {
    switch self {
    case .value, .quantity: []
    case .and(let left, let right): left.guardedQuantities + right.quantities
    case .or(let left, let right): left.guardedQuantities + right.guardedQuantities
    }
  }

  private var quantities: [LabelCondition] {
    switch self {
    case .value: []
    case .quantity: [self]
    case .and(let left, let right), .or(let left, let right): left.quantities + right.quantities
    }
  }

  var labels: [LabelReference] {
    switch self {
    case .value(let label, _), .quantity(let label, _): [label]
    case .and(let left, let right), .or(let left, let right): left.labels + right.labels
    }
  }
}
