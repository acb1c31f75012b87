import LakeModel
import LakeSchema
import Testing

@Suite("table metadata after a commit")
struct TableMetadataApplyingTests {
  static let uuid = "f79c3e09-677c-4bbd-a479-3f349cb785e7"

  private func newTable(properties: [String: String] = [:]) throws -> TableMetadata {
    try TableMetadata.creating(
      uuid: Self.uuid, location: "s3://b/t/",
      schema: Schema(
        id: 0,
        fields: [
          Field(1, "tenant", .string, required: true), Field(2, "n", .int),
          Field(3, "m", .map(keyID: 4, key: .string, valueID: 5, value: .long, valueRequired: false)),
        ]),
      partitionSpec: PartitionSpec(
        id: 0, fields: [PartitionField(sourceID: 1, fieldID: 1000, name: "tenant", transform: .identity)]),
      sortOrder: SortOrder(id: 0, fields: []), properties: properties, now: 1_000)
  }

  private func apply(
    _ updates: [TableUpdate], to table: TableMetadata, now: Int64 = 2_000, requirements: [TableRequirement] = []
  ) throws -> TableMetadata {
    try table.applying(requirements: requirements, updates: updates, now: now, previousLocation: "previous")
  }

  private func snapshot(_ id: Int64, _ table: TableMetadata, at time: Int64 = 2_000) -> Snapshot {
    Snapshot(
      id: id, parentID: table.currentSnapshotID, sequenceNumber: table.lastSequenceNumber + 1, timestamp: time,
      manifestList: "l\(id)", summary: ["operation": "append"], schemaID: table.currentSchemaID)
  }

  private func main(_ id: Int64) -> TableUpdate {
    .setSnapshotRef(name: "main", SnapshotRef(snapshotID: id, kind: .branch))
  }

  @Test("a new table counts its columns, nested ones too, and loses the trailing slash of its location")
  func creation() throws {
    let table = try newTable(properties: ["format-version": "2", "a": "b"])
    #expect(table.location == "s3://b/t")
    #expect(table.lastColumnID == 5 && table.lastPartitionID == 1000)
    #expect(table.properties == ["a": "b"])
    #expect(table.metadataDirectory == "s3://b/t/metadata" && table.dataDirectory == "s3://b/t/data")
    #expect(table.snapshotLog == [] && table.metadataLog == [])
  }

  @Test("our own tables follow the rules that commits are checked by", arguments: LakeTable.all.map(\.name))
  func ownTables(name: String) throws {
    let table = try #require(LakeTable.all.first { $0.name == name })
    let metadata = try TableMetadata.creating(
      uuid: Self.uuid, location: "s3://b/\(name)", schema: table.schema, partitionSpec: table.partitionSpec,
      sortOrder: table.sortOrder, properties: table.properties, now: 0)
    #expect(metadata.schema == table.schema)
    #expect(metadata.partitionSpec == table.partitionSpec && metadata.sortOrder == table.sortOrder)
  }

