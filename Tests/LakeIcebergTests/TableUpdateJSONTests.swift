import LakeIceberg
import LakeJSON
import LakeModel
import LakeSchema
import Testing

@Suite("requirements and updates as JSON")
struct TableUpdateJSONTests {
  static let updates: [(TableUpdate, String)] = [
    (.assignUUID("u"), #"{"action":"assign-uuid","uuid":"u"}"#),
    (.upgradeFormatVersion(2), #"{"action":"upgrade-format-version","format-version":2}"#),
    (
      .addSchema(Schema(id: 1, fields: [Field(1, "a", .int, required: true)])),
      #"{"action":"add-schema","schema":{"type":"struct","schema-id":1,"fields":[{"id":1,"name":"a","required":true,"type":"int"}]},"last-column-id":1}"#
    ),
    (.setCurrentSchema(-1), #"{"action":"set-current-schema","schema-id":-1}"#),
    (
      .addPartitionSpec(
        PartitionSpec(
          id: 1, fields: [PartitionField(sourceID: 1, fieldID: 1000, name: "p", transform: .bucket(4))])),
      #"{"action":"add-spec","spec":{"spec-id":1,"fields":[{"name":"p","transform":"bucket[4]","source-id":1,"field-id":1000}]}}"#
    ),
    (.setDefaultSpec(-1), #"{"action":"set-default-spec","spec-id":-1}"#),
    (
      .addSortOrder(
        SortOrder(id: 1, fields: [SortField(sourceID: 1, direction: .descending, nullOrder: .last)])),
      #"{"action":"add-sort-order","sort-order":{"order-id":1,"fields":[{"transform":"identity","source-id":1,"direction":"desc","null-order":"nulls-last"}]}}"#
    ),
    (.setDefaultSortOrder(1), #"{"action":"set-default-sort-order","sort-order-id":1}"#),
    (
      .addSnapshot(
        Snapshot(
          id: 5, parentID: 4, sequenceNumber: 3, timestamp: 2, manifestList: "l", summary: ["operation": "append"],
          schemaID: 0)),
      #"{"action":"add-snapshot","snapshot":{"snapshot-id":5,"parent-snapshot-id":4,"sequence-number":3,"timestamp-ms":2,"manifest-list":"l","summary":{"operation":"append"},"schema-id":0}}"#
    ),
    (
      .setSnapshotRef(
        name: "b",
        SnapshotRef(snapshotID: 5, kind: .branch, minSnapshotsToKeep: 2, maxSnapshotAge: 3, maxRefAge: 4)),
      #"{"action":"set-snapshot-ref","ref-name":"b","snapshot-id":5,"type":"branch","min-snapshots-to-keep":2,"max-snapshot-age-ms":3,"max-ref-age-ms":4}"#
    ),
    (.removeSnapshots([1, 2]), #"{"action":"remove-snapshots","snapshot-ids":[1,2]}"#),
    (.removeSnapshotRef("b"), #"{"action":"remove-snapshot-ref","ref-name":"b"}"#),
    (.setLocation("s3://b"), #"{"action":"set-location","location":"s3://b"}"#),
    (.setProperties(["b": "2", "a": "1"]), #"{"action":"set-properties","updates":{"a":"1","b":"2"}}"#),
    (.removeProperties(["a"]), #"{"action":"remove-properties","removals":["a"]}"#),
    (.removePartitionSpecs([1]), #"{"action":"remove-partition-specs","spec-ids":[1]}"#),
    (.removeSchemas([1]), #"{"action":"remove-schemas","schema-ids":[1]}"#),
    (
      .setStatistics(
        StatisticsFile(
          snapshotID: 5, path: "p", fileSize: 4, footerSize: 3,
          blobs: [.init(type: "t", snapshotID: 5, sequenceNumber: 1, fields: [1], properties: ["k": "v"])])),
      #"{"action":"set-statistics","snapshot-id":5,"statistics":{"snapshot-id":5,"statistics-path":"p","file-size-in-bytes":4,"file-footer-size-in-bytes":3,"blob-metadata":[{"type":"t","snapshot-id":5,"sequence-number":1,"fields":[1],"properties":{"k":"v"}}]}}"#
    ),
    (.removeStatistics(snapshotID: 5), #"{"action":"remove-statistics","snapshot-id":5}"#),
    (
      .setPartitionStatistics(PartitionStatisticsFile(snapshotID: 5, path: "p", fileSize: 4)),
      #"{"action":"set-partition-statistics","partition-statistics":{"snapshot-id":5,"statistics-path":"p","file-size-in-bytes":4}}"#
    ),
    (.removePartitionStatistics(snapshotID: 5), #"{"action":"remove-partition-statistics","snapshot-id":5}"#),
  ]

  @Test("updates are written as the REST specification has them and read back")
  func updates() throws {
    for (update, text) in Self.updates {
      var json = JSONWriter()
      update.write(to: &json)
      #expect(json.finish().text == text)
      #expect(try TableUpdate(json: JSONDocument(Bytes(text)).root) == update)
    }
    #expect(Self.updates.count == 21)
  }

  static let requirements: [(TableRequirement, String)] = [
    (.assertCreate, #"{"type":"assert-create"}"#), (.assertTableUUID("u"), #"{"type":"assert-table-uuid","uuid":"u"}"#),
    (
      .assertRefSnapshotID(ref: "main", snapshotID: nil),
      #"{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":null}"#
    ),
    (
      .assertRefSnapshotID(ref: "main", snapshotID: 7),
      #"{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":7}"#
    ),
    (.assertLastAssignedFieldID(3), #"{"type":"assert-last-assigned-field-id","last-assigned-field-id":3}"#),
    (.assertCurrentSchemaID(3), #"{"type":"assert-current-schema-id","current-schema-id":3}"#),
    (
      .assertLastAssignedPartitionID(3),
      #"{"type":"assert-last-assigned-partition-id","last-assigned-partition-id":3}"#
    ),
    (.assertDefaultSpecID(3), #"{"type":"assert-default-spec-id","default-spec-id":3}"#),
    (.assertDefaultSortOrderID(3), #"{"type":"assert-default-sort-order-id","default-sort-order-id":3}"#),
  ]

  @Test("requirements are written as the REST specification has them and read back")
  func requirements() throws {
    for (requirement, text) in Self.requirements {
      var json = JSONWriter()
      requirement.write(to: &json)
      #expect(json.finish().text == text)
      #expect(try TableRequirement(json: JSONDocument(Bytes(text)).root) == requirement)
    }
  }

  @Test("what is not known is refused, not passed over")
  func unknown() throws {
    for text in [#"{"action":"add-view-version"}"#, #"{"action":"add-encryption-key"}"#] {
      #expect(throws: IcebergError.self) { try TableUpdate(json: JSONDocument(Bytes(text)).root) }
    }
    #expect(throws: IcebergError.self) {
      try TableRequirement(json: JSONDocument(Bytes(#"{"type":"assert-view-uuid"}"#)).root)
    }
  }
}
