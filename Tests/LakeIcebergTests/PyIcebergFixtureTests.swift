import LakeIceberg
import LakeJSON
import LakeModel
import LakeSchema
import Testing

/// Files written by PyIceberg, beside what PyIceberg itself reads in them.
@Suite("a table written by PyIceberg")
struct PyIcebergFixtureTests {
  static let fixture = Fixture("pyiceberg")

  private func currentTable() throws -> TableMetadata {
    let name = try Self.fixture.json("expected.json")["metadata"]!.string!
    return try TableMetadataCodec.decode(Self.fixture.bytes(name))
  }

  @Test("has its metadata read in every version")
  func metadata() throws {
    let names = try Self.fixture.names(suffix: ".metadata.json")
    #expect(names.count == 8)
    let tables = try names.map { try TableMetadataCodec.decode(Self.fixture.bytes($0)) }
    #expect(tables.map(\.snapshots.count) == [0, 1, 2, 2, 3, 3, 3, 4])
    #expect(tables.map(\.lastSequenceNumber) == [0, 1, 2, 2, 3, 3, 3, 4])
    #expect(tables.map(\.metadataLog.count) == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(tables.allSatisfy { $0.formatVersion == 2 && $0.properties["owner"] == "recording" })
    #expect(Set(tables.map(\.tableUUID)).count == 1)
    let last = try #require(tables.last)
    #expect(last.refs.keys.sorted() == ["main", "two-appends"])
    #expect(last.refs["two-appends"]?.kind == .tag)
    #expect(last.refs["two-appends"]?.snapshotID == last.snapshots[1].id)
    #expect(last.schemas.count == 2)
    #expect(last.schema?.fields.map(\.name).prefix(3) == ["tenant", "is_flag", "small"])
    #expect(last.schema?.field(named: "small")?.type == .long)
    #expect(last.schema?.field(named: "price")?.type == .decimal(precision: 20, scale: 2))
    #expect(last.schema?.field(named: "added")?.doc == "came later")
    #expect(last.sortOrder?.fields.map(\.transform) == [.identity, .bucket(4)])
    #expect(
      last.partitionSpec?.fields.map(\.transform.text) == [
        "identity", "hour", "bucket[8]", "month", "year", "truncate[50]",
      ])
  }

  @Test("has its metadata written back so that nothing is lost")
  func metadataRoundTrip() throws {
    for name in try Self.fixture.names(suffix: ".metadata.json") {
      let table = try TableMetadataCodec.decode(Self.fixture.bytes(name))
      #expect(try TableMetadataCodec.decode(TableMetadataCodec.encode(table)) == table)
      #expect(try TableMetadataCodec.decode(TableMetadataCodec.encode(table, gzip: true)) == table)
    }
  }

  @Test("has its manifest lists and manifests read to the same values")
  func manifests() throws {
    let table = try currentTable()
    let expected = try Self.fixture.json("expected.json")["snapshots"]!
    #expect(expected.elements.map { _ in 1 }.count == 4)
    for (snapshot, wanted) in zip(table.snapshots, expected.elements) {
      #expect(snapshot.id == wanted["id"]!.int64)
      let manifests = try ManifestList.decode(Self.fixture.bytes(snapshot.manifestList))
      let all = Array(wanted["manifests"]!.elements)
      #expect(manifests.count == all.count)
      for (manifest, wanted) in zip(manifests, all) { try check(manifest, wanted, table) }
    }
  }

  private func check(_ manifest: ManifestFile, _ wanted: JSONValue, _ table: TableMetadata) throws {
    #expect(manifest.path == wanted["path"]!.string)
    #expect(manifest.length == wanted["length"]!.int64)
    #expect(manifest.specID == wanted["spec"]!.int)
    #expect(manifest.content.rawValue == wanted["content"]!.int)
    #expect(manifest.sequenceNumber == wanted["sequence"]!.int64)
    #expect(manifest.minSequenceNumber == wanted["min_sequence"]!.int64)
    #expect(manifest.addedSnapshotID == wanted["snapshot"]!.int64)
    #expect(
      [manifest.addedFilesCount, manifest.existingFilesCount, manifest.deletedFilesCount]
        == wanted["counts"]!.elements.map(\.int))
    #expect(
      [manifest.addedRowsCount, manifest.existingRowsCount, manifest.deletedRowsCount]
        == wanted["rows"]!.elements.map(\.int64))
    let bytes = try Self.fixture.bytes(manifest.path)
    #expect(Int64(bytes.count) == manifest.length)
    let entries = try Manifest.decode(bytes, of: manifest, table: table)
    let all = Array(wanted["entries"]!.elements)
    #expect(entries.count == all.count)
    for (entry, wanted) in zip(entries, all) {
      #expect(entry.status.rawValue == wanted["status"]!.int)
      #expect(entry.snapshotID == wanted["snapshot"]!.int64)
      #expect(entry.sequenceNumber == wanted["sequence"]!.int64)
      try check(entry.file, wanted["file"]!, table)
    }
    let spec = try #require(table.partitionSpec(id: manifest.specID))
    let types = table.partitionTypes(of: spec).map { $0! }
    #expect(
      try Manifest.decode(
        Manifest.encode(entries, content: manifest.content, schema: table.schema!, spec: spec, types: types),
        of: manifest, table: table) == entries)
  }

  private func check(_ file: DataFile, _ wanted: JSONValue, _ table: TableMetadata) throws {
    #expect(file.path == wanted["path"]!.string)
    #expect(file.content.rawValue == wanted["content"]!.int)
    #expect(file.recordCount == wanted["records"]!.int64)
    #expect(file.fileSize == wanted["size"]!.int64)
    #expect(file.sortOrderID == wanted["sort_order"]!.int)
    #expect(file.splitOffsets == wanted["split_offsets"]!.elements.map { $0.int64! })
    func numbers(_ name: String) -> [Int: Int64] {
      Dictionary(uniqueKeysWithValues: wanted[name]!.members.map { (Int($0.nameText)!, $0.value.int64!) })
    }
    func bounds(_ name: String) -> [Int: [UInt8]] {
      Dictionary(
        uniqueKeysWithValues: wanted[name]!.members.map { (Int($0.nameText)!, Hex.bytes($0.value.string!.utf8)!) })
    }
    #expect(file.metrics.columnSizes == numbers("column_sizes"))
    #expect(file.metrics.valueCounts == numbers("value_counts"))
    #expect(file.metrics.nullCounts == numbers("null_counts"))
    #expect(file.metrics.nanCounts == numbers("nan_counts"))
    #expect(file.metrics.lowerBounds == bounds("lower"))
    #expect(file.metrics.upperBounds == bounds("upper"))
    #expect(!file.metrics.lowerBounds.isEmpty)
    // The folders of a data file spell its partition out.
    let spec = try #require(table.partitionSpec(id: file.specID))
    let path = spec.path(of: file.partition, types: table.partitionTypes(of: spec).map { $0! })
    #expect(file.path.contains("/data/\(path)/"), "\(path) in \(file.path)")
  }

  /// Midnight of 2 November 2026, in microseconds.
  private static let dayTwo: Int64 = 20_759 * 86_400_000_000

  @Test(
    "is planned as PyIceberg plans it",
    arguments: [
      ("all", []),
      ("tenant=a", [.compare(1, .equal, .string("a"))]),
      ("tenant=none", [.compare(1, .equal, .string("none"))]),
      ("instant>=day2", [.compare(11, .greaterOrEqual, .long(dayTwo))]),
      ("instant<day2", [.compare(11, .less, .long(dayTwo))]),
      ("big>200", [.compare(4, .greater, .long(200_000_000_000))]),
      ("big<=20", [.compare(4, .lessOrEqual, .long(20_000_000_000))]),
      ("small is null", [.isNull(3)]),
      ("tenant in b,c", [.oneOf(1, [.string("b"), .string("c")])]),
      ("small=3", [.compare(3, .equal, .int(3))]),
    ] as [(String, [Predicate.Term])])
  func plans(name: String, terms: [Predicate.Term]) throws {
    let table = try currentTable()
    let wanted = try Self.fixture.json("expected.json")["plans"]![name]!.elements.map { $0.string! }
    let planner = try ScanPlanner(table: table, predicate: Predicate(terms))
    let manifests = try planner.select(
      ManifestList.decode(Self.fixture.bytes(try #require(planner.manifestListLocation))))
    let found = try manifests.flatMap { try planner.files(of: $0, bytes: Self.fixture.bytes($0.path)) }
    #expect(found.map(\.file.path).sorted() == wanted)
  }
}
