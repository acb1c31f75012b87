import LakeLogQL
import LakeModel
import LakePorts

extension LogQueryEngine {
  /// The lines of a log query, for surfaces that sum them up: like `query`, but with a limit of the caller's.
  package func lines(_ request: LogQueryRequest, limit: Int) async throws(QueryError) -> [LogStream] {
    guard case .logs(let expression) = try parse(request.query) else {
      throw .invalid("only log selector is supported")
    }
    guard case .range(let start, let end, _, _) = request.span else { throw .invalid("a range is wanted") }
    let plan = try LogPlan(expression)
    let range = TimeRange(start: start.signedNanoseconds, end: end.signedNanoseconds)
    return try await looking { context throws(QueryError) in
      let view = try await source.open(tenant: request.tenant, range: range, context: context)
      let blocks = try await view.blocks(plan.conditions, in: range)
      let scan = LogScan(
        plan: plan, range: range, limit: limit, direction: request.direction, isCategorized: request.isCategorized,
        now: ports.wall.now.signedNanoseconds, context: context)
      let candidates = try await scan.candidates(blocks)
      let answer = LogAnswer(blocks: blocks, isCategorized: request.isCategorized, context: context)
      return try await answer.streams(candidates, interval: 0)
    }
  }
}
