import LakeLogQL
import LakeModel

/// A range aggregation, compiled: which rows, which sample each gives, into which series, over which windows.
struct SampleSpec: Sendable {
  enum Value: Sendable {
    /// Each line counts one.
    case one
    /// Each line counts its bytes.
    case lineBytes
    /// The value of a label.
    case label(LogQL.Unwrap)
  }
  /// What is kept of the samples.
  enum Keeping: Sendable {
    case total, moments, minimum, maximum, first, last
    /// All samples.
    case all(WindowFunction)
  }
  let plan: LogPlan
  let value: Value
  let grouping: SeriesGrouping
  let keeping: Keeping
  let operation: WindowOperation
  let aggregation: LogQL.RangeAggregation
  let grid: PaneGrid

  /// - Parameter outer: the grouping of a `sum` around the aggregation, which rows may be put into at once.
  init(_ aggregation: LogQL.RangeAggregation, sumBy outer: LogQL.Grouping?, isSummed: Bool, steps: StepGrid)
    throws(QueryError)
  {
    self.aggregation = aggregation
    plan = try LogPlan(aggregation.range.logs, unwrapped: aggregation.range.unwrap?.label)
    let range = aggregation.range.interval.nanoseconds
    // A window of no length holds nothing: one where no rows are stands in for it.
    grid =
      range > 0
      ? PaneGrid(steps: steps, range: range, offset: aggregation.range.offset.nanoseconds)
      : PaneGrid(steps: steps, range: 1, offset: .max / 2)
    if let unwrap = aggregation.range.unwrap {
      value = .label(unwrap)
    } else if aggregation.operation == .bytes || aggregation.operation == .bytesRate {
      value = .lineBytes
    } else {
      value = .one
    }
    (keeping, operation) = SampleSpec.folding(aggregation, seconds: Double(range) / 1e9)
    grouping = SampleSpec.grouping(aggregation, outer: outer, isSummed: isSummed)
  }

  private static func folding(
    _ aggregation: LogQL.RangeAggregation, seconds: Double
  ) -> (Keeping, WindowOperation) {
    switch aggregation.operation {
    case .count, .bytes, .sum: (.total, .total)
    case .rate, .bytesRate: (.total, .perSecond(seconds))
    case .average: (.moments, .average)
    case .variance: (.moments, .variance)
    case .deviation: (.moments, .deviation)
    case .min: (.minimum, .minimum)
    case .max: (.maximum, .maximum)
    case .first: (.first, .first)
    case .last: (.last, .last)
    case .absent: (.total, .presence)
    case .quantile: (.all(.quantile(aggregation.parameter ?? 0)), .total)
    case .rateCounter: (.all(.counterRate), .total)
    }
  }

  private static func grouping(
    _ aggregation: LogQL.RangeAggregation, outer: LogQL.Grouping?, isSummed: Bool
  ) -> SeriesGrouping {
    if aggregation.operation == .absent { return .everything }
    let unwrapped = aggregation.range.unwrap.map { [$0.label] } ?? []
    func made(_ grouping: LogQL.Grouping) -> SeriesGrouping {
      if grouping.isWithout { return .without(SeriesGrouping.sorted(grouping.labels + unwrapped)) }
      return .by(SeriesGrouping.sorted(grouping.labels))
    }
    if let own = aggregation.grouping { return made(own) }
    if isSummed {
      guard let outer else { return .everything }
      return made(outer)
    }
    return unwrapped.isEmpty ? .none : .without(unwrapped)
  }

  /// Sums that rows can be put into at once, because adding up parts of a series and adding up series is the same.
  static func mayPushSum(_ operation: LogQL.RangeAggregation.Operation) -> Bool {
    switch operation {
    case .count, .rate, .bytes, .bytesRate, .sum: true
    default: false
    }
  }
}