  @Test("time never goes back, and the log of metadata files keeps so many")
  func logs() throws {
    var table = try newTable(properties: ["write.metadata.previous-versions-max": "2"])
    for (turn, now) in [5_000, 3_000, 6_000].enumerated() {
      table = try table.applying(
        requirements: [], updates: [.setProperties(["turn": "\(turn)"])], now: Int64(now),
        previousLocation: "file \(turn)")
    }
    #expect(table.lastUpdated == 6_000)
    #expect(
      table.metadataLog == [
        MetadataLogEntry(metadataFile: "file 1", timestamp: 5_000),
        MetadataLogEntry(metadataFile: "file 2", timestamp: 5_000),
      ])
  }

  @Test("a commit that changes nothing is the table as it was")
  func nothing() throws {
    let table = try newTable(properties: ["a": "b"])
    #expect(try apply([], to: table) == table)
    #expect(
      try apply([.setProperties(["a": "b"]), .setCurrentSchema(0), .setLocation("s3://b/t")], to: table) == table)
  }

  @Test("snapshots are logged when main moves, once for each commit")
  func snapshotLog() throws {
    var table = try newTable()
    let first = snapshot(1, table)
    table = try apply([.addSnapshot(first)], to: table)
    #expect(table.currentSnapshotID == nil && table.snapshotLog == [])
    #expect(table.lastSequenceNumber == 1)
    table = try apply([main(1)], to: table, now: 3_000)
    #expect(table.snapshotLog == [SnapshotLogEntry(snapshotID: 1, timestamp: 3_000)])
    let second = snapshot(2, table, at: 4_000)
    table = try apply([.addSnapshot(second), main(2)], to: table, now: 4_500)
    #expect(table.snapshotLog.last == SnapshotLogEntry(snapshotID: 2, timestamp: 4_000))
    table = try apply([main(1)], to: table, now: 5_000)  // a rollback
    #expect(table.snapshotLog.map(\.snapshotID) == [1, 2, 1])
  }

  @Test("expired snapshots take their statistics and the history before them along, and stay while a ref needs them")
  func expiry() throws {
    var table = try newTable()
    for id in 1...4 as ClosedRange<Int64> {
      table = try apply([.addSnapshot(snapshot(id, table)), main(id)], to: table)
    }
    table = try apply(
      [
        .setSnapshotRef(name: "t", SnapshotRef(snapshotID: 2, kind: .tag)),
        .setStatistics(StatisticsFile(snapshotID: 2, path: "p", fileSize: 1, footerSize: 1)),
        .setPartitionStatistics(PartitionStatisticsFile(snapshotID: 3, path: "q", fileSize: 1)),
      ], to: table)
    #expect(throws: TableCommitError.self) { try apply([.removeSnapshots([2])], to: table) }
    #expect(throws: TableCommitError.self) { try apply([.removeSnapshots([4])], to: table) }
    let after = try apply([.removeSnapshotRef("t"), .removeSnapshots([2])], to: table)
    #expect(after.snapshots.map(\.id) == [1, 3, 4])
    #expect(after.refs.keys.sorted() == ["main"])
    #expect(after.statistics == [] && after.partitionStatistics.count == 1)
    #expect(after.snapshotLog.map(\.snapshotID) == [3, 4])
  }

  @Test("schemas and specs that are there already are used again")
  func reuse() throws {
    var table = try newTable()
    var wider = try #require(table.schema)
    wider.fields[1].type = .long
    wider.fields.append(Field(6, "x", .double))
    table = try apply([.addSchema(wider), .setCurrentSchema(-1)], to: table)
    #expect(table.currentSchemaID == 1 && table.lastColumnID == 6)
    let same = try apply([.addSchema(wider), .setCurrentSchema(-1)], to: table)
    #expect(same == table)
    let unpartitioned = try apply(
      [.addPartitionSpec(PartitionSpec(id: 0, fields: [])), .setDefaultSpec(-1)], to: table)
    #expect(unpartitioned.defaultSpecID == 1 && unpartitioned.lastPartitionID == 1000)
    let back = try apply(
      [.addPartitionSpec(table.partitionSpecs[0]), .setDefaultSpec(-1)], to: unpartitioned)
    #expect(back.defaultSpecID == 0 && back.partitionSpecs.count == 2)
  }

  @Test("partition fields without an id get one, the old one where they mean the same")
  func fieldIDs() throws {
    let table = try newTable()
    let spec = PartitionSpec(
      id: 5,
      fields: [
        PartitionField(sourceID: 2, fieldID: 0, name: "n_bucket", transform: .bucket(4)),
        PartitionField(sourceID: 1, fieldID: 0, name: "tenant", transform: .identity),
        PartitionField(sourceID: 1, fieldID: 0, name: "tenant_trunc", transform: .truncate(2)),
      ])
    let after = try apply([.addPartitionSpec(spec), .setDefaultSpec(-1)], to: table)
    #expect(after.partitionSpec?.fields.map(\.fieldID) == [1001, 1000, 1002])
    #expect(after.lastPartitionID == 1002)
  }

  @Test("what breaks the rules is refused with what is wrong")
  func refusals() throws {
    var table = try newTable()
    table = try apply([.addSnapshot(snapshot(1, table, at: 200_000)), main(1)], to: table, now: 200_000)
    var narrower = try #require(table.schema)
    narrower.fields[0].type = .int
    var nested = narrower
    nested.fields = [Field(9, "s", .structure([Field(10, "a", .int), Field(10, "b", .int)]))]
    var early = snapshot(2, table, at: 100_000)
    early.timestamp = 139_999
    var orphan = snapshot(2, table, at: 200_000)
    orphan.parentID = 99
    let wrong: [(TableUpdate, String)] = [
      (.addSchema(narrower), "field 1 (tenant) cannot change from string to int"),
      (.addSchema(nested), "field id 10 used twice"),
      (.addSchema(Schema(id: 0, fields: [Field(1, "a", .string), Field(2, "a", .int)])), "two fields named a"),
      (
        .addPartitionSpec(
          PartitionSpec(id: 0, fields: [PartitionField(sourceID: 3, fieldID: 1001, name: "m", transform: .identity)])),
        "partition field m: source column m is not primitive"
      ),
      (
        .addPartitionSpec(
          PartitionSpec(id: 0, fields: [PartitionField(sourceID: 5, fieldID: 1001, name: "v", transform: .identity)])),
        "partition field v: source column value lies in a list or map"
      ),
      (
        .addPartitionSpec(
          PartitionSpec(id: 0, fields: [PartitionField(sourceID: 1, fieldID: 1001, name: "d", transform: .day)])),
        "partition field d: day does not take string"
      ),
      (
        .addPartitionSpec(
          PartitionSpec(id: 0, fields: [PartitionField(sourceID: 2, fieldID: 1000, name: "x", transform: .identity)])),
        "partition field id 1000 already means tenant"
      ),
      (.addSnapshot(early), "snapshot time 139999 is before the last snapshot's, 200000"),
      (.addSnapshot(orphan), "parent snapshot 99 is not in the table"),
      (.setDefaultSpec(-1), "no partition spec was added in this commit"),
      (.removeSchemas([0]), "the current schema cannot be removed"),
      (.removePartitionSpecs([0]), "the default partition spec cannot be removed"),
      (.assignUUID("x"), "the table's uuid is \(Self.uuid), it cannot become x"),
      (.upgradeFormatVersion(3), "format version 3 is not supported"),
    ]
    for (update, reason) in wrong {
      #expect(throws: TableCommitError.invalid(reason)) { try apply([update], to: table) }
    }
  }

  @Test("a table of format version 1 is changed only together with its upgrade")
  func upgrade() throws {
    var table = try newTable()
    table.formatVersion = 1
    #expect(throws: TableCommitError.self) { try apply([.setProperties(["a": "b"])], to: table) }
    let after = try apply([.upgradeFormatVersion(2), .setProperties(["a": "b"])], to: table)
    #expect(after.formatVersion == 2)
  }
}
