import LakeCompression
import LakeModel
import LakeSchema
import Testing

@testable import LakeParquet

@Suite("Dictionaries")
struct DictionaryTests {
  private static let schema = Schema(id: 0, fields: [Field(1, "s", .string)])

  private static func entries(_ column: Column) -> [TestValue]? {
    guard case .dictionary(_, let dictionary) = column.values else { return nil }
    return TestColumns.values(dictionary, .string)
  }

  private static func read(_ file: Bytes) throws -> Column {
    let parsed = try ParquetFile(file)
    return try parsed.readRowGroup(0, projection: parsed.projectionOfEverything(), file: file).columns[0]
  }

  @Test("repeated text stays indexed from writer to reader, each entry once")
  func staysIndexed() throws {
    let values = (0..<100).map { $0 % 9 == 4 ? TestValue.absent : .text("v\($0 % 3)") }
    let (file, _) = try ParquetWriter.encode([TestColumns.batch(Self.schema, [values])], schema: Self.schema)
    let column = try Self.read(file)
    #expect(Self.entries(column) == [.text("v0"), .text("v1"), .text("v2")])
    #expect(TestColumns.values(column, .string) == values)
    let parsed = try ParquetFile(file)
    #expect(parsed.rowGroups[0].chunks[0].isDictionaryEncoded == true)
    #expect(parsed.rowGroups[0].chunks[0].statistics?.distinctCount == 3)
  }

