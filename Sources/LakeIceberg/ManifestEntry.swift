/// One line of a manifest. Source: Iceberg table specification, "Manifests".
package struct ManifestEntry: Hashable, Sendable {
  package enum Status: Int, Hashable, Sendable { case existing = 0, added = 1, deleted = 2 }
  package var status: Status
  /// When the file was added, or deleted. nil in a manifest's bytes: the manifest's own snapshot.
  package var snapshotID: Int64?
  /// Data sequence number: deletes of a higher one apply. nil in a manifest's bytes: inherited from the manifest.
  package var sequenceNumber: Int64?
  /// Sequence number of the commit that added the file.
  package var fileSequenceNumber: Int64?
  package var file: DataFile

  package init(
    status: Status, snapshotID: Int64?, sequenceNumber: Int64?, fileSequenceNumber: Int64?, file: DataFile
  ) {
    self.status = status
    self.snapshotID = snapshotID
    self.sequenceNumber = sequenceNumber
    self.fileSequenceNumber = fileSequenceNumber
    self.file = file
  }

  /// Whether the file belongs to the snapshot.
  package var isLive: Bool { status != .deleted }
}

/// One manifest as a manifest list describes it. Source: Iceberg table specification, "Manifest Lists".
package struct ManifestFile: Hashable, Sendable {
  package enum Content: Int, Hashable, Sendable { case data = 0, deletes = 1 }
  /// Absolute location.
  package var path: String
  /// Bytes.
  package var length: Int64
  package var specID: Int
  package var content: Content
  /// Of the commit that added the manifest; 0 when read from format version 1.
  package var sequenceNumber: Int64
  package var minSequenceNumber: Int64
  package var addedSnapshotID: Int64
  /// nil: not known (format version 1).
  package var addedFilesCount: Int?
  package var existingFilesCount: Int?
  package var deletedFilesCount: Int?
  package var addedRowsCount: Int64?
  package var existingRowsCount: Int64?
  package var deletedRowsCount: Int64?
  /// One per field of the partition spec, or empty when not known.
  package var partitions: [FieldSummary]
  package var keyMetadata: [UInt8]?

  /// What the partition values of all files of a manifest have in common.
  package struct FieldSummary: Hashable, Sendable {
    package var containsNull: Bool
    package var containsNaN: Bool?
    /// Single-value serialization of the partition field's result type.
    package var lowerBound: [UInt8]?
    package var upperBound: [UInt8]?

    package init(containsNull: Bool, containsNaN: Bool?, lowerBound: [UInt8]?, upperBound: [UInt8]?) {
      self.containsNull = containsNull
      self.containsNaN = containsNaN
      self.lowerBound = lowerBound
      self.upperBound = upperBound
    }
  }

  package init(
    path: String, length: Int64, specID: Int, content: Content = .data, sequenceNumber: Int64,
    minSequenceNumber: Int64, addedSnapshotID: Int64, addedFilesCount: Int? = nil, existingFilesCount: Int? = nil,
    deletedFilesCount: Int? = nil, addedRowsCount: Int64? = nil, existingRowsCount: Int64? = nil,
    deletedRowsCount: Int64? = nil, partitions: [FieldSummary] = [], keyMetadata: [UInt8]? = nil
  ) {
    self.path = path
    self.length = length
    self.specID = specID
    self.content = content
    self.sequenceNumber = sequenceNumber
    self.minSequenceNumber = minSequenceNumber
    self.addedSnapshotID = addedSnapshotID
    self.addedFilesCount = addedFilesCount
    self.existingFilesCount = existingFilesCount
    self.deletedFilesCount = deletedFilesCount
    self.addedRowsCount = addedRowsCount
    self.existingRowsCount = existingRowsCount
    self.deletedRowsCount = deletedRowsCount
    self.partitions = partitions
    self.keyMetadata = keyMetadata
  }

  /// Whether any file in it may belong to the snapshot.
  package var mayHoldLiveFiles: Bool { addedFilesCount != 0 || existingFilesCount != 0 }
}
