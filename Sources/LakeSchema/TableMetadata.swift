/// The state of an Iceberg v2 table: what its current `metadata.json` says.
/// Source: Iceberg table specification, "Table Metadata".
package struct TableMetadata: Hashable, Sendable {
  package var formatVersion: Int
  package var tableUUID: String
  package var location: String
  package var lastSequenceNumber: Int64
  /// Milliseconds since the epoch.
  package var lastUpdated: Int64
  package var lastColumnID: Int
  package var schemas: [Schema]
  package var currentSchemaID: Int
  package var partitionSpecs: [PartitionSpec]
  package var defaultSpecID: Int
  package var lastPartitionID: Int
  package var sortOrders: [SortOrder]
  package var defaultSortOrderID: Int
  package var properties: [String: String]
  package var currentSnapshotID: Int64?
  package var snapshots: [Snapshot]
  package var snapshotLog: [SnapshotLogEntry]
  package var metadataLog: [MetadataLogEntry]
  package var refs: [String: SnapshotRef]
  /// Puffin files other engines may have written; kept, not read.
  package var statistics: [StatisticsFile]
  package var partitionStatistics: [PartitionStatisticsFile]

  package init(
    formatVersion: Int = 2, tableUUID: String, location: String, lastSequenceNumber: Int64 = 0, lastUpdated: Int64,
    lastColumnID: Int, schemas: [Schema], currentSchemaID: Int, partitionSpecs: [PartitionSpec], defaultSpecID: Int,
    lastPartitionID: Int, sortOrders: [SortOrder], defaultSortOrderID: Int, properties: [String: String] = [:],
    currentSnapshotID: Int64? = nil, snapshots: [Snapshot] = [], snapshotLog: [SnapshotLogEntry] = [],
    metadataLog: [MetadataLogEntry] = [], refs: [String: SnapshotRef] = [:],
    statistics: [StatisticsFile] = [], partitionStatistics: [PartitionStatisticsFile] = []
  ) {
    self.formatVersion = formatVersion
    self.tableUUID = tableUUID
    self.location = location
    self.lastSequenceNumber = lastSequenceNumber
    self.lastUpdated = lastUpdated
    self.lastColumnID = lastColumnID
    self.schemas = schemas
    self.currentSchemaID = currentSchemaID
    self.partitionSpecs = partitionSpecs
    self.defaultSpecID = defaultSpecID
    self.lastPartitionID = lastPartitionID
    self.sortOrders = sortOrders
    self.defaultSortOrderID = defaultSortOrderID
    self.properties = properties
    self.currentSnapshotID = currentSnapshotID
    self.snapshots = snapshots
    self.snapshotLog = snapshotLog
    self.metadataLog = metadataLog
    self.refs = refs
    self.statistics = statistics
    self.partitionStatistics = partitionStatistics
  }

  package var schema: Schema? { schemas.first { $0.id == currentSchemaID } }
  package var partitionSpec: PartitionSpec? { partitionSpecs.first { $0.id == defaultSpecID } }
  package var sortOrder: SortOrder? { sortOrders.first { $0.id == defaultSortOrderID } }
  package var currentSnapshot: Snapshot? { currentSnapshotID.flatMap { snapshot(id: $0) } }
  package func snapshot(id: Int64) -> Snapshot? { snapshots.first { $0.id == id } }
  package func schema(id: Int) -> Schema? { schemas.first { $0.id == id } }
  package func partitionSpec(id: Int) -> PartitionSpec? { partitionSpecs.first { $0.id == id } }

  /// The branch that readers and writers use when none is named.
  package static let mainBranch = "main"
}

package struct Snapshot: Hashable, Sendable {
  package var id: Int64
  package var parentID: Int64?
  package var sequenceNumber: Int64
  /// Milliseconds since the epoch.
  package var timestamp: Int64
  /// Location of the manifest list; empty for a snapshot of format version 1 that names its manifests inline.
  package var manifestList: String
  /// `operation` (append, replace, overwrite, delete) and counters.
  package var summary: [String: String]
  package var schemaID: Int?

  package init(
    id: Int64, parentID: Int64?, sequenceNumber: Int64, timestamp: Int64, manifestList: String,
    summary: [String: String], schemaID: Int?
  ) {
    self.id = id
    self.parentID = parentID
    self.sequenceNumber = sequenceNumber
    self.timestamp = timestamp
    self.manifestList = manifestList
    self.summary = summary
    self.schemaID = schemaID
  }
}

package struct SnapshotLogEntry: Hashable, Sendable {
  package var snapshotID: Int64
  package var timestamp: Int64
  package init(snapshotID: Int64, timestamp: Int64) {
    self.snapshotID = snapshotID
    self.timestamp = timestamp
  }
}

package struct MetadataLogEntry: Hashable, Sendable {
  package var metadataFile: String
  package var timestamp: Int64
  package init(metadataFile: String, timestamp: Int64) {
    self.metadataFile = metadataFile
    self.timestamp = timestamp
  }
}

package struct SnapshotRef: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable { case branch, tag }
  package var snapshotID: Int64
  package var kind: Kind
  package var minSnapshotsToKeep: Int?
  /// Milliseconds.
  package var maxSnapshotAge: Int64?
  package var maxRefAge: Int64?

  package init(
    snapshotID: Int64, kind: Kind, minSnapshotsToKeep: Int? = nil, maxSnapshotAge: Int64? = nil,
    maxRefAge: Int64? = nil
  ) {
    self.snapshotID = snapshotID
    self.kind = kind
    self.minSnapshotsToKeep = minSnapshotsToKeep
    self.maxSnapshotAge = maxSnapshotAge
    self.maxRefAge = maxRefAge
  }
}
