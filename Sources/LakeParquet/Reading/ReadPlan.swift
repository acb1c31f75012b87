import LakeCompression
package import LakeModel
package import LakeSchema

/// Which bytes of a file to fetch for one row group, and how to decode them. The plan is a value: fetch as you like.
package struct ReadPlan: Sendable {
  package let rowGroup: Int
  package let projection: Projection
  /// The rows that come back, ascending and disjoint, counted from the start of the row group; nil: all.
  package let rows: [Range<Int>]?
  /// What to fetch, ascending and disjoint, neighbours joined when the gap is small.
  package let ranges: [Range<Int>]
  /// Number of rows that come back.
  package let rowCount: Int
  /// Per leaf the pages to decode; a leaf that is not here is decoded whole.
  let selections: [Int: PageSelection]
}

/// Some pages of one column chunk.
struct PageSelection: Sendable {
  /// Where the dictionary page lies; empty when there is none.
  var dictionary: Range<Int>
  var pages: [PageIndexes.Page]
}

extension ParquetFile {
  /// Plans one row group. With `rows` and the page indexes of the projection's leaves only pages that hold such rows are
  /// fetched; without the indexes whole chunks are, and the rows are cut out afterwards.
  ///
  /// - Parameters:
  ///   - rows: ascending, disjoint, not touching one another (`PageIndexes.rows` and `RowRanges.normalized` make such).
  ///   - gapMax: unwanted bytes between two wanted runs that are fetched rather than asked for separately.
  package func plan(
    rowGroup: Int, projection: Projection, rows: [Range<Int>]? = nil, pageIndexes: PageIndexes? = nil,
    gapMax: Int = 64 << 10
  ) throws(ParquetError) -> ReadPlan {
    let group = rowGroups[rowGroup]
    let rows = rows.map { RowRanges.normalized($0, rowCount: group.rowCount) }
    let wanted = rows == [0..<group.rowCount] ? nil : rows
    var ranges: [Range<Int>] = []
    var selections: [Int: PageSelection] = [:]
    for leaf in projection.leaves {
      let chunk = group.chunks[leaf]
      guard let wanted, let all = pageIndexes?.pages[leaf] else {
        ranges.append(chunk.range)
        continue
      }
      // What stands before the first data page is the dictionary.
      let firstPage = all.map(\.range.lowerBound).min() ?? chunk.range.lowerBound
      let selection = PageSelection(
        dictionary: chunk.range.lowerBound..<firstPage, pages: RowRanges.pages(all, holding: wanted))
      selections[leaf] = selection
      guard !selection.pages.isEmpty else { continue }
      ranges.append(selection.dictionary)
      ranges += selection.pages.map(\.range)
    }
    return ReadPlan(
      rowGroup: rowGroup, projection: projection, rows: wanted, ranges: Self.coalesce(ranges, gapMax: gapMax),
      rowCount: wanted?.reduce(0) { $0 + $1.count } ?? group.rowCount, selections: selections)
  }

  static func coalesce(_ ranges: [Range<Int>], gapMax: Int) -> [Range<Int>] {
    var joined: [Range<Int>] = []
    for range in ranges.filter({ !$0.isEmpty }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = joined.last, range.lowerBound - last.upperBound <= gapMax {
        joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        joined.append(range)
      }
    }
    return joined
  }

  /// Decodes what was fetched, one piece per range of the plan in the same order.
  ///
  /// Text, binary and fixed columns come back as `.dictionary` when the file has them dictionary-encoded.
  /// - Throws: `.malformed` and its kin when the bytes are not what the footer promises.
  package func decode(_ plan: ReadPlan, fetched: [Bytes]) throws(ParquetError) -> ColumnBatch {
    let decompressor = Compressor()
    var columns: [Column] = []
    for node in plan.projection.nodes {
      columns.append(try decode(node, plan, fetched, decompressor))
    }
    return ColumnBatch(schema: plan.projection.schema, columns: columns, count: plan.rowCount)
  }

  /// Decodes one column of the projection, by its position: columns may be decoded apart, and at different times.
  package func decodeColumn(_ index: Int, _ plan: ReadPlan, fetched: [Bytes]) throws(ParquetError) -> Column {
    try decode(plan.projection.nodes[index], plan, fetched, Compressor())
  }

  private func decode(
    _ node: ReadNode, _ plan: ReadPlan, _ fetched: [Bytes], _ decompressor: Compressor
  ) throws(ParquetError) -> Column {
    guard plan.rowCount <= limits.chunkValuesMax else {
      throw .limitExceeded("rows of a row group", limit: limits.chunkValuesMax, found: plan.rowCount)
    }
    let pieces = FetchedPieces(ranges: plan.ranges, bytes: fetched)
    var leaves: [Int: LeafData] = [:]
    for leaf in Set(node.leaves).sorted() { leaves[leaf] = try decode(leaf: leaf, plan, pieces, decompressor) }
    return try Assembler(leaves: leaves, limits: limits).column(node, rows: plan.rowCount)
  }

