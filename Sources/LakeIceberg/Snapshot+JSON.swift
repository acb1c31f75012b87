import LakeJSON
import LakeSchema

// Source: Iceberg table specification, "Snapshots", "Snapshot References", Appendix C.

extension Snapshot {
  init(json: JSONReader) throws(IcebergError) {
    let object = try json.object()
    self.init(
      id: try object.required("snapshot-id").int64(), parentID: try object.optional("parent-snapshot-id")?.int64(),
      sequenceNumber: try object.optional("sequence-number")?.int64() ?? 0,
      timestamp: try object.required("timestamp-ms").int64(),
      manifestList: try object.optional("manifest-list")?.string() ?? "",
      summary: try object.optional("summary")?.strings() ?? [:], schemaID: try object.optional("schema-id")?.int())
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("snapshot-id", id)
      if let parentID { json.member("parent-snapshot-id", parentID) }
      json.member("sequence-number", sequenceNumber)
      json.member("timestamp-ms", timestamp)
      json.member("manifest-list", manifestList)
      json.key("summary")
      json.members(summary)
      if let schemaID { json.member("schema-id", schemaID) }
    }
  }
}

extension SnapshotRef {
  init(json: JSONReader) throws(IcebergError) {
    let object = try json.object()
    let type = try object.required("type")
    guard let kind = Kind(rawValue: try type.string().lowercased()) else { throw type.fail("branch or tag") }
    self.init(
      snapshotID: try object.required("snapshot-id").int64(), kind: kind,
      minSnapshotsToKeep: try object.optional("min-snapshots-to-keep")?.int(),
      maxSnapshotAge: try object.optional("max-snapshot-age-ms")?.int64(),
      maxRefAge: try object.optional("max-ref-age-ms")?.int64())
  }

  func write(to json: inout JSONWriter) { json.object { json in writeMembers(to: &json) } }

  func writeMembers(to json: inout JSONWriter) {
    json.member("snapshot-id", snapshotID)
    json.member("type", kind.rawValue)
    if let minSnapshotsToKeep { json.member("min-snapshots-to-keep", minSnapshotsToKeep) }
    if let maxSnapshotAge { json.member("max-snapshot-age-ms", maxSnapshotAge) }
    if let maxRefAge { json.member("max-ref-age-ms", maxRefAge) }
  }
}

extension StatisticsFile {
  init(json: JSONReader) throws(IcebergError) {
    let object = try json.object()
    self.init(
      snapshotID: try object.required("snapshot-id").int64(), path: try object.required("statistics-path").string(),
      fileSize: try object.required("file-size-in-bytes").int64(),
      footerSize: try object.required("file-footer-size-in-bytes").int64(),
      keyMetadata: try object.optional("key-metadata")?.string(),
      blobs: try object.required("blob-metadata").array { (blob) throws(IcebergError) in
        Blob(
          type: try blob.required("type").string(), snapshotID: try blob.required("snapshot-id").int64(),
          sequenceNumber: try blob.required("sequence-number").int64(),
          fields: try blob.required("fields").array { (id) throws(IcebergError) in try id.int() },
          properties: try blob.optional("properties")?.strings() ?? [:])
      })
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("snapshot-id", snapshotID)
      json.member("statistics-path", path)
      json.member("file-size-in-bytes", fileSize)
      json.member("file-footer-size-in-bytes", footerSize)
      if let keyMetadata { json.member("key-metadata", keyMetadata) }
      json.key("blob-metadata")
      json.array { json in for blob in blobs { StatisticsFile.write(blob, to: &json) } }
    }
  }

  private static func write(_ blob: Blob, to json: inout JSONWriter) {
    json.object { json in
      json.member("type", blob.type)
      json.member("snapshot-id", blob.snapshotID)
      json.member("sequence-number", blob.sequenceNumber)
      json.key("fields")
      json.array { json in for id in blob.fields { json.value(id) } }
      json.key("properties")
      json.members(blob.properties)
    }
  }
}

extension PartitionStatisticsFile {
  init(json: JSONReader) throws(IcebergError) {
    let object = try json.object()
    self.init(
      snapshotID: try object.required("snapshot-id").int64(), path: try object.required("statistics-path").string(),
      fileSize: try object.required("file-size-in-bytes").int64())
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("snapshot-id", snapshotID)
      json.member("statistics-path", path)
      json.member("file-size-in-bytes", fileSize)
    }
  }
}
