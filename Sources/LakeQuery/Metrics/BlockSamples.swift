import LakeModel

/// The panes of one block, under series numbers of its own.
struct BlockPart<State: WindowState>: Sendable {
  let series: [LabelSet]
  let panes: PanePart<State>
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
    if let only = grouping.onlySeries {
      rows.forEach { row in
        add(row, series: { _ in only }, times, &cursor, value)
      }
    } else if let vector = grouping.sharedVector, let codes = vector.codes {
      var known = [Int32](repeating: -1, count: vector.values.entryCount + 1)
      let absent = vector.values.entryCount
      known.withUnsafeMutableBufferPointer { known in
        let base = codes.unsafeBase
        rows.forEach { row in
          let index = base[row] == LabelVector.absent ? absent : Int(base[row])
          if known[index] < 0 { known[index] = Int32(grouping.series(of: row)) }
          let number = Int(known[index])
          add(row, series: { _ in number }, times, &cursor, value)
        }
      }
      withExtendedLifetime(codes) {}
    } else {
      rows.forEach { row in add(row, series: { grouping.series(of: $0) }, times, &cursor, value) }
    }
  }

  @inline(__always)
  private mutating func add(
    _ row: Int, series: (Int) -> Int, _ times: BlockTimes, _ cursor: inout PaneCursor, _ value: (Int) -> Double?
  ) {
    let time = times.nanoseconds(of: row)
    let pane = cursor.pane(of: time)
    guard pane >= 0, let value = value(row) else { return }
    table.add(series: series(row), pane: pane, value: value, time: time)
  }

  /// Counts rows that all lie in one pane: no times are needed, and rows with one entry are counted together.
  mutating func count(_ rows: RowSelection, pane: Int, grouping: inout RowGrouping) {
    if let only = grouping.onlySeries {
      if !rows.isEmpty { table.add(series: only, pane: pane, value: Double(rows.count), time: 0) }
      return
    }
    guard let vector = grouping.sharedVector, let codes = vector.codes, case .ranges(let ranges) = rows else {
      rows.forEach { table.add(series: grouping.series(of: $0), pane: pane, value: 1, time: 0) }
      return
    }
    let base = codes.unsafeBase
    var counts = [Int](repeating: 0, count: vector.values.entryCount + 1)
    var rowOf = [Int](repeating: 0, count: vector.values.entryCount + 1)
    for range in ranges {
      var start = range.lowerBound
      while start < range.upperBound {
        let code = base[start]
        let end = RunSearch.end(of: code, in: base, from: start + 1, to: range.upperBound)
        let index = code == LabelVector.absent ? counts.count - 1 : Int(code)
        counts[index] += end - start
        rowOf[index] = start
        start = end
      }
    }
    withExtendedLifetime(codes) {}
    for index in counts.indices where counts[index] > 0 {
      table.add(series: grouping.series(of: rowOf[index]), pane: pane, value: Double(counts[index]), time: 0)
    }
  }

  /// One sample that did not come from a row's columns.
  mutating func add(series: Int, pane: Int, value: Double, time: Int64) {
    table.add(series: series, pane: pane, value: value, time: time)
  }

  var memoryBytes: Int { table.memoryBytes }

  consuming func finish(_ series: consuming SeriesTable) -> BlockPart<State> {
    BlockPart(series: series.sets, panes: table.finish())
  }
}

/// Runs of equal values.
enum RunSearch {
  /// The first place from `start` on whose value differs from `value`, at most `end`.
  @inline(__always)
  static func end(of value: UInt32, in base: UnsafePointer<UInt32>, from start: Int, to end: Int) -> Int {
    var at = start
    let wanted = SIMD8<UInt32>(repeating: value)
    while at &+ 8 <= end {
      let found = UnsafeRawPointer(base + at).loadUnaligned(as: SIMD8<UInt32>.self)
      let difference = unsafeBitCast(found ^ wanted, to: SIMD4<UInt64>.self)
      if (difference[0] | difference[1]) | (difference[2] | difference[3]) != 0 { break }
      at &+= 8
    }
    while at < end && base[at] == value { at &+= 1 }
    return at
  }
}
