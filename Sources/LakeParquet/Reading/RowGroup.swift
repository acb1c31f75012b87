package import LakeCompression

/// One row group as the footer describes it.
package struct RowGroup: Sendable {
  package let index: Int
  package let rowCount: Int
  /// Index of the group's first row in the file.
  package let firstRow: Int
  /// One per leaf of the file, in order.
  package let chunks: [ColumnChunk]
  package let sortingColumns: [SortingColumn]

  /// Compressed bytes of all its columns.
  package var bytes: Int { chunks.reduce(0) { $0 + $1.range.count } }
}

/// One column of one row group.
package struct ColumnChunk: Sendable {
  /// Where its pages lie in the file, dictionary page included.
  package let range: Range<Int>
  package let codec: CompressionCodec
  /// Values, absent ones included.
  package let valueCount: Int
  package let uncompressedBytes: Int
  package let statistics: ColumnStatistics?
  package let bloomFilterRange: Range<Int>?
  package let columnIndexRange: Range<Int>?
  package let offsetIndexRange: Range<Int>?
  /// True when the footer says that every data page is dictionary-encoded; nil when it does not say.
  package let isDictionaryEncoded: Bool?
  /// False: `bloomFilterRange` only says where the filter starts.
  let hasBloomFilterLength: Bool
  let dataPageOffset: Int
  let isHadoopLz4: Bool
  /// Bytes of text and binary values before encoding, when the file says.
  package let unencodedBytes: Int?
}

/// Bounds and counts of a column chunk or page. Bounds are missing when the file has none, or has them in an order that
/// says nothing (the deprecated signed order of text, NaN).
package struct ColumnStatistics: Sendable, Hashable {
  package var min: ParquetValue?
  package var max: ParquetValue?
  /// False when the bound may have been shortened: no value is below `min` or above `max` in either case.
  package var isMinExact: Bool
  package var isMaxExact: Bool
  package var nullCount: Int?
  package var distinctCount: Int?
}

extension RowGroup {
  init(
    _ raw: RawRowGroup, index: Int, firstRow: Int, leaves: [Leaf], columnOrders: [Bool], dataEnd: Int
  ) throws(ParquetError) {
    self.index = index
    self.firstRow = firstRow
    rowCount = raw.rowCount
    guard raw.columns.count == leaves.count else {
      throw .malformed("\(raw.columns.count) column chunks for \(leaves.count) columns")
    }
    var chunks: [ColumnChunk] = []
    for (leaf, column) in zip(leaves, raw.columns) {
      let hasOrder = leaf.index < columnOrders.count && columnOrders[leaf.index]
      chunks.append(try ColumnChunk(column, leaf: leaf, hasOrder: hasOrder, dataEnd: dataEnd))
      if leaf.maxRepetition == 0 && chunks[leaf.index].valueCount != raw.rowCount {
        throw .malformed("\(chunks[leaf.index].valueCount) values of \(leaf.pathText) in \(raw.rowCount) rows")
      }
    }
    self.chunks = chunks
    sortingColumns = raw.sortingColumns.compactMap { sorting in
      guard sorting.column < leaves.count, let id = leaves[sorting.column].fieldID else { return nil }
      return SortingColumn(fieldID: id, isDescending: sorting.isDescending, nullsFirst: sorting.nullsFirst)
    }
  }
}

extension ColumnChunk {
  init(_ raw: RawColumnChunk, leaf: Leaf, hasOrder: Bool, dataEnd: Int) throws(ParquetError) {
    if raw.isEncrypted { throw .encrypted }
    if let path = raw.filePath, !path.isEmpty { throw .unsupported("column data in another file (\(path))") }
    guard let metadata = raw.metadata else { throw .malformed("column chunk without metadata") }
    guard metadata.type == leaf.physicalType else { throw .malformed("\(leaf.pathText) is of two physical types") }
    var start = metadata.dataPageOffset
    if let dictionary = metadata.dictionaryPageOffset, dictionary > 0, dictionary < start { start = dictionary }
    range = try Self.range(start, metadata.compressedBytes, "pages of \(leaf.pathText)", end: dataEnd)
    dataPageOffset = metadata.dataPageOffset
    (codec, isHadoopLz4) = try Self.codec(metadata.codec)
    valueCount = metadata.valueCount
    uncompressedBytes = metadata.uncompressedBytes
    statistics = metadata.statistics.map { ColumnStatistics($0, leaf: leaf, hasOrder: hasOrder) }
    unencodedBytes = metadata.sizeStatistics?.unencodedBytes
    isDictionaryEncoded = Self.isDictionaryEncoded(metadata)
    bloomFilterRange = try metadata.bloomFilterOffset.map { offset throws(ParquetError) in
      // Without a length: at most the header and the largest bitset we would take.
      let length = metadata.bloomFilterLength ?? min(BloomFilter.bytesMax, max(0, dataEnd - offset))
      return try Self.range(offset, length, "Bloom filter of \(leaf.pathText)", end: dataEnd)
    }
    hasBloomFilterLength = metadata.bloomFilterLength != nil
    columnIndexRange = try Self.range(
      raw.columnIndexOffset, raw.columnIndexLength, "column index of \(leaf.pathText)", end: dataEnd)
    offsetIndexRange = try Self.range(
      raw.offsetIndexOffset, raw.offsetIndexLength, "offset index of \(leaf.pathText)", end: dataEnd)
  }

  private static func range(
    _ offset: Int?, _ length: Int?, _ what: @autoclosure () -> String, end: Int
  ) throws(ParquetError) -> Range<Int>? {
    guard let offset, let length, length > 0 else { return nil }
    return try range(offset, length, what(), end: end) as Range<Int>
  }

  private static func range(
    _ offset: Int, _ length: Int, _ what: @autoclosure () -> String, end: Int
  ) throws(ParquetError) -> Range<Int> {
    guard offset >= 0, length >= 0, offset <= end, length <= end - offset else {
      throw .malformed("\(what()) at \(offset), \(length) bytes, beyond the data's end at \(end)")
    }
    return offset..<offset + length
  }

  private static func codec(_ raw: Int) throws(ParquetError) -> (CompressionCodec, Bool) {
    switch raw {
    case 0: return (.none, false)
    case 1: return (.snappy, false)
    case 2: return (.gzip, false)
    case 3: throw .unsupported("codec lzo: no free implementation reads it whole; write the file again with zstd")
    case 4: return (.brotli, false)
    case 5: return (.lz4raw, true)
    case 6: return (.zstd, false)
    case 7: return (.lz4raw, false)
    default: throw .unsupported("codec \(raw)")
    }
  }

  private static func isDictionaryEncoded(_ metadata: RawColumnMetadata) -> Bool? {
    let dataPages = metadata.encodingStatistics.filter { ($0.pageType == 0 || $0.pageType == 3) && $0.count > 0 }
    guard !dataPages.isEmpty else { return nil }
    return dataPages.allSatisfy { $0.encoding == 2 || $0.encoding == 8 }
  }
}
