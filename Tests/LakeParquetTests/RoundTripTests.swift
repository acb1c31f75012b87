import LakeCompression
import LakeModel
import LakeParquet
import LakeSchema
import Testing

@Suite("Written and read back")
struct RoundTripTests {
  static let encodings: [ColumnLayout.Encoding] = [
    .dictionary, .plain, .deltaBinaryPacked, .deltaLengthByteArray, .deltaByteArray, .byteStreamSplit,
  ]

  @Test("rows of random schemas come back equal, under every codec, page version and encoding", arguments: 0..<120)
  func randomSchemas(seed: Int) throws {
    var generator = TestGenerator(seed: UInt64(seed))
    let schema = generator.schema()
    var options = ParquetWriterOptions()
    options.codec = CompressionCodec.allCases[seed % 6]
    options.pageVersion = seed % 2 == 0 ? .v1 : .v2
    options.pageRows = [1, 7, 100, 20_000][seed % 4]
    options.pageBytes = seed % 5 == 0 ? 64 : 1 << 20
    options.dictionaryBytesMax = seed % 7 == 0 ? 40 : 1 << 20
    let encoding = Self.encodings[seed / 6 % 6]
    let layouts = ParquetWriter.leafPaths(of: schema).map { ColumnLayout($0, encoding, bloom: seed % 3 == 0) }
    let counts = [[0, 1, 33], [250, 8], [64]][seed % 3]
    let groups = counts.map { count in schema.fields.map { generator.rows($0, count: count) } }
    let (file, summary) = try ParquetWriter.encode(
      groups.map { TestColumns.batch(schema, $0) }, schema: schema, layouts: layouts, options: options)
    let parsed = try ParquetFile(file)
    #expect(parsed.schema == schema)
    #expect(parsed.rowCount == counts.reduce(0, +))
    #expect(summary.rowCount == parsed.rowCount && summary.bytes == file.count)
    let written = groups.filter { !$0[0].isEmpty }
    #expect(parsed.rowGroups.count == written.count)
    let projection = try parsed.projection(to: schema)
    for (group, expected) in zip(parsed.rowGroups, written) {
      let batch = try parsed.readRowGroup(group.index, projection: projection, file: file)
      #expect(TestColumns.values(batch) == expected)
    }
  }

  @Test("any choice of rows equals the same rows of the whole group, with page index and without", arguments: 0..<40)
  func rowSelection(seed: Int) throws {
    var generator = TestGenerator(seed: UInt64(1000 + seed))
    let schema = generator.schema()
    var options = ParquetWriterOptions()
    options.pageRows = [3, 10, 64][seed % 3]
    options.writesPageIndex = seed % 4 != 0
    options.pageVersion = seed % 2 == 0 ? .v1 : .v2
    let rows = schema.fields.map { generator.rows($0, count: 200) }
    let (file, _) = try ParquetWriter.encode([TestColumns.batch(schema, rows)], schema: schema, options: options)
    let parsed = try ParquetFile(file)
    let projection = try parsed.projection(to: schema)
    for chosen in [[0..<1], [199..<200], [5..<6, 7..<9, 100..<150], [0..<200], [], [9..<10, 10..<12, 63..<129]] {
      let batch = try parsed.readRowGroup(0, projection: projection, rows: chosen, file: file)
      #expect(batch.count == chosen.reduce(0) { $0 + $1.count })
      #expect(TestColumns.values(batch) == rows.map { column in chosen.flatMap { column[$0] } })
    }
  }

  @Test("every shape of two nested optional lists with up to two elements survives")
  func smallShapes() throws {
    let inner: [TestValue] = [.absent, .list([]), .list([.absent]), .list([.int(1)]), .list([.int(2), .absent])]
    var rows: [TestValue] = [.absent, .list([])]
    for first in inner {
      rows.append(.list([first]))
      for second in inner { rows.append(.list([first, second])) }
    }
    let schema = Schema(
      id: 0,
      fields: [
        Field(
          1, "a",
          .list(
            elementID: 2, element: .list(elementID: 3, element: .long, elementRequired: false), elementRequired: false))
      ])
    #expect(rows.count == 32)
    let (file, _) = try ParquetWriter.encode([TestColumns.batch(schema, [rows])], schema: schema)
    let parsed = try ParquetFile(file)
    let batch = try parsed.readRowGroup(0, projection: parsed.projection(to: schema), file: file)
    #expect(TestColumns.values(batch) == [rows])
  }

  @Test("a required column with an absent value is refused")
  func requiredAbsent() throws {
    let schema = Schema(id: 0, fields: [Field(1, "n", .int, required: true)])
    #expect(throws: ParquetError.malformed("required column n has absent values")) {
      try ParquetWriter.encode([TestColumns.batch(schema, [[.int(1), .absent]])], schema: schema)
    }
  }

  @Test("a file without rows, and one without row groups, are files")
  func empty() throws {
    let schema = LakeTable.logs.schema
    let (file, summary) = try ParquetWriter.encode([], schema: schema)
    let parsed = try ParquetFile(file)
    #expect(parsed.rowCount == 0 && parsed.rowGroups.isEmpty && summary.rowGroupOffsets.isEmpty)
    #expect(
      parsed.schema
        == Schema(id: 0, fields: schema.fields.map { Field($0.id, $0.name, $0.type, required: $0.isRequired) }))
  }

  @Test("output taken piece by piece is the file")
  func pieces() throws {
    let schema = Schema(id: 0, fields: [Field(1, "n", .long)])
    let batch = TestColumns.batch(schema, [(0..<1000).map { .int(Int64($0)) }])
    var writer = try ParquetWriter(schema: schema)
    var collected: [UInt8] = []
    for _ in 0..<3 {
      try writer.writeRowGroup(batch)
      for piece in writer.takeOutput() { collected += piece.array }
      #expect(writer.bytesWritten == collected.count)
    }
    writer.addKeyValue("key", "value")
    let summary = try writer.finish()
    for piece in writer.takeOutput() { collected += piece.array }
    #expect(collected.count == summary.bytes)
    let (whole, _) = try ParquetWriter.encode([batch, batch, batch], schema: schema)
    let parsed = try ParquetFile(Bytes(collected))
    #expect(parsed.value(forKey: "key") == "value")
    #expect(parsed.rowGroups.map(\.rowCount) == [1000, 1000, 1000])
    #expect(summary.rowGroupOffsets[0] == 4)
    #expect(whole.count < collected.count)
  }

  @Test("the footer is found from any tail that holds it, and asked for when it is not there")
  func tails() throws {
    let schema = Schema(id: 0, fields: [Field(1, "n", .long)])
    let (file, _) = try ParquetWriter.encode([TestColumns.batch(schema, [[.int(1)]])], schema: schema)
    let range = try ParquetFile.footerRange(tail: file[file.count - 8..<file.count], fileBytes: file.count)
    #expect(throws: ParquetError.bytesMissing(range.lowerBound..<file.count)) {
      try ParquetFile(tail: file[file.count - 8..<file.count], fileBytes: file.count)
    }
    let parsed = try ParquetFile(tail: file[range.lowerBound..<file.count], fileBytes: file.count)
    #expect(parsed.rowCount == 1)
  }
}
