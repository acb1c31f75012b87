import LakeModel

/// The times of a block's rows: microseconds and, loaded only when they matter, the nanoseconds beyond.
struct BlockTimes: Sendable {
  let column: TimeColumn
  /// nil: zero in every row.
  private let nanos: Buffer<Int32>?
  private let nanosValidity: Buffer<UInt8>?

  init(column: TimeColumn?, nanos: Column?, rowCount: Int) throws(QueryError) {
    guard let column, column.micros.count == rowCount else { throw .corrupt("column timestamp does not hold times") }
    self.column = column
    if let nanos, case .int32(let values) = nanos.values {
      self.nanos = values
      nanosValidity = nanos.validity
    } else {
      self.nanos = nil
      nanosValidity = nil
    }
  }

  /// Nanoseconds since the epoch; times that 64 bits cannot hold stand at their end.
  @inline(__always)
  func nanoseconds(of row: Int) -> Int64 {
    let micro = column.micros.unsafeBase[row]
    let (product, overflow) = micro.multipliedReportingOverflow(by: 1000)
    if overflow { return micro < 0 ? .min : .max }
    return product.addingSaturated(remainder(of: row))
  }

  @inline(__always)
  private func remainder(of row: Int) -> Int64 {
    guard let nanos else { return 0 }
    if let nanosValidity, nanosValidity.unsafeBase[row] == 0 { return 0 }
    return Int64(nanos.unsafeBase[row])
  }

  /// Those of `rows` that lie in a range of nanoseconds.
  func select(_ rows: RowSelection, in range: ClosedRange<Int64>) -> RowSelection {
    // Times that 64 bits cannot hold stand at the ends.
    let low = range.lowerBound == .min ? .min : range.lowerBound.dividedDown(by: 1000)
    let high = range.upperBound == .max ? .max : range.upperBound.dividedDown(by: 1000)
    let inside = (low: low, high: high)
    return column.select(rows, between: inside) { range.contains(nanoseconds(of: $0)) }
  }
}

extension BlockLabels {
  func times() async throws(QueryError) -> BlockTimes {
    if let loadedTimes { return loadedTimes }
    let times = try BlockTimes(
      column: try await block.times(), nanos: try await block.column(.timestampNanos), rowCount: block.rowCount)
    loadedTimes = times
    return times
  }

  /// The rows whose time lies in `range`. Nanoseconds are loaded only when a row stands in the microsecond of a bound.
  func select(_ rows: RowSelection, in range: TimeRange) async throws(QueryError) -> RowSelection {
    if range.isEmpty || rows.isEmpty { return .none }
    guard let column = try await block.times() else { throw .corrupt("column timestamp does not hold times") }
    let micros = column.micros.unsafeBase
    // Microseconds strictly between the bounds' own are inside whatever their nanoseconds.
    let low = range.start.dividedDown(by: 1000)
    let high = range.end.dividedDown(by: 1000)
    let isLowExact = low.multipliedSaturated(by: 1000) == range.start
    let isHighExact = high.multipliedSaturated(by: 1000) == range.end
    var touchesBound = false
    let inside = column.select(rows, between: (low, high)) { row in
      let micro = micros[row]
      if micro == high {
        // The end itself is outside.
        if isHighExact { return false }
        touchesBound = true
        return true
      }
      if !isLowExact { touchesBound = true }
      return true
    }
    withExtendedLifetime(column) {}
    guard touchesBound else { return inside }
    let times = try await times()
    return inside.filter {
      let time = times.nanoseconds(of: $0)
      return time >= range.start && time < range.end
    }
  }
}
