import LakeModel

/// The microseconds of a block's rows, and the bounds of every few hundred of them.
///
/// Tables are sorted by service and time, so a range of times is a range of rows for each service: runs that lie inside or
/// outside as a whole are taken or left without a look at their rows.
struct TimeColumn: Sendable {
  let micros: Buffer<Int64>
  /// Lowest and highest of each run, one after the other.
  private let bounds: Buffer<Int64>

  static let runRows = 256

  init(_ micros: Buffer<Int64>) {
    self.micros = micros
    let runs = (micros.count + TimeColumn.runRows - 1) / TimeColumn.runRows
    bounds = Buffer<Int64>(count: runs * 2) { out in
      let base = micros.unsafeBase
      for run in 0..<runs {
        let start = run * TimeColumn.runRows
        var low = base[start]
        var high = low
        for row in start..<min(start + TimeColumn.runRows, micros.count) {
          low = min(low, base[row])
          high = max(high, base[row])
        }
        out[run * 2] = low
        out[run * 2 + 1] = high
      }
    }
    withExtendedLifetime(micros) {}
  }

  /// What it takes in memory.
  var memoryBytes: Int { (micros.count + bounds.count) * 8 }

  /// The rows for which `keeps` holds.
  ///
  /// - Parameters:
  ///   - inside: `keeps` holds for every time strictly between these two, whatever its nanoseconds.
  ///   - keeps: asked of rows whose microsecond may be one of the two; not asked of rows outside.
  @inline(__always)
  func select(_ rows: RowSelection, between inside: (low: Int64, high: Int64), _ keeps: (Int) -> Bool) -> RowSelection {
    let base = micros.unsafeBase
    let bound = bounds.unsafeBase
    defer { withExtendedLifetime((micros, bounds)) {} }
    @inline(__always) func passes(_ row: Int) -> Bool {
      let micro = base[row]
      if micro > inside.low && micro < inside.high { return true }
      return (micro == inside.low || micro == inside.high) && keeps(row)
    }
    var builder = SelectionBuilder()
    switch rows {
    case .list(let list): for row in list where passes(Int(row)) { builder.append(Int(row)) }
    case .ranges(let ranges):
      for range in ranges {
        var start = range.lowerBound
        while start < range.upperBound {
          let run = start / TimeColumn.runRows
          let end = min(range.upperBound, (run + 1) * TimeColumn.runRows)
          let (low, high) = (bound[run * 2], bound[run * 2 + 1])
          if low > inside.low && high < inside.high {
            builder.append(start..<end)
          } else if high >= inside.low && low <= inside.high {
            for row in start..<end where passes(row) { builder.append(row) }
          }
          start = end
        }
      }
    }
    return builder.finish()
  }
}

extension Column {
  /// nil when it does not hold times.
  var times: TimeColumn? {
    guard case .int64(let micros) = values else { return nil }
    return TimeColumn(micros)
  }
}
