package import LakeJSON
package import LakeSchema

// Source: Iceberg REST specification, `TableUpdate`.

extension TableUpdate {
  /// - Throws: `.unsupported` for an action we do not know: a change that is not made must not be confirmed.
  package init(json value: JSONValue) throws(IcebergError) { try self.init(json: JSONReader(value, path: "update")) }

  init(json: JSONReader) throws(IcebergError) {
    let object = try json.object()
    let action = try object.required("action").string()
    switch action {
    case "assign-uuid": self = .assignUUID(try object.required("uuid").string())
    case "upgrade-format-version": self = .upgradeFormatVersion(try object.required("format-version").int())
    case "add-schema": self = .addSchema(try Schema(json: object.required("schema")))
    case "set-current-schema": self = .setCurrentSchema(try object.required("schema-id").int())
    case "add-spec": self = .addPartitionSpec(try PartitionSpec(json: object.required("spec"), assigningIDs: false))
    case "set-default-spec": self = .setDefaultSpec(try object.required("spec-id").int())
    case "add-sort-order": self = .addSortOrder(try SortOrder(json: object.required("sort-order")))
    case "set-default-sort-order": self = .setDefaultSortOrder(try object.required("sort-order-id").int())
    case "set-location": self = .setLocation(try object.required("location").string())
    case "set-properties": self = .setProperties(try object.required("updates").strings())
    case "remove-properties":
      self = .removeProperties(
        try object.required("removals").array { (name) throws(IcebergError) in try name.string() })
    case "remove-partition-specs": self = .removePartitionSpecs(try Self.ids(object, "spec-ids"))
    case "remove-schemas": self = .removeSchemas(try Self.ids(object, "schema-ids"))
    default: self = try Self.snapshotUpdate(action, object)
    }
  }

  private static func snapshotUpdate(_ action: String, _ object: JSONReader) throws(IcebergError) -> TableUpdate {
    switch action {
    case "add-snapshot": return .addSnapshot(try Snapshot(json: object.required("snapshot")))
    case "set-snapshot-ref":
      return .setSnapshotRef(name: try object.required("ref-name").string(), try SnapshotRef(json: object))
    case "remove-snapshots":
      return .removeSnapshots(
        try object.required("snapshot-ids").array { (id) throws(IcebergError) in try id.int64() })
    case "remove-snapshot-ref": return .removeSnapshotRef(try object.required("ref-name").string())
    case "set-statistics": return .setStatistics(try StatisticsFile(json: object.required("statistics")))
    case "remove-statistics": return .removeStatistics(snapshotID: try object.required("snapshot-id").int64())
    case "set-partition-statistics":
      return .setPartitionStatistics(try PartitionStatisticsFile(json: object.required("partition-statistics")))
    case "remove-partition-statistics":
      return .removePartitionStatistics(snapshotID: try object.required("snapshot-id").int64())
    default: throw .unsupported("\(object.path): action \(action)")
    }
  }

  private static func ids(_ object: JSONReader, _ name: String) throws(IcebergError) -> [Int] {
    try object.required(name).array { (id) throws(IcebergError) in try id.int() }
  }

  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("action", action)
      writeMembers(to: &json)
    }
  }

  private var action: String {
    switch self {
    case .assignUUID: "assign-uuid"
    case .upgradeFormatVersion: "upgrade-format-version"
    case .addSchema: "add-schema"
    case .setCurrentSchema: "set-current-schema"
    case .addPartitionSpec: "add-spec"
    case .setDefaultSpec: "set-default-spec"
    case .addSortOrder: "add-sort-order"
    case .setDefaultSortOrder: "set-default-sort-order"
    case .addSnapshot: "add-snapshot"
    case .setSnapshotRef: "set-snapshot-ref"
    case .removeSnapshots: "remove-snapshots"
    case .removeSnapshotRef: "remove-snapshot-ref"
    case .setLocation: "set-location"
    case .setProperties: "set-properties"
    case .removeProperties: "remove-properties"
    case .removePartitionSpecs: "remove-partition-specs"
    case .removeSchemas: "remove-schemas"
    case .setStatistics: "set-statistics"
    case .removeStatistics: "remove-statistics"
    case .setPartitionStatistics: "set-partition-statistics"
    case .removePartitionStatistics: "remove-partition-statistics"
    }
  }

  private func writeMembers(to json: inout JSONWriter) {
    switch self {
    case .assignUUID(let uuid): json.member("uuid", uuid)
    case .upgradeFormatVersion(let version): json.member("format-version", version)
    case .addSchema(let schema):
      json.key("schema")
      schema.write(to: &json)
      json.member("last-column-id", schema.lastFieldID)  // for servers of the first specification
    case .setCurrentSchema(let id): json.member("schema-id", id)
    case .addPartitionSpec(let spec):
      json.key("spec")
      spec.write(to: &json)
    case .setDefaultSpec(let id): json.member("spec-id", id)
    case .addSortOrder(let order):
      json.key("sort-order")
      order.write(to: &json)
    case .setDefaultSortOrder(let id): json.member("sort-order-id", id)
    case .addSnapshot(let snapshot):
      json.key("snapshot")
      snapshot.write(to: &json)
    case .setSnapshotRef(let name, let ref):
      json.member("ref-name", name)
      ref.writeMembers(to: &json)
    case .removeSnapshots(let ids): json.numbers("snapshot-ids", ids)
    case .removeSnapshotRef(let name): json.member("ref-name", name)
    case .setLocation(let location): json.member("location", location)
    case .setProperties(let properties):
      json.key("updates")
      json.members(properties)
    case .removeProperties(let names):
      json.key("removals")
      json.array { json in for name in names { json.value(name) } }
    case .removePartitionSpecs(let ids): json.numbers("spec-ids", ids.map { Int64($0) })
    case .removeSchemas(let ids): json.numbers("schema-ids", ids.map { Int64($0) })
    case .setStatistics(let file):
      json.member("snapshot-id", file.snapshotID)
      json.key("statistics")
      file.write(to: &json)
    case .setPartitionStatistics(let file):
      json.key("partition-statistics")
      file.write(to: &json)
    case .removeStatistics(let id), .removePartitionStatistics(let id): json.member("snapshot-id", id)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func numbers(_ name: String, _ numbers: [Int64]) {
    key(name)
    array { json in for number in numbers { json.value(number) } }
  }
}
