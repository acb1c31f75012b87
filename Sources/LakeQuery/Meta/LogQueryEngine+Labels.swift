import LakeLogQL
import LakeModel

extension LogQueryEngine {
  /// Names of the stream labels that the rows carry: `service_name`, `severity_text` and resource-level attributes.
  /// - Returns: ascending by bytes.
  package func labels(_ request: LabelsRequest) async throws(QueryError) -> [String] {
    var names = Set<String>()
    for set in try await series(request) { for pair in set.pairs { names.insert(pair.name) } }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Values of one label (any that may stand in a selector).
  /// - Returns: ascending by bytes, without the empty value.
  package func labelValues(_ name: String, _ request: LabelsRequest) async throws(QueryError) -> [String] {
    try await scanning(request) { context, blocks, plans, range throws(QueryError) in
      try await LabelValueScan(context: context, label: LabelReference(name)).values(blocks, plans, in: range)
    }
  }

  /// The distinct sets of stream labels.
  /// - Returns: ascending by labels.
  package func series(_ request: LabelsRequest) async throws(QueryError) -> [LabelSet] {
    try await scanning(request) { context, blocks, plans, range throws(QueryError) in
      try await StreamScan(context: context).streams(blocks, plans, in: range)
    }
  }

  /// Streams, row groups, entries and bytes of lines that a selection holds.
  package func statistics(_ request: LabelsRequest) async throws(QueryError) -> LogIndexStatistics {
    try await scanning(request) { context, blocks, plans, range throws(QueryError) in
      var found = LogIndexStatistics()
      found.streams = try await StreamScan(context: context).streams(blocks, plans, in: range).count
      try await context.forEach(blocks) { block throws(QueryError) in
        try await volume(of: block, plans, range, context)
      } merge: { part throws(QueryError) in
        guard part.entries > 0 else { return }
        found.chunks += 1
        found.entries += part.entries
        found.bytes += part.bytes
      }
      return found
    }
  }

  private func volume(
    of block: any LogBlock, _ plans: [LogPlan], _ range: TimeRange, _ context: QueryContext
  ) async throws(QueryError) -> (entries: Int, bytes: Int) {
    var statistics = QueryStatistics()
    defer { context.count(statistics) }
    var rows = RowSelection.none
    for plan in plans {
      let more = try await plan.filter(block, in: range, statistics: &statistics).rows
      rows = rows.union(more.subtracting(rows))
    }
    if rows.isEmpty { return (0, 0) }
    if rows.isAll(of: block.rowCount), let bytes = block.lineBytes() { return (rows.count, bytes) }
    var bytes = 0
    try await block.forEachBodyPiece(holding: rows) { piece throws(QueryError) in
      rows.clamped(to: piece.rows).forEach { bytes += piece.lines[$0 - piece.rows.lowerBound].count }
    }
    return (rows.count, bytes)
  }

  /// Opens a view and hands over the blocks that the request's selectors may find rows in.
  private func scanning<Answer>(
    _ request: LabelsRequest,
    _ body: (QueryContext, [any LogBlock], [LogPlan], TimeRange) async throws(QueryError) -> Answer
  ) async throws(QueryError) -> Answer {
    guard request.end >= request.start else {
      throw .invalid("end timestamp must not be before or equal to start time")
    }
    var plans: [LogPlan] = []
    for selector in request.selectors { plans.append(try LogPlan(LogQL.LogExpression(selector: try parse(selector)))) }
    if plans.isEmpty { plans = [try LogPlan(LogQL.LogExpression(selector: LogQL.Selector([])))] }
    let range = TimeRange(
      start: request.start.signedNanoseconds, end: request.end.signedNanoseconds.addingSaturated(1))
    return try await looking { context throws(QueryError) in
      let view = try await source.open(tenant: request.tenant, range: range, context: context)
      // A block counts when it may hold rows of any selector.
      let all = try await view.blocks([], in: range)
      let blocks = all.filter { block in
        plans.contains { plan in !plan.conditions.contains { block.isRuledOut($0) } }
      }
      return try await body(context, blocks, plans, range)
    }
  }

  private func parse(_ selector: String) throws(QueryError) -> LogQL.Selector {
    do throws(LogQL.SyntaxError) { return try LogQL.parseSelector(selector, allowsEverything: true) } catch {
      throw .invalid(error.description)
    }
  }
}
