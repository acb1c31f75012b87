import LakeIceberg
import LakeJSON
import LakeModel
import LakeSchema
import Testing

/// Whatever the bytes, the answer is a value or a typed error (a trap would end the test run).
@Suite("hostile input")
struct HostileInputTests {
  static let fixture = Fixture("pyiceberg")

  private func table() throws -> TableMetadata {
    try TableMetadataCodec.decode(Self.fixture.bytes(Self.fixture.json("expected.json")["metadata"]!.string!))
  }

  @Test("a manifest list cut short anywhere is an error")
  func truncatedList() throws {
    let table = try table()
    let bytes = try Self.fixture.bytes(try #require(table.currentSnapshot).manifestList)
    // Cut between blocks a file reads as a shorter one: only the header's end and block ends are such places.
    var readable = 0
    for count in 0..<bytes.count {
      do { _ = try ManifestList.decode(bytes[0..<count]) } catch { continue }
      readable += 1
    }
    #expect(readable <= 3)
  }

  @Test("a manifest cut short anywhere is an error")
  func truncatedManifest() throws {
    let table = try table()
    let manifest = try ManifestList.decode(Self.fixture.bytes(try #require(table.currentSnapshot).manifestList))[0]
    let bytes = try Self.fixture.bytes(manifest.path)
    var readable = 0
    for count in 0..<bytes.count {
      do { _ = try Manifest.decode(bytes[0..<count], of: manifest, table: table) } catch { continue }
      readable += 1
    }
    #expect(readable <= 2)
  }

  @Test("manifests and lists with flipped bytes are errors or values", arguments: 0..<4 as Range<UInt64>)
  func flippedAvro(seed: UInt64) throws {
    let table = try table()
    var random = Random(state: seed &* 7919 &+ 1)
    let snapshot = try #require(table.currentSnapshot)
    let list = try Self.fixture.bytes(snapshot.manifestList).array
    let manifest = try ManifestList.decode(Bytes(list))[0]
    let bytes = try Self.fixture.bytes(manifest.path).array
    for _ in 0..<250 {
      _ = try? ManifestList.decode(Bytes(random.flipped(list)))
      _ = try? Manifest.decode(Bytes(random.flipped(bytes)), of: manifest, table: table)
    }
  }

  /// Behind deflate a flip seldom gets past the checksum-less stream intact; uncompressed blocks are attacked directly.
  @Test("uncompressed manifest entries with flipped bytes are errors or values", arguments: 0..<4 as Range<UInt64>)
  func flippedEntries(seed: UInt64) throws {
    let table = try TestTable()
    let file = table.file("1", tenant: "a", account: nil, day: 3)
    let manifest = ManifestFile(
      path: "m", length: 0, specID: 0, sequenceNumber: 1, minSequenceNumber: 1, addedSnapshotID: 1)
    let entry = ManifestEntry(
      status: .added, snapshotID: 1, sequenceNumber: 1, fileSequenceNumber: 1, file: file)
    let types = table.metadata.partitionTypes(of: LakeTable.logs.partitionSpec).map { $0! }
    let plain = AvroTestFile.uncompressed(
      Manifest.encode(
        [entry, entry], content: .data, schema: LakeTable.logs.schema, spec: LakeTable.logs.partitionSpec, types: types)
    )
    #expect(try Manifest.decode(Bytes(plain), of: manifest, table: table.metadata) == [entry, entry])
    var random = Random(state: seed &+ 99)
    let start = plain.count - 700
    for _ in 0..<2000 {
      var bytes = plain
      for _ in 0...random.below(3) { bytes[start + random.below(700)] = UInt8(truncatingIfNeeded: random.next()) }
      _ = try? Manifest.decode(Bytes(bytes), of: manifest, table: table.metadata)
    }
    for count in start..<plain.count {
      _ = try? Manifest.decode(Bytes(plain)[0..<count], of: manifest, table: table.metadata)
    }
  }

  @Test(
    "Avro that promises much and holds little is refused quickly",
    arguments: [
      // A block of 2^62 objects; an array schema of nulls with 2^61 items; a header with as many entries.
      AvroTestFile.file(schema: #""null""#, blocks: [(count: 1 << 62, bytes: [0])]),
      AvroTestFile.file(
        schema: #"{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":"null"}}]}"#,
        blocks: [(count: 1, bytes: AvroTestFile.long(1 << 61) + [0])]),
      AvroTestFile.file(
        schema: #"{"type":"record","name":"r","fields":[{"name":"a","type":{"type":"array","items":"null"}}]}"#,
        blocks: [(count: 1, bytes: AvroTestFile.long(.min) + [0])]),
      Array("Obj\u{1}".utf8) + AvroTestFile.long(1 << 60),
      Array("Obj\u{1}".utf8) + AvroTestFile.long(1) + AvroTestFile.long(1 << 62),
      AvroTestFile.file(schema: #"{"type":"record","name":"r","fields":[{"name":"a","type":"r"}]}"#, blocks: []),
      AvroTestFile.file(schema: String(repeating: #"{"type":"array","items":"#, count: 500), blocks: []),
      AvroTestFile.file(
        schema: String(repeating: #"{"type":"array","items":"#, count: 100) + #""null""#
          + String(repeating: "}", count: 100), blocks: []),
    ])
  func promises(bytes: [UInt8]) {
    #expect(throws: IcebergError.self) { try ManifestList.decode(Bytes(bytes)) }
  }

  @Test("a name used again and again does not multiply the work")
  func doublingSchema() {
    var types = #""null""#
    for level in 0..<30 {
      types =
        #"{"type":"record","name":"r\#(level)","fields":[{"name":"a","type":\#(types)}"#
        + (level > 0 ? #",{"name":"b","type":"r\#(level - 1)"}"# : "") + "]}"
    }
    let bytes = AvroTestFile.file(
      schema: #"{"type":"record","name":"top","fields":[{"name":"x","type":\#(types)}]}"#,
      blocks: [(count: 1, bytes: [0, 0, 0, 0])])
    #expect(throws: IcebergError.self) { try ManifestList.decode(Bytes(bytes)) }
  }

  @Test("a deflate block that grows beyond all measure is refused")
  func bomb() {
    let block = AvroTestFile.deflated([UInt8](repeating: 0, count: 200 << 20))
    let bytes = AvroTestFile.file(schema: #""null""#, blocks: [(count: 1, bytes: block)], codec: "deflate")
    #expect(throws: IcebergError.self) { try ManifestList.decode(Bytes(bytes)) }
  }

  @Test("metadata cut short anywhere is an error")
  func truncatedMetadata() throws {
    let bytes = TableMetadataCodec.encode(try table())
    for count in 0..<bytes.count {
      #expect(throws: IcebergError.self) { try TableMetadataCodec.decode(bytes[0..<count]) }
    }
    let packed = TableMetadataCodec.encode(try table(), gzip: true)
    for count in 0..<packed.count {
      #expect(throws: IcebergError.self) { try TableMetadataCodec.decode(packed[0..<count]) }
    }
  }

  @Test("metadata with flipped bytes is an error or a value", arguments: 0..<4 as Range<UInt64>)
  func flippedMetadata(seed: UInt64) throws {
    let bytes = TableMetadataCodec.encode(try table()).array
    var random = Random(state: seed &* 31 &+ 5)
    for _ in 0..<500 { _ = try? TableMetadataCodec.decode(Bytes(random.flipped(bytes))) }
  }

  @Test("metadata with a member removed or of another type is an error or a value that still makes sense")
  func changedMembers() throws {
    let text = TableMetadataCodec.encode(try table()).text
    for name in [
      "format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms", "last-column-id",
      "schemas",
      "current-schema-id", "partition-specs", "default-spec-id", "sort-orders", "default-sort-order-id",
    ] {
      let without = text.replacing("\"\(name)\":", with: "\"other\":")
      #expect(throws: IcebergError.self, "without \(name)") { try TableMetadataCodec.decode(Bytes(without)) }
      let wrong = text.replacing("\"\(name)\":", with: "\"\(name)\":{},\"other\":")
      #expect(throws: IcebergError.self, "wrong \(name)") { try TableMetadataCodec.decode(Bytes(wrong)) }
    }
  }

  @Test("format version 3 is refused by name, unknown members are passed over")
  func versions() throws {
    let text = TableMetadataCodec.encode(try table()).text
    #expect(throws: IcebergError.unsupported("format version 3: this program reads 1 and 2")) {
      try TableMetadataCodec.decode(Bytes(text.replacing("\"format-version\":2", with: "\"format-version\":3")))
    }
    let extended = text.replacing("\"format-version\":2", with: "\"format-version\":2,\"new\":[{\"deep\":null}]")
    #expect(try TableMetadataCodec.decode(Bytes(extended)) == table())
  }
}

/// Splitmix.
struct Random {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
    return z ^ z >> 31
  }

  mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

  mutating func flipped(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    for _ in 0...below(4) { bytes[below(bytes.count)] ^= 1 << UInt8(below(8)) }
    return bytes
  }
}
