import LakeLogQL
import LakeModel

/// Evaluates one range aggregation over the blocks of a query.
struct RangeRun: Sendable {
  let spec: SampleSpec
  /// Nanoseconds, for `now` in templates.
  let now: Int64
  let context: QueryContext
  /// Series that may have samples. More are refused before they are put in order.
  var seriesMax = Int.max

  /// - Returns: series ascending by labels.
  func evaluate(_ blocks: [any LogBlock]) async throws(QueryError) -> [GridSeries] {
    switch spec.keeping {
    case .total: try await fold(blocks, TotalState.self)
    case .moments: try await fold(blocks, MomentState.self)
    case .minimum: try await fold(blocks, MinimumState.self)
    case .maximum: try await fold(blocks, MaximumState.self)
    case .first: try await fold(blocks, FirstState.self)
    case .last: try await fold(blocks, LastState.self)
    case .all(let function): try await list(blocks, function)
    }
  }

  // MARK: - States in panes

  private func fold<State: WindowState>(
    _ blocks: [any LogBlock], _ type: State.Type
  ) async throws(QueryError) -> [GridSeries] {
    var merged = MergedPanes<State>(seriesMax: seriesMax, held: HeldMemory(context))
    let (known, unknown) = try countsKnown(of: blocks, type)
    if let known { try merged.add(known) }
    try await context.forEach(unknown) { block throws(QueryError) in
      try await panes(of: block, type)
    } merge: { part throws(QueryError) in
      try merged.add(part)
    }
    let (all, labels) = merged.finish()
    return try all.windows(spec.grid, labels: labels, operation: spec.operation, context).sortedByLabels()
  }

  /// The panes of all blocks so far, under the series numbers of the query.
  private struct MergedPanes<State: WindowState>: ~Copyable {
    private(set) var series = SeriesTable()
    private(set) var table = PaneTable<State>()
    private let seriesMax: Int
    private let held: HeldMemory

    init(seriesMax: Int, held: HeldMemory) {
      self.seriesMax = seriesMax
      self.held = held
    }

    mutating func add(_ part: BlockPart<State>) throws(QueryError) {
      let numbers = part.series.map { series.number(of: $0) }
      table.merge(part.panes, numbers: numbers)
      guard table.seriesCount <= seriesMax else { throw .manySeries(limit: seriesMax) }
      try held.set(series.memoryBytes + table.memoryBytes)
    }

    consuming func finish() -> (PanePart<State>, [LabelSet]) {
      let labels = series.sets
      return (table.finish(), labels)
    }
  }

  /// What can be counted without waiting for anything, and the blocks that are left.
  private func countsKnown<State: WindowState>(
    of blocks: [any LogBlock], _ type: State.Type
  ) throws(QueryError) -> (BlockPart<State>?, [any LogBlock]) {
    guard var counts = KnownCounts<State>(spec) else { return (nil, blocks) }
    var left: [any LogBlock] = []
    for (index, block) in blocks.enumerated() {
      if index % 256 == 255 { try context.check() }
      if let pane = onlyPane(block), counts.add(block, pane: pane) { continue }
      left.append(block)
    }
    var statistics = QueryStatistics()
    statistics.rowsRead = counts.rowCount
    statistics.rowsMatched = counts.rowCount
    context.count(statistics)
    return (counts.finish(HeldMemory(context)), left)
  }

