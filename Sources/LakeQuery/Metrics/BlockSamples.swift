import LakeModel

/// The panes of one block, under series numbers of its own.
struct BlockPart<State: WindowState>: Sendable {
  let series: [LabelSet]
  let panes: PanePart<State>
  /// Accounts for both.
  let held: HeldMemory
}

/// Adds the rows of a block that passed all columns to panes, for plans whose pipeline columns decide alone.
struct BlockSamples<State: WindowState>: ~Copyable {
  private let grid: PaneGrid
  private var table = PaneTable<State>()

  init(grid: PaneGrid) { self.grid = grid }

  /// - Parameter value: the sample of a row; nil leaves the row out.
  @inline(__always)
  mutating func add(
    _ rows: RowSelection, times: BlockTimes, grouping: inout RowGrouping, value: (Int) -> Double?
  ) {
    var cursor = PaneCursor(grid)
    grouping.forEach(rows) { row, series in
      let time = times.nanoseconds(of: row)
      let pane = cursor.pane(of: time)
      if pane >= 0, let value = value(row) { table.add(series: series, pane: pane, value: value, time: time) }
    }
  }

  /// Counts rows that all lie in one pane: no times are needed, and rows with one entry are counted together.
  mutating func count(_ rows: RowSelection, pane: Int, grouping: inout RowGrouping) {
    if let only = grouping.onlySeries {
      if !rows.isEmpty { table.add(series: only, pane: pane, value: Double(rows.count), time: 0) }
      return
    }
    guard let vector = grouping.sharedVector, vector.codes != nil, case .ranges(let ranges) = rows else {
      grouping.forEach(rows) { table.add(series: $1, pane: pane, value: 1, time: 0) }
      return
    }
    var counts = [Int](repeating: 0, count: vector.values.entryCount + 1)
    var rowOf = [Int](repeating: 0, count: vector.values.entryCount + 1)
    for range in ranges {
      vector.forEachRun(in: range) { code, run in
        let index = code == LabelVector.absent ? counts.count - 1 : Int(code)
        counts[index] += run.count
        rowOf[index] = run.lowerBound
      }
    }
    for index in counts.indices where counts[index] > 0 {
      table.add(series: grouping.series(of: rowOf[index]), pane: pane, value: Double(counts[index]), time: 0)
    }
  }

  /// One sample that did not come from a row's columns.
  mutating func add(series: Int, pane: Int, value: Double, time: Int64) {
    table.add(series: series, pane: pane, value: value, time: time)
  }

  var memoryBytes: Int { table.memoryBytes }

  consuming func finish(_ series: consuming SeriesTable, _ held: HeldMemory) -> BlockPart<State> {
    BlockPart(series: series.sets, panes: table.finish(), held: held)
  }
}
