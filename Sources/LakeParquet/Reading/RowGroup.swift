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
