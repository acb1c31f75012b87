import LakeModel

/// The row pipeline of a log query over one block. Used by one task.
final class RowPipelines {
  static let missing = "parsers, formatters and filters on what they find are not implemented yet"

  /// - Returns: nil when columns have decided everything.
  static func make(
    _ plan: LogPlan, _ filtered: FilteredBlock, isCategorized: Bool
  ) async throws(QueryError) -> RowPipelines? {
    let stages = filtered.hasUnreadable ? plan.stagesWithFilters : plan.stages
    if stages.isEmpty { return nil }
    throw .notImplemented(RowPipelines.missing)
  }

  func run(
    _ block: any LogBlock, _ rows: RowSelection, _ times: BlockTimes, _ list: CandidateList,
    found: (Int, LogEntry) -> Void
  ) async throws(QueryError) {}
}
