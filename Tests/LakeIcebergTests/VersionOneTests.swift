import LakeIceberg
import LakeJSON
import LakeModel
import LakeSchema
import Testing

@Suite("a table of format version 1, written by PyIceberg")
struct VersionOneTests {
  static let fixture = Fixture("pyiceberg-v1")

  private func table() throws -> TableMetadata {
    try TableMetadataCodec.decode(Self.fixture.bytes(Self.fixture.json("expected.json")["metadata"]!.string!))
  }

  @Test("is read, its sequence numbers being 0")
  func reading() throws {
    let table = try table()
    #expect(table.formatVersion == 1)
    #expect(table.lastSequenceNumber == 0 && table.snapshots.map(\.sequenceNumber) == [0, 0])
    #expect(table.refs["main"]?.snapshotID == table.currentSnapshotID)
    let planner = try ScanPlanner(table: table)
    let manifests = try planner.select(ManifestList.decode(Self.fixture.bytes(planner.manifestListLocation!)))
    let files = try manifests.flatMap { try planner.files(of: $0, bytes: Self.fixture.bytes($0.path)) }
    let wanted = try Self.fixture.json("expected.json")["plans"]!["all"]!.elements.map { $0.string! }
    #expect(files.map(\.file.path).sorted() == wanted && wanted.count == 2)
    #expect(files.map(\.sequenceNumber) == [0, 0])
    #expect(files.allSatisfy { $0.file.content == .data && $0.file.recordCount == 3 })
    let some = try ScanPlanner(table: table, predicate: Predicate([.compare(1, .equal, .string("b"))]))
    #expect(try some.select(ManifestList.decode(Self.fixture.bytes(planner.manifestListLocation!))).count == 1)
  }

  @Test("is written only after an upgrade, and then goes on with its old files")
  func upgrading() throws {
    let old = try table()
    let context = CommitContext(snapshotID: 5, commitUUID: "u", now: 0)
    #expect(throws: IcebergError.self) { try FastAppend(files: []).commit(to: old, manifests: [], context: context) }
    let table = try old.applying(
      requirements: [], updates: [.upgradeFormatVersion(2)], now: 0, previousLocation: "p")
    let manifests = try ManifestList.decode(Self.fixture.bytes(try #require(table.currentSnapshot).manifestList))
    let file = DataFile(
      path: "new", specID: table.defaultSpecID, partition: [.string("c")], recordCount: 1, fileSize: 1)
    let commit = try FastAppend(files: [file]).commit(to: table, manifests: manifests, context: context)
    let list = try ManifestList.decode(try #require(commit.uploads.last).bytes)
    #expect(list.map(\.sequenceNumber) == [1, 0, 0])
    let planner = try ScanPlanner(
      table: table.applying(requirements: commit.requirements, updates: commit.updates, now: 0, previousLocation: "q"))
    let scans = try planner.select(list).flatMap { manifest in
      try planner.files(
        of: manifest,
        bytes: manifest.sequenceNumber == 1 ? commit.uploads[0].bytes : Self.fixture.bytes(manifest.path))
    }
    #expect(scans.map(\.sequenceNumber) == [1, 0, 0])
    #expect(commit.snapshot.summary["total-records"] == "7")
  }
}

@Suite("Avro files of other codecs")
struct AvroCodecTests {
  @Test("are read", arguments: ["null", "deflate", "snappy", "zstandard"])
  func codecs(codec: String) throws {
    let manifest = ManifestFile(
      path: "memory://lake/m.avro", length: 1, specID: 0, sequenceNumber: 1, minSequenceNumber: 1, addedSnapshotID: 1,
      addedFilesCount: 1, existingFilesCount: 0, deletedFilesCount: 0, addedRowsCount: 1, existingRowsCount: 0,
      deletedRowsCount: 0)
    let file = try ManifestList.encode([manifest, manifest], snapshotID: 1, parentID: nil, sequenceNumber: 1)
    let bytes = try AvroTestFile.recompressed(file, codec: codec)
    #expect(try ManifestList.decode(Bytes(bytes)) == [manifest, manifest])
    if codec != "null" {
      var broken = bytes
      broken[bytes.count - 16 - 3] ^= 0xFF
      #expect(throws: IcebergError.self) { try ManifestList.decode(Bytes(broken)) }
    }
  }

  @Test("that we do not have are refused by name")
  func unknown() {
    let bytes = AvroTestFile.file(schema: #""null""#, blocks: [], codec: "xz")
    #expect(throws: IcebergError.unsupported("avro codec xz")) { try ManifestList.decode(Bytes(bytes)) }
  }
}
