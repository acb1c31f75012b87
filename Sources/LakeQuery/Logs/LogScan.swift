import LakeModel
import Synchronization

/// Finds the first entries of a log query in its direction, and stops looking where none can be.
struct LogScan: Sendable {
  let plan: LogPlan
  let range: TimeRange
  let limit: Int
  let direction: LogQueryRequest.Direction
  let isCategorized: Bool
  /// Nanoseconds, for `now` in templates.
  let now: Int64
  let context: QueryContext

  /// Rows that are looked at before the limit may end the search, at least; fewer where lines are long.
  private static let sliceRowsMin = 4096
  /// Bytes of lines that are worth looking at once, and rows whatever their lines.
  private static let sliceBytes = 2 << 20
  private static let sliceRowsLeast = 64

  /// - Parameter blocks: in the order of storage, which decides between equal times.
  func candidates(_ blocks: [any LogBlock]) async throws(QueryError) -> [LogCandidate] {
    guard limit > 0 else { return [] }
    let found = Mutex(CandidateList(limit: limit, direction: direction))
    let held = HeldMemory(context)
    let bounds = blocks.map(\.timeBounds)
    let order = blocks.indices.sorted { isSooner(bounds[$0], bounds[$1], $0 < $1) }
    try await context.forEach(order) { index throws(QueryError) in
      try await search(blocks[index], Int32(index), found, held)
    } merge: { (_: Void) throws(QueryError) in
    }
    let candidates = found.withLock { $0.finish() }
    // Until the answer is sent.
    try context.hold(bytes: candidates.reduce(0) { $0 + ($1.made?.memoryBytes ?? 0) } * LogAnswer.copies)
    return candidates
  }

  /// Blocks that reach further in the direction of the query's beginning come first.
  private func isSooner(_ a: ClosedRange<Int64>?, _ b: ClosedRange<Int64>?, _ otherwise: Bool) -> Bool {
    switch (a, b) {
    case (nil, nil): otherwise
    case (nil, _): true
    case (_, nil): false
    case (let a?, let b?):
      if direction == .backward {
        a.upperBound == b.upperBound ? otherwise : a.upperBound > b.upperBound
      } else {
        a.lowerBound == b.lowerBound ? otherwise : a.lowerBound < b.lowerBound
      }
    }
  }

  private func search(
    _ block: any LogBlock, _ index: Int32, _ found: borrowing Mutex<CandidateList>, _ held: HeldMemory
  ) async throws(QueryError) {
    var statistics = QueryStatistics()
    defer { context.count(statistics) }
    let list = found.withLock { $0 }
    guard let window = open(list, block.timeBounds) else {
      statistics.rowGroupsPruned += 1
      return
    }
    let bounds = block.timeBounds
    let isCovered = bounds.map { window.coversMicroseconds($0.lowerBound, $0.upperBound) } ?? false
    var filtered = try await plan.filterLabels(block, in: isCovered ? nil : window, statistics: &statistics)
    if filtered.rows.isEmpty { return }
    let times = try await filtered.labels.times()
    let pipeline = try await LogPipeline.make(plan, filtered, isCategorized: isCategorized, now: now)
    let sliceRows = LogScan.sliceRows(block)
    while !filtered.rows.isEmpty {
      try context.check()
      // Only rows that can still count, those nearest to the query's beginning first.
      let current = found.withLock { $0 }
      let open = current.bound == nil ? filtered.rows : times.select(filtered.rows, in: current.openTimes)
      let slice: RowSelection
      (slice, filtered.rows) = firstSlice(of: open, times, rowsMin: sliceRows)
      let rows = try await plan.filterLines(block, slice, filtered.lines, statistics: &statistics)
      var mine = CandidateList(limit: limit, direction: direction)
      let mineHeld = HeldMemory(context)
      if let pipeline {
        try await pipeline.run(block, rows, times, context, isWanted: current.mayTake) {
          row, entry throws(QueryError) in
          mine.add(LogCandidate(time: times.nanoseconds(of: row), block: index, row: Int32(row), made: entry))
          statistics.rowsMatched += 1
          try mineHeld.set(mine.memoryBytes)
        }
      } else {
        statistics.rowsMatched += rows.count
        rows.forEach { row in
          mine.add(LogCandidate(time: times.nanoseconds(of: row), block: index, row: Int32(row), made: nil))
        }
      }
      let all = found.withLock { found in
        found.add(mine)
        return found.memoryBytes
      }
      try held.set(all)
    }
  }

  /// The part of the range in which entries can still count; nil when the block has nothing there.
  private func open(_ list: CandidateList, _ bounds: ClosedRange<Int64>?) -> TimeRange? {
    var window = range
    if let bound = list.bound {
      if direction == .backward {
        window.start = max(window.start, bound)
      } else {
        window.end = min(window.end, bound.addingSaturated(1))
      }
    }
    if let bounds, !window.meetsMicroseconds(bounds.lowerBound, bounds.upperBound) { return nil }
    return window.isEmpty ? nil : window
  }

  private static func sliceRows(_ block: any LogBlock) -> Int {
    guard let bytes = block.lineBytes(), block.rowCount > 0 else { return sliceRowsMin }
    return max(sliceRowsLeast, min(sliceRowsMin, sliceBytes / max(1, bytes / block.rowCount)))
  }

  /// About a quarter of the rows, but never few: those that come first in the query's direction; and the rest.
  private func firstSlice(
    of rows: RowSelection, _ times: BlockTimes, rowsMin: Int
  ) -> (slice: RowSelection, rest: RowSelection) {
    let count = rows.count
    let wanted = max(rowsMin, count / 4)
    guard count > wanted * 2, !plan.lines.isEmpty || !plan.stages.isEmpty else { return (rows, .none) }
    var sample: [Int64] = []
    rows.forEach(every: max(1, count / 1024)) { sample.append(times.nanoseconds(of: $0)) }
    sample.sort()
    let rank = sample.count * wanted / count
    if direction == .backward {
      let edge = sample[max(0, sample.count - 1 - rank)]
      if edge == .min { return (rows, .none) }
      return (times.select(rows, in: edge ... .max), times.select(rows, in: .min...edge - 1))
    }
    let edge = sample[min(sample.count - 1, rank)]
    if edge == .max { return (rows, .none) }
    return (times.select(rows, in: .min...edge), times.select(rows, in: edge + 1 ... .max))
  }
}
