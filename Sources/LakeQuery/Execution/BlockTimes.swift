import LakeModel

/// The times of a block's rows: microseconds and, loaded only when they matter, the nanoseconds beyond.
struct BlockTimes: Sendable {
  let micros: Buffer<Int64>
  /// nil: zero in every row.
  let nanos: Buffer<Int32>?
  private let nanosValidity: Buffer<UInt8>?

  init(timestamp: Column?, nanos: Column?, rowCount: Int) throws(QueryError) {
    guard let timestamp, timestamp.count == rowCount, case .int64(let micros) = timestamp.values else {
      throw .corrupt("column timestamp does not hold times")
    }
    self.micros = micros
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
    let micro = micros.unsafeBase[row]
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
}

extension BlockLabels {
  func times() async throws(QueryError) -> BlockTimes {
    if let loadedTimes { return loadedTimes }
    let times = try BlockTimes(
      timestamp: try await block.column(.timestamp), nanos: try await block.column(.timestampNanos),
      rowCount: block.rowCount)
    loadedTimes = times
    return times
  }

  /// The rows whose time lies in `range`. Nanoseconds are loaded only when a row stands in the microsecond of a bound.
  func select(_ rows: RowSelection, in range: TimeRange) async throws(QueryError) -> RowSelection {
    if range.isEmpty || rows.isEmpty { return .none }
    guard let column = try await block.column(.timestamp), case .int64(let micros) = column.values else {
      throw .corrupt("column timestamp does not hold times")
    }
    let base = micros.unsafeBase
    defer { withExtendedLifetime(micros) {} }
    // Microseconds strictly between the bounds' own are inside whatever their nanoseconds.
    let low = range.start.dividedDown(by: 1000)
    let high = range.end.dividedDown(by: 1000)
    let isLowExact = low.multipliedSaturated(by: 1000) == range.start
    let isHighExact = high.multipliedSaturated(by: 1000) == range.end
    let first = isLowExact ? low : low.addingSaturated(1)
    var touchesBound = false
    let inside = rows.filter { row in
      let micro = base[row]
      if micro >= first && micro < high { return true }
      if (micro == low && !isLowExact) || (micro == high && !isHighExact) {
        touchesBound = true
        return true
      }
      return false
    }
    guard touchesBound else { return inside }
    let times = try await times()
    return inside.filter {
      let time = times.nanoseconds(of: $0)
      return time >= range.start && time < range.end
    }
  }
}
