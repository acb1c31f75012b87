import LakeLogQL
import LakeModel
import LakePorts

/// One log query.
struct LogQueryRun: Sendable {
  let engine: LogQueryEngine
  let request: LogQueryRequest
  let context: QueryContext

  init(engine: LogQueryEngine, _ request: LogQueryRequest, _ context: QueryContext) {
    self.engine = engine
    self.request = request
    self.context = context
  }

  func run(_ expression: LogQL.LogExpression) async throws(QueryError) -> LogQueryResult {
    guard case .range(let start, let end, _, let interval) = request.span else {
      throw LogQueryEngine.logsNeedRange
    }
    guard end >= start else { throw .invalid("end timestamp must not be before or equal to start time") }
    let limit = try limit()
    let plan = try LogPlan(expression)
    // The start is included, the end is not.
    let range = TimeRange(start: start.signedNanoseconds, end: end.signedNanoseconds)
    let view = try await engine.source.open(tenant: request.tenant, range: range, context: context)
    let blocks = try await view.blocks(plan.conditions, in: range)
    let scan = LogScan(
      plan: plan, range: range, limit: limit, direction: request.direction, isCategorized: request.isCategorized,
      now: engine.ports.wall.now.signedNanoseconds, context: context)
    let candidates = try await scan.candidates(blocks)
    let answer = LogAnswer(blocks: blocks, isCategorized: request.isCategorized, context: context)
    let streams = try await answer.streams(candidates, interval: interval.nanoseconds)
    var statistics = context.statistics
    statistics.resultCount = streams.reduce(0) { $0 + $1.count }
    return LogQueryResult(data: .streams(streams), statistics: statistics, warnings: view.warnings)
  }

  private func limit() throws(QueryError) -> Int {
    let settings = engine.settings
    guard request.limit <= settings.entriesMax else {
      throw .limitExceeded(
        "max entries limit per query exceeded, limit > max_entries_limit_per_query "
          + "(\(request.limit) > \(settings.entriesMax))")
    }
    return request.limit > 0 ? request.limit : settings.entriesDefault
  }
}
