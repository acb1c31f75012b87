package import LakeJSON
package import LakeSchema

// Source: Iceberg REST specification, `TableRequirement`.

extension TableRequirement {
  /// - Throws: `.unsupported` for a type we do not know: a requirement that is not checked must not pass.
  package init(json value: JSONValue) throws(IcebergError) {
    try self.init(json: JSONReader(value, path: "requirement"))
  }

  init(json: JSONReader) throws(IcebergError) {
    let object = try json.object()
    switch try object.required("type").string() {
    case "assert-create": self = .assertCreate
    case "assert-table-uuid": self = .assertTableUUID(try object.required("uuid").string())
    case "assert-ref-snapshot-id":
      self = .assertRefSnapshotID(
        ref: try object.required("ref").string(), snapshotID: try object.optional("snapshot-id")?.int64())
    case "assert-last-assigned-field-id":
      self = .assertLastAssignedFieldID(try object.required("last-assigned-field-id").int())
    case "assert-current-schema-id": self = .assertCurrentSchemaID(try object.required("current-schema-id").int())
    case "assert-last-assigned-partition-id":
      self = .assertLastAssignedPartitionID(try object.required("last-assigned-partition-id").int())
    case "assert-default-spec-id": self = .assertDefaultSpecID(try object.required("default-spec-id").int())
    case "assert-default-sort-order-id":
      self = .assertDefaultSortOrderID(try object.required("default-sort-order-id").int())
    case let other: throw .unsupported("\(json.path): requirement \(other)")
    }
  }

  package func write(to json: inout JSONWriter) {
    json.object { json in
      switch self {
      case .assertCreate: json.member("type", "assert-create")
      case .assertTableUUID(let uuid):
        json.member("type", "assert-table-uuid")
        json.member("uuid", uuid)
      case .assertRefSnapshotID(let ref, let snapshotID):
        json.member("type", "assert-ref-snapshot-id")
        json.member("ref", ref)
        json.key("snapshot-id")
        if let snapshotID { json.value(snapshotID) } else { json.null() }
      case .assertLastAssignedFieldID(let id):
        json.member("type", "assert-last-assigned-field-id")
        json.member("last-assigned-field-id", id)
      case .assertCurrentSchemaID(let id):
        json.member("type", "assert-current-schema-id")
        json.member("current-schema-id", id)
      case .assertLastAssignedPartitionID(let id):
        json.member("type", "assert-last-assigned-partition-id")
        json.member("last-assigned-partition-id", id)
      case .assertDefaultSpecID(let id):
        json.member("type", "assert-default-spec-id")
        json.member("default-spec-id", id)
      case .assertDefaultSortOrderID(let id):
        json.member("type", "assert-default-sort-order-id")
        json.member("default-sort-order-id", id)
      }
    }
  }
}
