package import LakeModel

/// The page indexes of some leaves of one row group.
package struct PageIndexes: Sendable {
  /// Pages of one leaf: where they lie, which rows they hold, between which bounds.
  package struct Page: Sendable {
    package let range: Range<Int>
    /// Counted from the start of the row group.
    package let rows: Range<Int>
    /// Missing when the file has no column index for the leaf.
    package let statistics: ColumnStatistics?
    /// True when every value of the page is absent.
    package let isAllNull: Bool
  }
  package let pages: [Int: [Page]]

  /// The rows in pages of `leaf` for which `mayMatch` holds, neighbours joined; nil when the leaf has no index here.
  package func rows(ofLeaf leaf: Int, where mayMatch: (Page) -> Bool) -> [Range<Int>]? {
    guard let pages = pages[leaf] else { return nil }
    var rows: [Range<Int>] = []
    for page in pages where !page.rows.isEmpty && mayMatch(page) {
      if let last = rows.last, last.upperBound == page.rows.lowerBound {
        rows[rows.count - 1] = last.lowerBound..<page.rows.upperBound
      } else {
        rows.append(page.rows)
      }
    }
    return rows
  }
}

extension ParquetFile {
  /// Where the page indexes of these leaves lie in the file, all of them; nil when one of them has no offset index.
  package func pageIndexRange(rowGroup: Int, leaves: [Int]) -> Range<Int>? {
    var start = Int.max
    var end = 0
    for leaf in leaves {
      let chunk = rowGroups[rowGroup].chunks[leaf]
      guard let offsets = chunk.offsetIndexRange else { return nil }
      start = min(start, offsets.lowerBound, chunk.columnIndexRange?.lowerBound ?? .max)
      end = max(end, offsets.upperBound, chunk.columnIndexRange?.upperBound ?? 0)
    }
    return start < end ? start..<end : nil
  }

  /// Parses the page indexes of these leaves out of `bytes`, which were fetched from `pageIndexRange`.
  package func pageIndexes(
    rowGroup: Int, leaves: [Int], bytes: Bytes
  ) throws(ParquetError) -> PageIndexes {
    guard let whole = pageIndexRange(rowGroup: rowGroup, leaves: leaves) else {
      throw .unsupported("page index of a file without one")
    }
    guard bytes.count == whole.count else { throw .bytesMissing(whole) }
    let group = rowGroups[rowGroup]
    func cut(_ range: Range<Int>) -> Bytes {
      bytes[range.lowerBound - whole.lowerBound..<range.upperBound - whole.lowerBound]
    }
    var pages: [Int: [PageIndexes.Page]] = [:]
    for leaf in leaves {
      let chunk = group.chunks[leaf]
      guard let range = chunk.offsetIndexRange else { continue }
      let offsets = try RawOffsetIndex(decoding: cut(range))
      var bounds: RawColumnIndex?
      if let range = chunk.columnIndexRange { bounds = try RawColumnIndex(decoding: cut(range)) }
      pages[leaf] = try Self.pages(offsets, bounds, leaf: self.leaves[leaf], chunk: chunk, rowCount: group.rowCount)
    }
    return PageIndexes(pages: pages)
  }

  private static func pages(
    _ offsets: RawOffsetIndex, _ bounds: RawColumnIndex?, leaf: Leaf, chunk: ColumnChunk, rowCount: Int
  ) throws(ParquetError) -> [PageIndexes.Page] {
    let count = offsets.locations.count
    if let bounds {
      guard bounds.nullPages.count == count, bounds.minValues.count == count, bounds.maxValues.count == count,
        bounds.nullCounts.isEmpty || bounds.nullCounts.count == count
      else { throw .malformed("page indexes of \(leaf.pathText) of different lengths") }
    }
    guard offsets.locations.first.map({ $0.firstRow == 0 }) ?? (rowCount == 0) else {
      throw .malformed("offset index of \(leaf.pathText) does not start at row 0")
    }
    var pages: [PageIndexes.Page] = []
    for (index, location) in offsets.locations.enumerated() {
      let nextRow = index + 1 < count ? offsets.locations[index + 1].firstRow : rowCount
      let (end, overflow) = location.offset.addingReportingOverflow(location.bytes)
      guard !overflow, location.offset >= chunk.range.lowerBound, end <= chunk.range.upperBound,
        location.firstRow <= nextRow, nextRow <= rowCount
      else { throw .malformed("offset index of \(leaf.pathText) points beyond its chunk") }
      let isAllNull = bounds?.nullPages[index] ?? false
      pages.append(
        PageIndexes.Page(
          range: location.offset..<end, rows: location.firstRow..<nextRow,
          statistics: bounds.map { statistics($0, index, leaf: leaf) }, isAllNull: isAllNull))
    }
    return pages
  }

  private static func statistics(_ bounds: RawColumnIndex, _ page: Int, leaf: Leaf) -> ColumnStatistics {
    var found: (ParquetValue?, ParquetValue?) = (nil, nil)
    if !bounds.nullPages[page] {
      found = ColumnStatistics.bounds(bounds.minValues[page], bounds.maxValues[page], leaf: leaf)
    }
    let isFixed = leaf.physicalType != .byteArray
    let nulls = bounds.nullCounts.isEmpty || bounds.nullCounts[page] < 0 ? nil : bounds.nullCounts[page]
    return ColumnStatistics(
      min: found.0, max: found.1, isMinExact: isFixed, isMaxExact: isFixed, nullCount: nulls, distinctCount: nil)
  }
}
