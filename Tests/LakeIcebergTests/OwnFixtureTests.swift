import LakeIceberg
import LakeModel
import LakeSchema
import Testing

/// What released versions wrote must stay readable.
@Suite("a table written by an earlier version of ours")
struct OwnFixtureTests {
  static let fixture = Fixture("icegate")

  @Test("is read with its schema, files and counters")
  func reading() throws {
    let names = try Self.fixture.names(suffix: ".metadata.json")
    #expect(names.map { $0.prefix(5) } == ["00000", "00001", "00002"])
    let table = try TableMetadataCodec.decode(Self.fixture.bytes(names[2]))
    // Columns may have been added since; those that were there keep id, name, type and nullability.
    let recorded = try #require(table.schema?.fields)
    #expect(recorded.count >= 26)
    for field in recorded {
      let now = try #require(LakeTable.logs.schema.field(id: field.id))
      #expect((now.name, now.isRequired) == (field.name, field.isRequired))
      #expect(now.type == field.type)
    }
    #expect(table.partitionSpec == LakeTable.logs.partitionSpec)
    #expect(table.sortOrder == LakeTable.logs.sortOrder)
    #expect(table.snapshots.map(\.sequenceNumber) == [1, 2])
    #expect(table.currentSnapshot?.summary["total-records"] == "8")
    let planner = try ScanPlanner(table: table, metricsOf: .all)
    let manifests = try planner.select(ManifestList.decode(Self.fixture.bytes(planner.manifestListLocation!)))
    let files = try manifests.flatMap { try planner.files(of: $0, bytes: Self.fixture.bytes($0.path)) }
    #expect(files.map(\.file.recordCount) == [1, 7])
    #expect(
      files.map(\.file.partition) == [
        [.string("b"), .string("acc"), .int(20_759)], [.string("a"), nil, .int(20_758)],
      ])
    #expect(files[1].file.metrics.lowerBounds == [4: [0x00, 0x80, 0x3A, 0x4B, 0x65, 0x63, 0x06, 0x00]])
  }

  @Test("has metadata that would be written byte for byte the same today")
  func sameBytes() throws {
    for name in try Self.fixture.names(suffix: ".metadata.json") {
      let bytes = try Self.fixture.bytes(name)
      #expect(try TableMetadataCodec.encode(TableMetadataCodec.decode(bytes)) == bytes)
    }
  }
}
