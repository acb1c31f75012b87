import LakeJSON
import LakeSchema

// Source: Iceberg table specification, "Table Metadata Fields", Appendix C.

extension TableMetadata {
  init(json: JSONReader) throws(IcebergError) {
    let object = try json.object()
    let version = try object.required("format-version").int()
    guard (1...2).contains(version) else {
      throw .unsupported("format version \(version): this program reads 1 and 2")
    }
    let schemas = try TableMetadata.schemas(of: object, version: version)
    let specs = try TableMetadata.specs(of: object, version: version)
    let orders = try TableMetadata.orders(of: object, version: version)
    let current = try object.optional("current-snapshot-id")?.int64()
    self.init(
      formatVersion: version, tableUUID: try object.optional("table-uuid")?.string() ?? "",
      location: TableMetadata.withoutTrailingSlash(try object.required("location").string()),
      lastSequenceNumber: version == 1 ? 0 : try object.required("last-sequence-number").int64(),
      lastUpdated: try object.required("last-updated-ms").int64(),
      lastColumnID: try object.required("last-column-id").int(), schemas: schemas.all, currentSchemaID: schemas.current,
      partitionSpecs: specs.all, defaultSpecID: specs.current,
      lastPartitionID: try object.optional("last-partition-id")?.int()
        ?? specs.all.flatMap(\.fields).reduce(SchemaRules.partitionFieldIDMin - 1) { max($0, $1.fieldID) },
      sortOrders: orders.all, defaultSortOrderID: orders.current,
      properties: try object.optional("properties")?.strings() ?? [:],
      currentSnapshotID: current == -1 ? nil : current,
      snapshots: try object.optional("snapshots")?.array { (snapshot) throws(IcebergError) in
        try Snapshot(json: snapshot)
      } ?? [])
    try readLogs(of: object)
    try check(object)
  }

  private mutating func readLogs(of object: JSONReader) throws(IcebergError) {
    snapshotLog =
      try object.optional("snapshot-log")?.array { (entry) throws(IcebergError) in
        SnapshotLogEntry(
          snapshotID: try entry.required("snapshot-id").int64(), timestamp: try entry.required("timestamp-ms").int64())
      } ?? []
    metadataLog =
      try object.optional("metadata-log")?.array { (entry) throws(IcebergError) in
        MetadataLogEntry(
          metadataFile: try entry.required("metadata-file").string(),
          timestamp: try entry.required("timestamp-ms").int64())
      } ?? []
    refs = try object.optional("refs")?.members { (ref) throws(IcebergError) in try SnapshotRef(json: ref) } ?? [:]
    if let currentSnapshotID, refs[TableMetadata.mainBranch] == nil {
      refs[TableMetadata.mainBranch] = SnapshotRef(snapshotID: currentSnapshotID, kind: .branch)
    }
    statistics =
      try object.optional("statistics")?.array { (file) throws(IcebergError) in
        try StatisticsFile(json: file)
      } ?? []
    partitionStatistics =
      try object.optional("partition-statistics")?.array { (file) throws(IcebergError) in
        try PartitionStatisticsFile(json: file)
      } ?? []
  }

  /// What the rest of the program relies on.
  private func check(_ object: JSONReader) throws(IcebergError) {
    guard schema != nil else { throw .malformed("\(object.path): no schema \(currentSchemaID)") }
    guard partitionSpec != nil else { throw .malformed("\(object.path): no partition spec \(defaultSpecID)") }
    guard sortOrder != nil else { throw .malformed("\(object.path): no sort order \(defaultSortOrderID)") }
    if formatVersion > 1, tableUUID.isEmpty { throw .malformed("\(object.path): no table-uuid") }
    for (name, ref) in refs where snapshot(id: ref.snapshotID) == nil {
      throw .malformed("\(object.path).refs.\(name): no snapshot \(ref.snapshotID)")
    }
    if let currentSnapshotID {
      guard snapshot(id: currentSnapshotID) != nil else {
        throw .malformed("\(object.path): no snapshot \(currentSnapshotID)")
      }
      guard refs[TableMetadata.mainBranch]?.snapshotID == currentSnapshotID else {
        throw .malformed("\(object.path): current-snapshot-id is not where main points")
      }
    } else if refs[TableMetadata.mainBranch] != nil {
      throw .malformed("\(object.path): main points at a snapshot, current-snapshot-id does not")
    }
    for schema in schemas {
      do { try SchemaRules.check(schema) } catch { throw .malformed("\(object.path): schema \(schema.id): \(error)") }
    }
  }

