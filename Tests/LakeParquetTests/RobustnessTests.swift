import Foundation
import LakeCompression
import LakeModel
import LakeSchema
import Testing

@testable import LakeParquet

/// PARQUET_MUTANTS=50 tries that many times as many mutants as a usual run.
let mutantFactor = ProcessInfo.processInfo.environment["PARQUET_MUTANTS"].flatMap { Int($0) } ?? 1

/// Broken files are errors of ours: reaching the end of these tests is the point, a trap would end the process.
@Suite("Broken files")
struct RobustnessTests {
  static let schema = Schema(
    id: 0,
    fields: [
      Field(1, "s", .string), Field(2, "n", .long, required: true), Field(3, "f", .fixed(3)), Field(4, "b", .boolean),
      Field(5, "m", .map(keyID: 6, key: .string, valueID: 7, value: .string, valueRequired: false)),
      Field(
        8, "l",
        .list(
          elementID: 9, element: .structure([Field(10, "x", .double), Field(11, "y", .int)]), elementRequired: false)),
      Field(12, "d", .decimal(precision: 20, scale: 2)),
    ])

  static func file(_ seed: UInt64, _ options: ParquetWriterOptions, _ encoding: ColumnLayout.Encoding) throws -> Bytes {
    var generator = TestGenerator(seed: seed)
    let rows = schema.fields.map { generator.rows($0, count: 30) }
    let layouts = ParquetWriter.leafPaths(of: schema).map { ColumnLayout($0, encoding, bloom: true) }
    return try ParquetWriter.encode(
      [TestColumns.batch(schema, rows)], schema: schema, layouts: layouts, options: options
    ).file
  }

  static var limits: ReadLimits {
    var limits = ReadLimits()
    limits.pageBytesMax = 1 << 20
    limits.chunkBytesMax = 4 << 20
    limits.chunkValuesMax = 1 << 20
    limits.verifiesChecksums = false
    return limits
  }

  /// Reads everything there is: rows, chosen rows, page index, Bloom filters.
  static func readAll(_ bytes: Bytes) throws {
    let file = try ParquetFile(bytes, limits: limits)
    let projection = try file.projectionOfEverything()
    for group in file.rowGroups.prefix(3) {
      for leaf in group.chunks.indices {
        if let range = group.chunks[leaf].bloomFilterRange { _ = try? BloomFilter(bytes[range]).mightContain(7) }
        if let range = file.pageIndexRange(rowGroup: group.index, leaves: [leaf]) {
          _ = try? file.pageIndexes(rowGroup: group.index, leaves: [leaf], bytes: bytes[range])
        }
      }
      _ = try? file.readRowGroup(group.index, projection: projection, rows: [3..<5, 9..<20], file: bytes)
      let batch = try file.readRowGroup(group.index, projection: projection, file: bytes)
      _ = TestColumns.values(batch)
    }
  }

  static func options(_ index: Int) -> ParquetWriterOptions {
    var options = ParquetWriterOptions()
    options.codec = CompressionCodec.allCases[index % 6]
    options.pageVersion = index % 2 == 0 ? .v1 : .v2
    options.pageRows = 8
    options.writesPageChecksums = false
    return options
  }

  @Test("a file cut short at any byte is refused", arguments: 0..<4)
  func truncation(index: Int) throws {
    let file = try Self.file(UInt64(index), Self.options(index), RoundTripTests.encodings[index % 6])
    try Self.readAll(file)
    for length in 0..<file.count {
      #expect(throws: ParquetError.self) { try Self.readAll(file[0..<length]) }
    }
  }

  @Test("flipped bytes are wrong values or errors, never a trap", arguments: 0..<24)
  func flips(index: Int) throws {
    var random = TestRandom(UInt64(7000 + index))
    let file = try Self.file(UInt64(index), Self.options(index), RoundTripTests.encodings[index % 6]).array
    for _ in 0..<80 * mutantFactor {
      var mutant = file
      for _ in 0...random.below(3) {
        let at = random.chance(50) ? random.below(file.count) : file.count - 1 - random.below(min(file.count, 1500))
        mutant[at] = random.chance(50) ? UInt8(random.below(256)) : mutant[at] ^ UInt8(1 << random.below(8))
      }
      try? Self.readAll(Bytes(mutant))
    }
  }

