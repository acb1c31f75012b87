import LakeModel

/// Finds the rows of a bytes column that hold a needle, searching the column's data in one go and mapping hits back to
/// rows by their offsets.
enum RowSearch {
  /// Share of the bytes between the first and the last row that must be wanted for one search over all of them.
  private static let densityMin = 0.25

  /// - Parameters:
  ///   - values: a piece of a column; absent values are empty runs.
  ///   - rows: rows of the whole column, all inside the piece.
  ///   - firstRow: the row of the piece's first value.
  /// - Returns: those of `rows` whose value holds `needle`.
  static func rows(
    holding needle: ByteNeedle, in values: BytesView, among rows: RowSelection, firstRow: Int
  ) -> RowSelection {
    RowSearch.rows(holding: needle, in: values, among: rows, firstRow: firstRow) { _ in true }
  }

  /// - Parameter accepts: whether an occurrence counts; gets the rest of the value behind it.
  /// - Returns: those of `rows` whose value holds `needle` at a place that counts.
  @inline(__always)
  static func rows(
    holding needle: ByteNeedle, in values: BytesView, among rows: RowSelection, firstRow: Int,
    accepts: (UnsafeRawBufferPointer) -> Bool
  ) -> RowSelection {
    guard let (offsets, data) = values.plain else {
      return rows.filter { row in
        let value = values[row - firstRow]
        guard let base = value.baseAddress else { return false }
        return holds(needle, base, from: 0, to: value.count, accepts: accepts)
      }
    }
    var builder = SelectionBuilder()
    let offset = offsets.unsafeBase
    let base = UnsafeRawPointer(data.unsafeBase)
    switch rows {
    case .ranges(let ranges):
      for range in ranges {
        search(
          needle, offset, base, from: range.lowerBound - firstRow, to: range.upperBound - firstRow, accepts: accepts
        ) {
          builder.append($0 + firstRow)
        }
      }
    case .list(let list):
      let bounds = rows.bounds
      let span = Int(offset[bounds.upperBound - firstRow] - offset[bounds.lowerBound - firstRow])
      var wanted = 0
      for row in list { wanted += Int(offset[Int(row) - firstRow + 1] - offset[Int(row) - firstRow]) }
      if Double(wanted) >= Double(span) * densityMin {
        var cursor = rows.makeCursor()
        search(
          needle, offset, base, from: bounds.lowerBound - firstRow, to: bounds.upperBound - firstRow, accepts: accepts
        ) {
          if cursor.contains($0 + firstRow) { builder.append($0 + firstRow) }
        }
      } else {
        for row in list {
          let index = Int(row) - firstRow
          if holds(needle, base, from: Int(offset[index]), to: Int(offset[index + 1]), accepts: accepts) {
            builder.append(Int(row))
          }
        }
      }
    }
    withExtendedLifetime((offsets, data)) {}
    return builder.finish()
  }

  /// Whether the bytes of one value hold the needle at a place that counts.
  @inline(__always)
  private static func holds(
    _ needle: ByteNeedle, _ base: UnsafeRawPointer, from start: Int, to end: Int,
    accepts: (UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    var at = start
    while true {
      let hit = needle.firstMatch(in: base, from: at, to: end)
      if hit < 0 { return false }
      let behind = hit + needle.count
      if accepts(UnsafeRawBufferPointer(start: base + behind, count: end - behind)) { return true }
      at = hit + 1
    }
  }

  /// Calls `found` for each value of `start ..< end` that holds the needle at a place that counts, ascending.
  @inline(__always)
  private static func search(
    _ needle: ByteNeedle, _ offsets: UnsafePointer<UInt32>, _ base: UnsafeRawPointer, from start: Int, to end: Int,
    accepts: (UnsafeRawBufferPointer) -> Bool, found: (Int) -> Void
  ) {
    var row = start
    var at = Int(offsets[start])
    let dataEnd = Int(offsets[end])
    while row < end {
      let hit = needle.firstMatch(in: base, from: at, to: dataEnd)
      if hit < 0 { return }
      row = RowSearch.row(holding: hit, offsets, from: row, to: end)
      let rowEnd = Int(offsets[row + 1])
      let behind = hit + needle.count
      if behind <= rowEnd, accepts(UnsafeRawBufferPointer(start: base + behind, count: rowEnd - behind)) {
        found(row)
        at = rowEnd
        row += 1
      } else {
        at = hit + 1  // It runs over the end of its row, or does not count.
      }
    }
  }

  /// The row whose value holds byte `position`: looks near `start` first, then doubles the step.
  @inline(__always)
  static func row(holding position: Int, _ offsets: UnsafePointer<UInt32>, from start: Int, to end: Int) -> Int {
    var low = start
    var step = 1
    while low + step < end && Int(offsets[low + step]) <= position {
      low += step
      step *= 2
    }
    var high = min(low + step, end)
    // offsets[low] <= position < offsets[high] (or high is the end)
    while low + 1 < high {
      let middle = (low + high) / 2
      if Int(offsets[middle]) <= position { low = middle } else { high = middle }
    }
    return low
  }
}
