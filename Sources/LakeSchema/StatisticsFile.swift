/// A Puffin file with statistics of one snapshot. Source: Iceberg table specification, "Table Statistics".
package struct StatisticsFile: Hashable, Sendable {
  package var snapshotID: Int64
  package var path: String
  /// Bytes.
  package var fileSize: Int64
  /// Bytes.
  package var footerSize: Int64
  package var keyMetadata: String?
  package var blobs: [Blob]

  package struct Blob: Hashable, Sendable {
    package var type: String
    package var snapshotID: Int64
    package var sequenceNumber: Int64
    package var fields: [Int]
    package var properties: [String: String]

    package init(
      type: String, snapshotID: Int64, sequenceNumber: Int64, fields: [Int], properties: [String: String] = [:]
    ) {
      self.type = type
      self.snapshotID = snapshotID
      self.sequenceNumber = sequenceNumber
      self.fields = fields
      self.properties = properties
    }
  }

  package init(
    snapshotID: Int64, path: String, fileSize: Int64, footerSize: Int64, keyMetadata: String? = nil, blobs: [Blob] = []
  ) {
    self.snapshotID = snapshotID
    self.path = path
    self.fileSize = fileSize
    self.footerSize = footerSize
    self.keyMetadata = keyMetadata
    self.blobs = blobs
  }
}

/// A file with statistics by partition of one snapshot.
package struct PartitionStatisticsFile: Hashable, Sendable {
  package var snapshotID: Int64
  package var path: String
  /// Bytes.
  package var fileSize: Int64

  package init(snapshotID: Int64, path: String, fileSize: Int64) {
    self.snapshotID = snapshotID
    self.path = path
    self.fileSize = fileSize
  }
}
