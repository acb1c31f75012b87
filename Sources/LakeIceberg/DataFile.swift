/// One data or delete file as a manifest describes it. Maps are keyed by field id.
/// Source: Iceberg table specification, "Manifests", `data_file`.
package struct DataFile: Hashable, Sendable {
  package enum Content: Int, Hashable, Sendable {
    case data = 0
    case positionDeletes = 1
    case equalityDeletes = 2
  }

  package var content: Content
  /// Absolute location.
  package var path: String
  /// `PARQUET`, `AVRO` or `ORC`.
  package var format: String
  package var specID: Int
  /// One value per field of the partition spec, in its order; nil is null.
  package var partition: [Datum?]
  package var recordCount: Int64
  /// Bytes.
  package var fileSize: Int64
  package var metrics: FileMetrics
  package var keyMetadata: [UInt8]?
  /// Offsets of row groups, ascending.
  package var splitOffsets: [Int64]
  /// For equality deletes: the fields that must be equal.
  package var equalityIDs: [Int]
  package var sortOrderID: Int?
  /// For position deletes that all concern one data file: its location.
  package var referencedDataFile: String?

  package init(
    content: Content = .data, path: String, format: String = "PARQUET", specID: Int, partition: [Datum?],
    recordCount: Int64, fileSize: Int64, metrics: FileMetrics = FileMetrics(), keyMetadata: [UInt8]? = nil,
    splitOffsets: [Int64] = [], equalityIDs: [Int] = [], sortOrderID: Int? = nil, referencedDataFile: String? = nil
  ) {
    self.content = content
    self.path = path
    self.format = format
    self.specID = specID
    self.partition = partition
    self.recordCount = recordCount
    self.fileSize = fileSize
    self.metrics = metrics
    self.keyMetadata = keyMetadata
    self.splitOffsets = splitOffsets
    self.equalityIDs = equalityIDs
    self.sortOrderID = sortOrderID
    self.referencedDataFile = referencedDataFile
  }
}

/// Column metrics of one file, keyed by field id (leaf columns).
package struct FileMetrics: Hashable, Sendable {
  /// Bytes on disk.
  package var columnSizes: [Int: Int64]
  /// Values, absent ones and NaN included.
  package var valueCounts: [Int: Int64]
  package var nullCounts: [Int: Int64]
  package var nanCounts: [Int: Int64]
  /// Single-value serialization; at most what the smallest value is.
  package var lowerBounds: [Int: [UInt8]]
  /// Single-value serialization; at least what the largest value is.
  package var upperBounds: [Int: [UInt8]]

  package init(
    columnSizes: [Int: Int64] = [:], valueCounts: [Int: Int64] = [:], nullCounts: [Int: Int64] = [:],
    nanCounts: [Int: Int64] = [:], lowerBounds: [Int: [UInt8]] = [:], upperBounds: [Int: [UInt8]] = [:]
  ) {
    self.columnSizes = columnSizes
    self.valueCounts = valueCounts
    self.nullCounts = nullCounts
    self.nanCounts = nanCounts
    self.lowerBounds = lowerBounds
    self.upperBounds = upperBounds
  }
}
