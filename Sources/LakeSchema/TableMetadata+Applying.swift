// Optimistic commits rest on one pure function: a catalog loads metadata, applies a commit to it here, and swaps the
// pointer. Every catalog of ours, the memory one included, decides with the same code.

extension TableMetadata {
  /// The table after a commit: requirements checked, updates applied in order, logs kept.
  ///
  /// When nothing changes the result equals the table as it was, and no new metadata file is due.
  /// - Parameters:
  ///   - now: milliseconds since the epoch; `lastUpdated` never goes back, whatever the wall clock does.
  ///   - previousLocation: the metadata file of the table as it was; goes into the metadata log.
  package func applying(
    requirements: [TableRequirement], updates: [TableUpdate], now: Int64, previousLocation: String
  ) throws(TableCommitError) -> TableMetadata {
    try check(requirements)
    var builder = TableMetadataBuilder(self, now: now)
    for update in updates { try builder.apply(update) }
    return try builder.finish(previousLocation: previousLocation)
  }

  /// A table made by the updates of a create transaction (`assertCreate` and everything a table needs).
  package static func creating(
    requirements: [TableRequirement], updates: [TableUpdate], now: Int64
  ) throws(TableCommitError) -> TableMetadata {
    for requirement in requirements where requirement != .assertCreate {
      throw .requirementFailed("the table does not exist: \(requirement)")
    }
    var builder = TableMetadataBuilder(now: now)
    for update in updates { try builder.apply(update) }
    return try builder.finish(previousLocation: nil)
  }

  /// A new, empty table. Field ids stay as given.
  package static func creating(
    uuid: String, location: String, schema: Schema, partitionSpec: PartitionSpec, sortOrder: SortOrder,
    properties: [String: String], now: Int64
  ) throws(TableCommitError) -> TableMetadata {
    if let version = properties[TableProperties.formatVersion], version != "2" {
      throw .invalid("format version \(version) cannot be created here, only 2")
    }
    var kept = properties
    kept[TableProperties.formatVersion] = nil
    return try creating(
      requirements: [.assertCreate],
      updates: [
        .assignUUID(uuid), .setLocation(location), .addSchema(schema), .setCurrentSchema(-1),
        .addPartitionSpec(partitionSpec), .setDefaultSpec(-1), .addSortOrder(sortOrder), .setDefaultSortOrder(-1),
        .setProperties(kept),
      ], now: now)
  }

  /// - Throws: `.requirementFailed` naming what was asked and what was found.
  package func check(_ requirements: [TableRequirement]) throws(TableCommitError) {
    for requirement in requirements { try check(requirement) }
  }

  private func check(_ requirement: TableRequirement) throws(TableCommitError) {
    func require<Value: Equatable>(_ what: String, _ asked: Value, _ found: Value) throws(TableCommitError) {
      if asked != found { throw .requirementFailed("\(what): asked \(asked), found \(found)") }
    }
    switch requirement {
    case .assertCreate: throw .requirementFailed("the table exists")
    case .assertTableUUID(let uuid): try require("table uuid", uuid.lowercased(), tableUUID.lowercased())
    case .assertRefSnapshotID(let ref, let asked):
      let found = refs[ref]?.snapshotID
      if asked != found {
        throw .requirementFailed(
          "ref \(ref): asked \(asked.map(String.init) ?? "none"), found \(found.map(String.init) ?? "none")")
      }
    case .assertLastAssignedFieldID(let id): try require("last assigned field id", id, lastColumnID)
    case .assertCurrentSchemaID(let id): try require("current schema id", id, currentSchemaID)
    case .assertLastAssignedPartitionID(let id): try require("last assigned partition id", id, lastPartitionID)
    case .assertDefaultSpecID(let id): try require("default spec id", id, defaultSpecID)
    case .assertDefaultSortOrderID(let id): try require("default sort order id", id, defaultSortOrderID)
    }
  }
}
