import LakeLogQL
import LakeModel
import LakePorts

/// One metric query.
struct MetricQueryRun: Sendable {
  let engine: LogQueryEngine
  let request: LogQueryRequest
  let context: QueryContext

  init(engine: LogQueryEngine, _ request: LogQueryRequest, _ context: QueryContext) {
    self.engine = engine
    self.request = request
    self.context = context
  }

  /// What a sample of the answer takes until it is sent.
  private static let bytesPerSample = 64

  func run(_ expression: LogQL.MetricExpression) async throws(QueryError) -> LogQueryResult {
    let steps = try StepGrid(request.span, pointsMax: engine.settings.pointsMax)
    if case .literal(let value) = expression, case .instant = request.span {
      return LogQueryResult(data: .scalar(value), statistics: context.statistics)
    }
    // One view for all aggregations of the query.
    var view: (any LogView)?
    if let range = expression.timeRange(steps) {
      view = try await engine.source.open(tenant: request.tenant, range: range, context: context)
    }
    let evaluator = MetricEvaluator(
      blocks: { [view] spec throws(QueryError) in
        guard let view else { return [] }
        return try await view.blocks(spec.plan.conditions, in: spec.grid.timeRange)
      }, steps: steps, now: engine.ports.wall.now.signedNanoseconds, context: context,
      seriesMax: expression.isRangeAggregation ? engine.settings.seriesMax : Int.max)
    let series = try await evaluator.evaluate(expression)
    guard series.count <= engine.settings.seriesMax else {
      throw .manySeries(limit: engine.settings.seriesMax)
    }
    // As samples and as text.
    try context.hold(bytes: series.reduce(0) { $0 + $1.steps.count } * MetricQueryRun.bytesPerSample)
    var statistics = context.statistics
    statistics.resultCount = series.count
    return LogQueryResult(data: data(series, steps), statistics: statistics, warnings: view?.warnings ?? [])
  }

  private func data(_ series: [GridSeries], _ steps: StepGrid) -> LogQueryResult.Data {
    if case .instant(let time) = request.span {
      return .vector(series.map { VectorSample(labels: $0.labels, time: time, value: $0.values[0]) })
    }
    return .matrix(
      series.map { one in
        SampleSeries(
          labels: one.labels, times: one.steps.map { Timestamp(signedNanoseconds: steps.time(Int($0))) },
          values: one.values)
      })
  }
}

extension LogQL.MetricExpression {
  /// Whether its series are those of the answer, each of them.
  fileprivate var isRangeAggregation: Bool { if case .range = self { true } else { false } }

  /// The times that the windows of all its range aggregations cover; nil when there is none.
  func timeRange(_ steps: StepGrid) -> TimeRange? {
    switch self {
    case .literal, .vector: nil
    case .range(let aggregation):
      PaneGrid(
        steps: steps, range: max(1, aggregation.range.interval.nanoseconds),
        offset: aggregation.range.offset.nanoseconds
      ).timeRange
    case .aggregation(let aggregation): aggregation.operand.timeRange(steps)
    case .labelReplace(let replace): replace.operand.timeRange(steps)
    case .binary(let operation):
      TimeRange.joined(operation.left.timeRange(steps), operation.right.timeRange(steps))
    }
  }
}

extension TimeRange {
  /// The smallest range around both.
  static func joined(_ a: TimeRange?, _ b: TimeRange?) -> TimeRange? {
    guard let a else { return b }
    guard let b else { return a }
    return TimeRange(start: min(a.start, b.start), end: max(a.end, b.end))
  }
}