  @Test("a dictionary that the batch brought keeps only the entries in use, equal ones as one")
  func remapped() throws {
    let dictionary = TestColumns.column(["unused", "b", "a", "b", "also unused"].map { .text($0) }, .string)
    let column = Column(
      .dictionary(indices: Buffer([1, 2, 3, 0, 1, 2]), dictionary: dictionary), count: 6,
      validity: Buffer([1, 1, 1, 0, 1, 1]))
    let batch = ColumnBatch(schema: Self.schema, columns: [column], count: 6)
    let (file, summary) = try ParquetWriter.encode([batch], schema: Self.schema)
    let found = try Self.read(file)
    #expect(Self.entries(found) == [.text("b"), .text("a")])
    #expect(
      TestColumns.values(found, .string) == ["b", "a", "b", "-", "b", "a"].map { $0 == "-" ? .absent : .text($0) })
    #expect(summary.columns[0].lower == .bytes(Bytes("a")) && summary.columns[0].upper == .bytes(Bytes("b")))
    let (plain, _) = try ParquetWriter.encode(
      [batch], schema: Self.schema, layouts: [ColumnLayout("s", .deltaLengthByteArray)])
    #expect(Self.entries(try Self.read(plain)) == nil)
    #expect(TestColumns.values(try Self.read(plain), .string) == TestColumns.values(column, .string))
  }

  @Test("a large dictionary that pays by far is written with its repeats when asked so; one that does not is united")
  func writesRepeats() throws {
    var options = ParquetWriterOptions()
    options.unitesDictionaries = false
    func file(entries count: Int, rows: Int) throws -> (ParquetFile, Column) {
      // Every entry twice.
      let dictionary = TestColumns.column((0..<count).map { .text("entry \($0 / 2)") }, .string)
      let indices = (0..<rows).map { UInt32($0 % count) }
      let column = Column(.dictionary(indices: Buffer(indices), dictionary: dictionary), count: rows)
      let batch = ColumnBatch(schema: Self.schema, columns: [column], count: rows)
      let (file, _) = try ParquetWriter.encode([batch], schema: Self.schema, options: options)
      let found = try Self.read(file)
      #expect(TestColumns.values(found, .string) == TestColumns.values(column, .string))
      return (try ParquetFile(file), found)
    }
    let (large, kept) = try file(entries: 3000, rows: 9000)
    #expect(Self.entries(kept)?.count == 3000)
    let statistics = try #require(large.rowGroups[0].chunks[0].statistics)
    // Nobody has counted.
    #expect(statistics.distinctCount == nil)
    #expect(statistics.min == .bytes(Bytes("entry 0")) && statistics.max == .bytes(Bytes("entry 999")))
    let (small, united) = try file(entries: 600, rows: 9000)
    #expect(Self.entries(united)?.count == 300)
    #expect(small.rowGroups[0].chunks[0].statistics?.distinctCount == 300)
    #expect(Self.entries(try file(entries: 3000, rows: 4500).1)?.count == 1500)
  }

  @Test("an index beyond the batch's dictionary is refused")
  func outside() {
    let dictionary = TestColumns.column([.text("a")], .string)
    let column = Column(.dictionary(indices: Buffer([0, 1]), dictionary: dictionary), count: 2)
    #expect(throws: ParquetError.malformed("index beyond the dictionary of s")) {
      try ParquetWriter.encode([ColumnBatch(schema: Self.schema, columns: [column], count: 2)], schema: Self.schema)
    }
  }

  @Test("text that does not repeat is written without a dictionary")
  func givesUp() throws {
    let values = (0..<5000).map { TestValue.text("unique \($0)") }
    let (file, _) = try ParquetWriter.encode([TestColumns.batch(Self.schema, [values])], schema: Self.schema)
    #expect(try ParquetFile(file).rowGroups[0].chunks[0].isDictionaryEncoded == false)
    #expect(TestColumns.values(try Self.read(file), .string) == values)
  }

  /// PyArrow gave its dictionary up early in this file, so chunks begin indexed and go on plain.
  @Test("a chunk that begins indexed and goes on plain comes back in one form")
  func mixed() throws {
    let bytes = try GoldenTests.bytes("types-fallback-gzip")
    let file = try ParquetFile(bytes)
    let leaf = try #require(file.leaf(path: "string"))
    #expect(file.rowGroups[0].chunks[leaf.index].isDictionaryEncoded == false)
    let batch = try file.readRowGroup(0, projection: file.projection(names: ["string"]), file: bytes)
    #expect(batch.columns[0].count == 60)
  }

  @Test("numbers are found again through their dictionary, NaN and both zeros apart")
  func numbers() throws {
    let schema = Schema(id: 0, fields: [Field(1, "d", .double)])
    let bits = [Double.nan, 0.0, -0.0, 1.5].map(\.bitPattern)
    let values = (0..<40).map { TestValue.double(bits[$0 % 4]) }
    let (file, _) = try ParquetWriter.encode([TestColumns.batch(schema, [values])], schema: schema)
    let parsed = try ParquetFile(file)
    #expect(parsed.rowGroups[0].chunks[0].isDictionaryEncoded == true)
    let batch = try parsed.readRowGroup(0, projection: parsed.projectionOfEverything(), file: file)
    #expect(TestColumns.values(batch) == [values])
  }

  @Test("texts that a sample does not shrink enough stay uncompressed, everything else is compressed")
  func leavesUncompressed() throws {
    let schema = Schema(
      id: 0,
      fields: [Field(1, "same", .string), Field(2, "random", .string), Field(3, "few", .string), Field(4, "n", .int)])
    let rows = 2000
    let values: [[TestValue]] = [
      (0..<rows).map { .text("a line that is like all the others, but for its number \($0)") },
      (0..<rows).map { .text(String((UInt64($0) + 1) &* 0x9E37_79B9_7F4A_7C15, radix: 36)) },
      (0..<rows).map { .text("\($0 % 3)") }, (0..<rows).map { .int(Int64($0)) },
    ]
    func codecs(_ shareMax: Double?) throws -> [CompressionCodec] {
      var options = ParquetWriterOptions()
      options.compressedShareMax = shareMax
      let (file, _) = try ParquetWriter.encode([TestColumns.batch(schema, values)], schema: schema, options: options)
      let parsed = try ParquetFile(file)
      let read = try parsed.readRowGroup(0, projection: parsed.projectionOfEverything(), file: file)
      for (column, field) in schema.fields.enumerated() {
        #expect(TestColumns.values(read.columns[column], field.type) == values[column])
      }
      return parsed.rowGroups[0].chunks.map(\.codec)
    }
    #expect(try codecs(nil) == [.zstd, .zstd, .zstd, .zstd])
    #expect(try codecs(0.5) == [.zstd, .none, .zstd, .zstd])
    #expect(try codecs(0.001) == [.none, .none, .zstd, .zstd])
  }
}
