/// What a finished file holds: enough for an Iceberg manifest entry without reading it back.
package struct ParquetFileSummary: Sendable {
  package var rowCount: Int
  /// Size of the whole file.
  package var bytes: Int
  /// Where each row group starts (Iceberg's split offsets).
  package var rowGroupOffsets: [Int]
  /// One entry per leaf column, in the order of the schema.
  package var columns: [ColumnMetrics]
}

/// Counts and bounds of one leaf column over a whole file.
package struct ColumnMetrics: Sendable {
  package var fieldID: Int
  /// Dotted path in the file.
  package var path: String
  /// Compressed bytes, headers included.
  package var bytes: Int
  /// Values, absent ones included; for nested columns also the entries that stand for empty lists.
  package var valueCount: Int
  package var nullCount: Int
  /// NaN values of a float or double column.
  package var nanCount: Int
  /// The smallest and largest value, exact, NaN left out; nil when there is none, or none could be told.
  package var lower: ParquetValue?
  package var upper: ParquetValue?
}