  @Test("a page whose bytes changed fails its checksum")
  func checksum() throws {
    let schema = Schema(id: 0, fields: [Field(1, "n", .long, required: true)])
    var options = ParquetWriterOptions()
    options.codec = .none
    let batch = TestColumns.batch(schema, [(0..<100).map { .int(Int64($0 * $0)) }])
    let layouts = [ColumnLayout("n", .plain)]
    var bytes = try ParquetWriter.encode([batch], schema: schema, layouts: layouts, options: options).file.array
    bytes[300] ^= 1
    let file = try ParquetFile(Bytes(bytes))
    let projection = try file.projectionOfEverything()
    #expect(throws: ParquetError.checksumMismatch(column: "n")) {
      try file.readRowGroup(0, projection: projection, file: Bytes(bytes))
    }
  }

  @Test("what is not Parquet, or encrypted, says so")
  func magic() {
    #expect(throws: ParquetError.truncated("file", needed: 12, found: 4)) { try ParquetFile(Bytes("PAR1")) }
    #expect(throws: ParquetError.notParquet) { try ParquetFile(Bytes("a text of some length")) }
    #expect(throws: ParquetError.encrypted) { try ParquetFile(Bytes("PARE some bytes \0\0\0\0PARE")) }
  }

  @Test("a page that claims more than the limit is refused before memory is taken")
  func limits() throws {
    let schema = Schema(id: 0, fields: [Field(1, "s", .string, required: true)])
    let batch = TestColumns.batch(schema, [(0..<2000).map { _ in .text(String(repeating: "z", count: 100)) }])
    let (file, _) = try ParquetWriter.encode([batch], schema: schema, layouts: [ColumnLayout("s", .plain)])
    var limits = ReadLimits()
    limits.pageBytesMax = 100_000
    let parsed = try ParquetFile(file, limits: limits)
    let projection = try parsed.projectionOfEverything()
    #expect(throws: ParquetError.limitExceeded("bytes of a page of s", limit: 100_000, found: 208_000)) {
      try parsed.readRowGroup(0, projection: projection, file: file)
    }
  }

  @Test("what a file may be decoded to grows with its bytes: a run of many values in a few bytes is refused")
  func expansion() throws {
    let schema = Schema(id: 0, fields: [Field(1, "n", .long, required: true)])
    let batch = TestColumns.batch(schema, [(0..<1000).map { _ in .int(7) }])
    let (file, _) = try ParquetWriter.encode([batch], schema: schema)
    let parsed = try ParquetFile(file)
    #expect(parsed.limits.chunkBytesMax == 256 << 20 + 4096 * file.count)
    #expect(parsed.limits.pageBytesMax == 64 << 20 + 4096 * file.count)
    #expect(parsed.limits.chunkValuesMax == 1 << 26 + 1024 * file.count)
    // The dictionary page says how many values the file really has; a footer may say more.
    let (one, dictionary) = (RunPages.dictionary(UInt64(7)), RunPages.runs(of: 0, count: 1 << 30))
    let bytes = Bytes(one + dictionary)
    let leaf = Leaf(
      index: 0, path: ["n"], fieldID: 1, type: .long, physicalType: .int64, logicalType: nil, typeLength: 0,
      maxDefinition: 0, maxRepetition: 0)
    let chunk = RunPages.chunk(bytes, valueCount: 1 << 30)
    let limits = ReadLimits().scaled(toFileBytes: bytes.count)
    #expect(throws: ParquetError.limitExceeded("values of n", limit: limits.chunkValuesMax, found: 1 << 30)) {
      try ChunkDecoder(leaf: leaf, chunk: chunk, limits: limits, decompressor: Compressor()).decodeAll(bytes)
    }
    // Within the count of values, their bytes are what is refused.
    let fewer = Bytes(one + RunPages.runs(of: 0, count: 40 << 20))
    #expect(throws: ParquetError.self) {
      try ChunkDecoder(
        leaf: leaf, chunk: RunPages.chunk(fewer, valueCount: 40 << 20), limits: limits, decompressor: Compressor()
      ).decodeAll(fewer)
    }
  }

  /// A file with its footer changed.
  static func changed(_ file: Bytes, _ change: (inout RawFooter) -> Void) throws -> Bytes {
    let range = try ParquetFile.footerRange(tail: file, fileBytes: file.count)
    var footer = try RawFooter(decoding: file[range], limits: ReadLimits())
    change(&footer)
    let bytes = footer.encoded().array
    let length = withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { Array($0) }
    return Bytes(file[0..<range.lowerBound].array + bytes + length + Array("PAR1".utf8))
  }

  @Test("a footer that counts no rows is believed by its row groups, one that counts others is not")
  func rowCount() throws {
    let file = try Self.file(3, Self.options(0), .dictionary)
    let uncounted = try Self.changed(file) { $0.rowCount = 0 }
    #expect(try ParquetFile(uncounted).rowCount == 30)
    try Self.readAll(uncounted)
    let miscounted = try Self.changed(file) { $0.rowCount = 29 }
    #expect(throws: ParquetError.malformed("30 rows in row groups, 29 in the file")) { try ParquetFile(miscounted) }
  }

  @Test("a list where the Bloom filter's length stands is passed over")
  func bloomLength() throws {
    func metadata(_ field: (inout ThriftWriter) -> Void) throws -> RawColumnMetadata {
      var writer = ThriftWriter()
      writer.structure { writer in
        writer.int32(1, 1)
        writer.int64(14, 77)
        field(&writer)
      }
      var reader = ThriftReader(Bytes(writer.bytes))
      return try RawColumnMetadata(from: &reader, .structure)
    }
    #expect(try metadata { $0.int32(15, 99) }.bloomFilterLength == 99)
    let listed = try metadata { $0.texts(15, ["a", "b"]) }
    #expect(listed.bloomFilterLength == nil && listed.bloomFilterOffset == 77)
  }

  @Test("levels of pages without absent values are not written out, and come back when a later page has some")
  func impliedLevels() throws {
    let schema = Schema(id: 0, fields: [Field(1, "n", .long), Field(2, "s", .structure([Field(3, "x", .string)]))])
    for absent in [[], [5], [95], [5, 95], [50], Array(0..<100)] as [[Int]] {
      let numbers = (0..<100).map { absent.contains($0) ? TestValue.absent : .int(Int64($0)) }
      let texts = (0..<100).map { absent.contains($0) ? .absent : TestValue.structure([.text("\($0)")]) }
      for version in [ParquetWriterOptions.PageVersion.v1, .v2] {
        var options = ParquetWriterOptions()
        options.pageRows = 10
        options.pageVersion = version
        let batch = TestColumns.batch(schema, [numbers, texts])
        let (bytes, _) = try ParquetWriter.encode([batch], schema: schema, options: options)
        let file = try ParquetFile(bytes)
        let projection = try file.projectionOfEverything()
        let found = try file.readRowGroup(0, projection: projection, file: bytes)
        #expect(TestColumns.values(found) == [numbers, texts])
        #expect((found.columns[0].validity == nil) == absent.isEmpty)
        let some = try file.readRowGroup(0, projection: projection, rows: [3..<7, 49..<51, 94..<97], file: bytes)
        let kept = Array(3..<7) + [49, 50] + Array(94..<97)
        #expect(TestColumns.values(some) == [kept.map { numbers[$0] }, kept.map { texts[$0] }])
      }
    }
  }

  @Test("a Julian day beyond all calendars is an error")
  func julianDay() throws {
    var bytes = try GoldenTests.bytes("types-int96").array
    // The first value of the dictionary page: eight bytes of nanoseconds, then the day.
    let day: [UInt8] = [0x8C, 0x3D, 0x25, 0x00]
    let at = try #require((0..<bytes.count - 4).first { Array(bytes[$0..<$0 + 4]) == day })
    for index in 0..<4 { bytes[at + index] = 0xFF }
    let file = try ParquetFile(Bytes(bytes))
    let projection = try file.projection(names: ["ts_us"])
    #expect(throws: ParquetError.malformed("INT96 time beyond microseconds")) {
      try file.readRowGroup(0, projection: projection, file: Bytes(bytes))
    }
  }
}