  private static func schemas(of object: JSONReader, version: Int) throws(IcebergError) -> (all: [Schema], current: Int)
  {
    if let list = object.optional("schemas") {
      let all = try list.array { (schema) throws(IcebergError) in try Schema(json: schema) }
      return (all, try object.required("current-schema-id").int())
    }
    guard version == 1 else { throw .malformed("\(object.path): no schemas") }
    let schema = try Schema(json: object.required("schema"))
    return ([schema], schema.id)
  }

  private static func specs(of object: JSONReader, version: Int) throws(IcebergError) -> (
    all: [PartitionSpec], current: Int
  ) {
    if let list = object.optional("partition-specs") {
      let all = try list.array { (spec) throws(IcebergError) in try PartitionSpec(json: spec) }
      return (all, try object.required("default-spec-id").int())
    }
    guard version == 1 else { throw .malformed("\(object.path): no partition-specs") }
    return ([PartitionSpec(id: 0, fields: try PartitionSpec.fields(of: object.required("partition-spec")))], 0)
  }

  private static func orders(of object: JSONReader, version: Int) throws(IcebergError) -> (
    all: [SortOrder], current: Int
  ) {
    if let list = object.optional("sort-orders") {
      let all = try list.array { (order) throws(IcebergError) in try SortOrder(json: order) }
      return (all, try object.required("default-sort-order-id").int())
    }
    guard version == 1 else { throw .malformed("\(object.path): no sort-orders") }
    return ([SortOrder(id: 0, fields: [])], 0)
  }

  /// - Precondition: format version 2.
  func write(to json: inout JSONWriter) {
    precondition(formatVersion == 2, "only format version 2 is written")
    json.object { json in
      json.member("format-version", formatVersion)
      json.member("table-uuid", tableUUID)
      json.member("location", location)
      json.member("last-sequence-number", lastSequenceNumber)
      json.member("last-updated-ms", lastUpdated)
      json.member("last-column-id", lastColumnID)
      json.member("current-schema-id", currentSchemaID)
      json.key("schemas")
      json.array { json in for schema in schemas { schema.write(to: &json) } }
      json.member("default-spec-id", defaultSpecID)
      json.key("partition-specs")
      json.array { json in for spec in partitionSpecs { spec.write(to: &json) } }
      json.member("last-partition-id", lastPartitionID)
      json.member("default-sort-order-id", defaultSortOrderID)
      json.key("sort-orders")
      json.array { json in for order in sortOrders { order.write(to: &json) } }
      json.key("properties")
      json.members(properties)
      if let currentSnapshotID { json.member("current-snapshot-id", currentSnapshotID) }
      writeSnapshots(to: &json)
    }
  }

  private func writeSnapshots(to json: inout JSONWriter) {
    json.key("refs")
    json.object { json in
      for (name, ref) in refs.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        json.key(name)
        ref.write(to: &json)
      }
    }
    json.key("snapshots")
    json.array { json in for snapshot in snapshots { snapshot.write(to: &json) } }
    json.key("statistics")
    json.array { json in for file in statistics { file.write(to: &json) } }
    json.key("partition-statistics")
    json.array { json in for file in partitionStatistics { file.write(to: &json) } }
    json.key("snapshot-log")
    json.array { json in
      for entry in snapshotLog {
        json.object { json in
          json.member("snapshot-id", entry.snapshotID)
          json.member("timestamp-ms", entry.timestamp)
        }
      }
    }
    json.key("metadata-log")
    json.array { json in
      for entry in metadataLog {
        json.object { json in
          json.member("metadata-file", entry.metadataFile)
          json.member("timestamp-ms", entry.timestamp)
        }
      }
    }
  }
}