  private func decode(
    leaf index: Int, _ plan: ReadPlan, _ pieces: FetchedPieces, _ decompressor: Compressor
  ) throws(ParquetError) -> LeafData {
    let group = rowGroups[plan.rowGroup]
    let chunk = group.chunks[index]
    let leaf = leaves[index]
    let decoder = try ChunkDecoder(leaf: leaf, chunk: chunk, limits: limits, decompressor: decompressor)
    guard let selection = plan.selections[index] else {
      try decoder.decodeAll(try pieces.cut(chunk.range))
      let data = try decoder.finish()
      guard let rows = plan.rows else { return data }
      return try data.select(rows, covered: [0..<group.rowCount], maxDefinition: leaf.maxDefinition)
    }
    let pages = selection.pages
    if !pages.isEmpty, !selection.dictionary.isEmpty {
      var position = 0
      try decoder.decodePage(try pieces.cut(selection.dictionary), at: &position)
    }
    for page in pages {
      var position = 0
      try decoder.decodePage(try pieces.cut(page.range), at: &position)
    }
    let covered = RowRanges.normalized(pages.map(\.rows), rowCount: group.rowCount)
    return try decoder.finish().select(plan.rows ?? covered, covered: covered, maxDefinition: leaf.maxDefinition)
  }

  /// Plans, slices and decodes a row group of a file that is wholly in memory.
  package func readRowGroup(
    _ rowGroup: Int, projection: Projection, rows: [Range<Int>]? = nil, file: Bytes
  ) throws(ParquetError) -> ColumnBatch {
    var indexes: PageIndexes?
    if rows != nil, let range = pageIndexRange(rowGroup: rowGroup, leaves: projection.leaves),
      range.upperBound <= file.count
    {
      indexes = try pageIndexes(rowGroup: rowGroup, leaves: projection.leaves, bytes: file[range])
    }
    let plan = try plan(rowGroup: rowGroup, projection: projection, rows: rows, pageIndexes: indexes, gapMax: 0)
    guard file.count == fileBytes else { throw .bytesMissing(0..<fileBytes) }
    return try decode(plan, fetched: plan.ranges.map { file[$0] })
  }
}

/// Fetched bytes by their place in the file.
struct FetchedPieces {
  let ranges: [Range<Int>]
  let bytes: [Bytes]

  init(ranges: [Range<Int>], bytes: [Bytes]) {
    self.ranges = ranges
    self.bytes = bytes
  }

  func cut(_ range: Range<Int>) throws(ParquetError) -> Bytes {
    if range.isEmpty { return Bytes() }
    for (piece, bytes) in zip(ranges, bytes)
    where piece.lowerBound <= range.lowerBound && range.upperBound <= piece.upperBound {
      guard bytes.count == piece.count else { throw .bytesMissing(piece) }
      return bytes[range.lowerBound - piece.lowerBound..<range.upperBound - piece.lowerBound]
    }
    throw .bytesMissing(range)
  }
}

/// Sets of rows as ascending, disjoint ranges that do not touch.
package enum RowRanges {
  /// Sorts, joins and cuts to `0..<rowCount`; empty ranges go.
  package static func normalized(_ ranges: [Range<Int>], rowCount: Int) -> [Range<Int>] {
    var joined: [Range<Int>] = []
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      let range = range.clamped(to: 0..<rowCount)
      if range.isEmpty { continue }
      if let last = joined.last, range.lowerBound <= last.upperBound {
        joined[joined.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        joined.append(range)
      }
    }
    return joined
  }

  /// Rows in both sets, each normalized.
  package static func intersection(_ a: [Range<Int>], _ b: [Range<Int>]) -> [Range<Int>] {
    var common: [Range<Int>] = []
    var (left, right) = (a.startIndex, b.startIndex)
    while left < a.endIndex && right < b.endIndex {
      let low = max(a[left].lowerBound, b[right].lowerBound)
      let high = min(a[left].upperBound, b[right].upperBound)
      if low < high { common.append(low..<high) }
      if a[left].upperBound < b[right].upperBound { left += 1 } else { right += 1 }
    }
    return common
  }

  static func pages(_ pages: [PageIndexes.Page], holding rows: [Range<Int>]) -> [PageIndexes.Page] {
    var kept: [PageIndexes.Page] = []
    var next = rows.startIndex
    for page in pages {
      while next < rows.endIndex && rows[next].upperBound <= page.rows.lowerBound { next += 1 }
      guard next < rows.endIndex else { break }
      if rows[next].overlaps(page.rows) { kept.append(page) }
    }
    return kept
  }
}
