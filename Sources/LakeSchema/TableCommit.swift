/// What must still hold of a table for a commit to be applied. Source: Iceberg REST specification, `TableRequirement`.
package enum TableRequirement: Hashable, Sendable {
  case assertCreate
  case assertTableUUID(String)
  /// The named ref points at this snapshot; nil: it does not exist.
  case assertRefSnapshotID(ref: String, snapshotID: Int64?)
  case assertLastAssignedFieldID(Int)
  case assertCurrentSchemaID(Int)
  case assertLastAssignedPartitionID(Int)
  case assertDefaultSpecID(Int)
  case assertDefaultSortOrderID(Int)
}

/// One change of a table. Source: Iceberg REST specification, `TableUpdate`.
package enum TableUpdate: Hashable, Sendable {
  case assignUUID(String)
  case upgradeFormatVersion(Int)
  case addSchema(Schema)
  /// -1: the schema added last in this commit.
  case setCurrentSchema(Int)
  case addPartitionSpec(PartitionSpec)
  /// -1: the spec added last in this commit.
  case setDefaultSpec(Int)
  case addSortOrder(SortOrder)
  /// -1: the order added last in this commit.
  case setDefaultSortOrder(Int)
  case addSnapshot(Snapshot)
  case setSnapshotRef(name: String, SnapshotRef)
  case removeSnapshots([Int64])
  case removeSnapshotRef(String)
  case setLocation(String)
  case setProperties([String: String])
  case removeProperties([String])
  case removePartitionSpecs([Int])
  case removeSchemas([Int])
  case setStatistics(StatisticsFile)
  case removeStatistics(snapshotID: Int64)
  case setPartitionStatistics(PartitionStatisticsFile)
  case removePartitionStatistics(snapshotID: Int64)
}

/// Why a commit was not applied.
package enum TableCommitError: Error, Hashable, Sendable {
  /// A requirement does not hold: load the table again and decide anew.
  case requirementFailed(String)
  /// The updates contradict the table or each other; trying again cannot help.
  case invalid(String)
}
