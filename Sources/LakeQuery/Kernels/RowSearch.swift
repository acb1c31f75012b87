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
    guard let (offsets, data) = values.plain else {
      return rows.filter { needle.occurs(in: values[$0 - firstRow]) }
    }
    var builder = SelectionBuilder()
    let offset = offsets.unsafeBase
    let base = UnsafeRawPointer(data.unsafeBase)
    switch rows {
    case .ranges(let ranges):
      for range in ranges {
        search(needle, offset, base, from: range.lowerBound - firstRow, to: range.upperBound - firstRow) {
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
        search(needle, offset, base, from: bounds.lowerBound - firstRow, to: bounds.upperBound - firstRow) {
          if cursor.contains($0 + firstRow) { builder.append($0 + firstRow) }
        }
      } else {
        for row in list {
          let index = Int(row) - firstRow
          if needle.firstMatch(in: base, from: Int(offset[index]), to: Int(offset[index + 1])) >= 0 {
            builder.append(Int(row))
          }
        }
      }
    }
    withExtendedLifetime((offsets, data)) {}
    return builder.finish()
  }

  /// Calls `found` for each value of `start ..< end` that holds the needle, ascending.
  @inline(__always)
  private static func search(
    _ needle: ByteNeedle, _ offsets: UnsafePointer<UInt32>, _ base: UnsafeRawPointer, from start: Int, to end: Int,
    found: (Int) -> Void
  ) {
    var row = start
    var at = Int(offsets[start])
    let dataEnd = Int(offsets[end])
    while row < end {
      let hit = needle.firstMatch(in: base, from: at, to: dataEnd)
      if hit < 0 { return }
      row = RowSearch.row(holding: hit, offsets, from: row, to: end)
      let rowEnd = Int(offsets[row + 1])
      if hit + needle.count <= rowEnd {
        found(row)
        at = rowEnd
        row += 1
      } else {
        at = hit + 1  // The hit runs over the end of its row.
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
