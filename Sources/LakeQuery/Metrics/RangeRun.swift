import LakeModel

/// Evaluates one range aggregation over the blocks of a query.
struct RangeRun: Sendable {
  let spec: SampleSpec
  let context: QueryContext

  /// - Returns: series ascending by labels.
  func evaluate(_ blocks: [any LogBlock]) async throws(QueryError) -> [GridSeries] {
    if !spec.plan.stages.isEmpty { throw .notImplemented(RowPipelines.missing) }
    return switch spec.keeping {
    case .total: try await fold(blocks, TotalState.self)
    case .moments: try await fold(blocks, MomentState.self)
    case .minimum: try await fold(blocks, MinimumState.self)
    case .maximum: try await fold(blocks, MaximumState.self)
    case .first: try await fold(blocks, FirstState.self)
    case .last: try await fold(blocks, LastState.self)
    case .all: throw QueryError.notImplemented("this aggregation is not implemented yet")
    }
  }

  private func fold<State: WindowState>(
    _ blocks: [any LogBlock], _ type: State.Type
  ) async throws(QueryError) -> [GridSeries] {
    var series = SeriesTable()
    var table = PaneTable<State>()
    var held = 0
    try await context.forEach(blocks) { block throws(QueryError) in
      try await samples(of: block, type)
    } merge: { part throws(QueryError) in
      let numbers = part.series.map { series.number(of: $0) }
      table.merge(part.panes, numbers: numbers)
      let holds = series.memoryBytes + table.memoryBytes
      try context.hold(bytes: holds - held)
      held = holds
    }
    let windows = table.finish().windows(spec.grid, labels: series.sets, operation: spec.operation)
    return windows.sortedByLabels()
  }

  /// The panes of one block.
  private func samples<State: WindowState>(
    of block: any LogBlock, _ type: State.Type
  ) async throws(QueryError) -> BlockPart<State> {
    var statistics = QueryStatistics()
    defer { context.count(statistics) }
    let filtered = try await spec.plan.filter(block, in: spec.grid.timeRange, statistics: &statistics)
    if filtered.hasUnreadable && !spec.plan.stagesWithFilters.isEmpty {
      throw .notImplemented(RowPipelines.missing)
    }
    statistics.rowsMatched += filtered.rows.count
    var samples = BlockSamples<State>(grid: spec.grid)
    if filtered.rows.isEmpty { return samples.finish(SeriesTable()) }
    var grouping = try await RowGrouping(spec.grouping, filtered.labels)
    switch spec.value {
    case .one:
      if let pane = onlyPane(block) {
        samples.count(filtered.rows, pane: pane, grouping: &grouping)
      } else {
        let times = try await filtered.labels.times()
        samples.add(filtered.rows, times: times, grouping: &grouping) { _ in 1 }
      }
    case .lineBytes:
      let times = try await filtered.labels.times()
      let sizes = try await lineSizes(block, filtered.rows, &statistics)
      samples.add(filtered.rows, times: times, grouping: &grouping) { Double(sizes[$0]) }
    case .label:
      throw .notImplemented("unwrap is not implemented yet")
    }
    return samples.finish(grouping.finish())
  }

  /// The one pane in which all rows of the block lie, if its bounds say so and no row lies outside.
  private func onlyPane(_ block: any LogBlock) -> Int? {
    guard let bounds = block.timeBounds,
      spec.grid.timeRange.coversMicroseconds(bounds.lowerBound, bounds.upperBound)
    else { return nil }
    let (pane, times) = spec.grid.pane(of: bounds.lowerBound.multipliedSaturated(by: 1000))
    let last = bounds.upperBound.multipliedSaturated(by: 1000).addingSaturated(999)
    return pane >= 0 && last <= times.upperBound ? pane : nil
  }

  /// Bytes of the line of each row; rows that are not asked for have 0.
  private func lineSizes(
    _ block: any LogBlock, _ rows: RowSelection, _ statistics: inout QueryStatistics
  ) async throws(QueryError) -> [UInt32] {
    var sizes = [UInt32](repeating: 0, count: block.rowCount)
    try await block.forEachBodyPiece(holding: rows) { piece throws(QueryError) in
      rows.clamped(to: piece.rows).forEach { row in
        sizes[row] = UInt32(truncatingIfNeeded: piece.lines[row - piece.rows.lowerBound].count)
      }
    }
    return sizes
  }
}
