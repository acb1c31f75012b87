import LakeModel

/// Runs the row pipeline of a log query over one block. Used by one task.
final class LogPipeline {
  private let machine: RowMachine
  private let isCategorized: Bool
  private var all = LabelPacker()
  private var structured = LabelPacker()
  private var parsed = LabelPacker()

  /// - Returns: nil when columns have decided everything and the stored rows are the answer.
  static func make(
    _ plan: LogPlan, _ filtered: FilteredBlock, isCategorized: Bool, now: Int64
  ) async throws(QueryError) -> LogPipeline? {
    let stages = filtered.hasUnreadable ? plan.stagesWithFilters : plan.stages
    if stages.isEmpty { return nil }
    let program = try RowProgram(stages, hints: .everything, reads: nil)
    return LogPipeline(
      try await RowMachine.make(program, filtered.labels, now: now), isCategorized: isCategorized)
  }

  private init(_ machine: RowMachine, isCategorized: Bool) {
    self.machine = machine
    self.isCategorized = isCategorized
  }

  /// - Parameters:
  ///   - isWanted: whether an entry at a time may still be part of the answer.
  ///   - found: gets each row that is left, and what became of it.
  func run(
    _ block: any LogBlock, _ rows: RowSelection, _ times: BlockTimes, _ context: QueryContext,
    isWanted: (Int64) -> Bool, found: (Int, LogEntry) throws(QueryError) -> Void
  ) async throws(QueryError) {
    try await block.forEachBodyPiece(holding: rows) { piece throws(QueryError) in
      try context.check()
      try rows.clamped(to: piece.rows).forEach { row throws(QueryError) in
        let time = times.nanoseconds(of: row)
        guard isWanted(time) else { return }
        let line = piece.lines[row - piece.rows.lowerBound]
        if machine.run(row, line, time: time) { try found(row, entry()) }
      }
    }
  }

  private func entry() -> LogEntry {
    all.begin()
    structured.begin()
    parsed.begin()
    for label in machine.labels.sorted() {
      switch label.category {
      case .structured where isCategorized: structured.append(name: label.name, value: label.value)
      case .parsed where isCategorized: parsed.append(name: label.name, value: label.value)
      default: all.append(name: label.name, value: label.value)
      }
    }
    return LogEntry(
      labels: all.set,
      metadata: isCategorized ? EntryMetadata(structured: structured.set, parsed: parsed.set) : nil,
      line: Bytes(copying: machine.line))
  }
}