/// Pages of one run each.
enum RunPages {
  static func dictionary(_ value: UInt64) -> [UInt8] {
    page(withUnsafeBytes(of: value.littleEndian) { Array($0) }, .dictionary(valueCount: 1, encoding: .plain))
  }

  static func runs(of index: UInt8, count: Int) -> [UInt8] {
    var body: [UInt8] = [1]
    var header = UInt64(count) << 1
    while header >= 0x80 {
      body.append(UInt8(truncatingIfNeeded: header) | 0x80)
      header >>= 7
    }
    body += [UInt8(header), index]
    return page(body, .data(PageHeader.DataV1(valueCount: count, encoding: .rleDictionary)))
  }

  static func page(_ body: [UInt8], _ kind: PageHeader.Kind) -> [UInt8] {
    var header = PageHeader(kind: kind)
    header.uncompressedBytes = body.count
    header.compressedBytes = body.count
    return header.encoded() + body
  }

  static func chunk(_ bytes: Bytes, valueCount: Int) -> ColumnChunk {
    ColumnChunk(
      range: 0..<bytes.count, codec: .none, valueCount: valueCount, uncompressedBytes: bytes.count, statistics: nil,
      bloomFilterRange: nil, columnIndexRange: nil, offsetIndexRange: nil, isDictionaryEncoded: nil,
      hasBloomFilterLength: false, dataPageOffset: 0, isHadoopLz4: false, unencodedBytes: nil)
  }
}