  /// The panes of one block.
  private func panes<State: WindowState>(
    of block: any LogBlock, _ type: State.Type
  ) async throws(QueryError) -> BlockPart<State> {
    var statistics = QueryStatistics()
    defer { context.count(statistics) }
    let filtered = try await spec.plan.filter(block, in: spec.grid.timeRange, statistics: &statistics)
    statistics.rowsMatched += filtered.rows.count
    var samples = BlockSamples<State>(grid: spec.grid)
    let held = HeldMemory(context)
    if filtered.rows.isEmpty { return samples.finish(SeriesTable(), held) }
    if let columns = try await ColumnSamples.make(spec, filtered, context, &statistics) {
      var grouping = try await RowGrouping.make(spec.grouping, filtered.labels)
      if columns.isCount, let pane = onlyPane(block) {
        samples.count(filtered.rows, pane: pane, grouping: &grouping)
      } else {
        let times = try await filtered.labels.times()
        for rows in filtered.rows.portions(of: RangeRun.rowsAtOnce) {
          try context.check()
          samples.add(rows, times: times, grouping: &grouping, value: columns.value)
          try held.set(samples.memoryBytes + grouping.memoryBytes)
        }
      }
      return samples.finish(grouping.finish(), held)
    }
    let rows = try await RowSamples.make(spec, filtered, now: now)
    var cursor = PaneCursor(spec.grid)
    try await forEachSample(rows, filtered, block) { series, value, time throws(QueryError) in
      let pane = cursor.pane(of: time)
      if pane >= 0 { samples.add(series: series, pane: pane, value: value, time: time) }
    } portion: { () throws(QueryError) in
      try held.set(samples.memoryBytes + rows.series.memoryBytes)
    }
    return samples.finish(rows.series, held)
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

  // MARK: - All samples

  private func list(_ blocks: [any LogBlock], _ function: WindowFunction) async throws(QueryError) -> [GridSeries] {
    var series = SeriesTable()
    var list = SampleList()
    let held = HeldMemory(context)
    try await context.forEach(blocks) { block throws(QueryError) in
      try await samples(of: block)
    } merge: { part throws(QueryError) in
      list.merge(part.list, numbers: part.series.map { series.number(of: $0) })
      try held.set(series.memoryBytes + list.memoryBytes)
    }
    return try list.finish().windows(spec.grid, labels: series.sets, function, context).sortedByLabels()
  }

  /// Rows that are worked on before limits and the client are looked after again.
  private static let rowsAtOnce = 1 << 16

  private func samples(
    of block: any LogBlock
  ) async throws(QueryError) -> (series: [LabelSet], list: SampleListPart, held: HeldMemory) {
    var statistics = QueryStatistics()
    defer { context.count(statistics) }
    let filtered = try await spec.plan.filter(block, in: spec.grid.timeRange, statistics: &statistics)
    statistics.rowsMatched += filtered.rows.count
    var list = SampleList()
    let held = HeldMemory(context)
    if filtered.rows.isEmpty { return ([], list.finish(), held) }
    if let columns = try await ColumnSamples.make(spec, filtered, context, &statistics) {
      var grouping = try await RowGrouping.make(spec.grouping, filtered.labels)
      let times = try await filtered.labels.times()
      for rows in filtered.rows.portions(of: RangeRun.rowsAtOnce) {
        try context.check()
        grouping.forEach(rows) { row, series in
          if let value = columns.value(row) { list.add(series: series, value: value, time: times.nanoseconds(of: row)) }
        }
        try held.set(list.memoryBytes + grouping.memoryBytes)
      }
      return (grouping.finish().sets, list.finish(), held)
    }
    let rows = try await RowSamples.make(spec, filtered, now: now)
    try await forEachSample(rows, filtered, block) { series, value, time throws(QueryError) in
      list.add(series: series, value: value, time: time)
    } portion: { () throws(QueryError) in
      try held.set(list.memoryBytes + rows.series.memoryBytes)
    }
    return (rows.series.sets, list.finish(), held)
  }

  // MARK: - Rows one by one

  /// Runs the pipeline over the rows; those between windows are passed over.
  ///
  /// - Parameter portion: called now and then, to look after limits.
  private func forEachSample(
    _ rows: RowSamples, _ filtered: FilteredBlock, _ block: any LogBlock,
    _ body: (Int, Double, Int64) throws(QueryError) -> Void, portion: () throws(QueryError) -> Void
  ) async throws(QueryError) {
    let times = try await filtered.labels.times()
    var cursor = PaneCursor(spec.grid)
    guard rows.readsLine else {
      for some in filtered.rows.portions(of: RangeRun.rowsAtOnce) {
        try context.check()
        try some.forEach { row throws(QueryError) in
          let time = times.nanoseconds(of: row)
          guard cursor.pane(of: time) >= 0 else { return }
          if let (series, value) = try rows.sample(row, .none, time: time) { try body(series, value, time) }
        }
        try portion()
      }
      return
    }
    try await block.forEachBodyPiece(holding: filtered.rows) { piece throws(QueryError) in
      try context.check()
      try filtered.rows.clamped(to: piece.rows).forEach { row throws(QueryError) in
        let time = times.nanoseconds(of: row)
        guard cursor.pane(of: time) >= 0 else { return }
        let line = piece.lines[row - piece.rows.lowerBound]
        if let (series, value) = try rows.sample(row, line, time: time) { try body(series, value, time) }
      }
      try portion()
    }
  }
}
