import LakeCompression
import LakeModel
import LakeSchema
import Testing

@testable import LakeParquet

@Suite("Statistics, page index and Bloom filters")
struct StatisticsTests {
  private static func file(
    _ type: FieldType, _ values: [TestValue], layout: ColumnLayout.Encoding = .dictionary, bloom: Bool = false,
    pageRows: Int = 20_000
  ) throws -> (ParquetFile, Bytes, ParquetFileSummary) {
    let schema = Schema(id: 0, fields: [Field(1, "c", type)])
    var options = ParquetWriterOptions()
    options.pageRows = pageRows
    let (bytes, summary) = try ParquetWriter.encode(
      [TestColumns.batch(schema, [values])], schema: schema, layouts: [ColumnLayout("c", layout, bloom: bloom)],
      options: options)
    return (try ParquetFile(bytes), bytes, summary)
  }

  private static func statistics(_ file: ParquetFile) throws -> ColumnStatistics {
    try #require(file.rowGroups[0].chunks[0].statistics)
  }

  @Test("NaN is in no bound, and zeros widen to both signs", arguments: [ColumnLayout.Encoding.dictionary, .plain])
  func floatingPoint(layout: ColumnLayout.Encoding) throws {
    let numbers: [Double] = [.nan, 0.0, -0.0, 0.0, .nan, .nan]
    let (file, _, summary) = try Self.file(.double, numbers.map { .double($0.bitPattern) }, layout: layout)
    let found = try Self.statistics(file)
    #expect(found.min == .double(-0.0) && found.max == .double(0.0))
    guard case .double(let low) = found.min, case .double(let high) = found.max else { return }
    #expect(low.sign == .minus && high.sign == .plus)
    #expect(summary.columns[0].nanCount == 3)
    let (allNaN, bytes, _) = try Self.file(.float, [.float(Float.nan.bitPattern)], layout: layout)
    #expect(try Self.statistics(allNaN).min == nil)
    #expect(allNaN.rowGroups[0].chunks[0].columnIndexRange == nil)
    #expect(allNaN.rowGroups[0].chunks[0].offsetIndexRange != nil && bytes.count > 0)
  }

  @Test("text is ordered by unsigned bytes", arguments: [ColumnLayout.Encoding.dictionary, .plain, .deltaByteArray])
  func textOrder(layout: ColumnLayout.Encoding) throws {
    let (file, _, summary) = try Self.file(
      .string, [.text("b"), .text("é"), .absent, .text("a"), .text("ab")], layout: layout)
    let found = try Self.statistics(file)
    #expect(found.min == .bytes(Bytes("a")) && found.max == .bytes(Bytes("é")))
    #expect(found.nullCount == 1 && found.isMinExact && found.isMaxExact)
    #expect(summary.columns[0].lower == .bytes(Bytes("a")) && summary.columns[0].nullCount == 1)
  }

  @Test("long text bounds are cut between characters, the upper one raised, and marked inexact")
  func shortened() throws {
    let long = String(repeating: "é", count: 100)
    let (file, _, summary) = try Self.file(.string, [.text(long)])
    let found = try Self.statistics(file)
    #expect(found.min == .bytes(Bytes(String(repeating: "é", count: 32))) && !found.isMinExact)
    #expect(found.max == .bytes(Bytes(String(repeating: "é", count: 31) + "ê")) && !found.isMaxExact)
    #expect(summary.columns[0].upper == .bytes(Bytes(long)))
    let top = [UInt8](repeating: 0xFF, count: 100)
    let (binary, _, _) = try Self.file(.binary, [.bytes(top)])
    #expect(try Self.statistics(binary).max == nil)
    #expect(try Self.statistics(binary).min == .bytes(Bytes(Array(top.prefix(64)))))
    #expect(ShortenedBound.upper(Bytes([1, 0xFF, 0xFF, 9]), limit: 3, isText: false)?.bytes.array == [2])
    #expect(ShortenedBound.upper(Bytes("a\u{10FFFF}x"), limit: 5, isText: true)?.bytes.text == "b")
    #expect(ShortenedBound.upper(Bytes("\u{D7FF}x"), limit: 3, isText: true)?.bytes.text == "\u{E000}")
  }

  @Test(
    "bounds are the extremes of all pages, however alike the runs begin",
    arguments: [ColumnLayout.Encoding.dictionary, .plain],
    [FieldType.binary, .fixed(9), .decimal(precision: 20, scale: 0)])
  func extremes(layout: ColumnLayout.Encoding, type: FieldType) throws {
    for seed in 0..<40 as Range<UInt64> {
      var random = TestRandom(seed)
      let letters: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF]
      let values = (0..<Int(random.next() % 50) + 1).map { _ -> [UInt8] in
        let count = type == .binary ? Int(random.next() % 12) : 9
        // Mostly the same beginning: what tells the runs apart lies behind the first eight bytes.
        return (0..<count).map { at in random.next() % 8 == 0 || at > 7 ? letters[Int(random.next() % 5)] : 0x80 }
      }
      let isSigned = type == .decimal(precision: 20, scale: 0)
      let ascending = values.sorted { a, b in
        if isSigned, a[0] & 0x80 != b[0] & 0x80 { return a[0] & 0x80 != 0 }
        return a.lexicographicallyPrecedes(b)
      }
      let (file, _, _) = try Self.file(type, values.map { .bytes($0) }, layout: layout, pageRows: 7)
      let found = try Self.statistics(file)
      let width = isSigned ? FieldType.decimalBytes(precision: 20) : 0
      #expect(width == 0 || width == 9)
      #expect(found.min == .bytes(Bytes(ascending.first!)), "seed \(seed)")
      #expect(found.max == .bytes(Bytes(ascending.last!)), "seed \(seed)")
    }
  }

  @Test("decimals are ordered by value, not by bytes")
  func decimals() throws {
    let type = FieldType.decimal(precision: 20, scale: 0)
    let (file, _, _) = try Self.file(
      type, [.bytes([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE]), .bytes([0, 0, 0, 0, 0, 0, 0, 0, 3])])
    let found = try Self.statistics(file)
    #expect(found.min == .bytes(Bytes([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE])))
    #expect(found.max == .bytes(Bytes([0, 0, 0, 0, 0, 0, 0, 0, 3])))
  }

  @Test("the page index leads to the pages that may hold a value")
  func pageIndex() throws {
    let values = (0..<1000).map { $0 >= 300 && $0 < 400 ? TestValue.absent : .int(Int64($0)) }
    let (file, bytes, _) = try Self.file(.long, values, layout: .plain, pageRows: 100)
    let range = try #require(file.pageIndexRange(rowGroup: 0, leaves: [0]))
    let indexes = try file.pageIndexes(rowGroup: 0, leaves: [0], bytes: bytes[range])
    let pages = try #require(indexes.pages[0])
    #expect(pages.map(\.rows) == (0..<10).map { $0 * 100..<$0 * 100 + 100 })
    #expect(pages.map(\.isAllNull) == [false, false, false, true, false, false, false, false, false, false])
    #expect(pages[2].statistics?.min == .long(200) && pages[2].statistics?.max == .long(299))
    #expect(pages[3].statistics?.nullCount == 100 && pages[3].statistics?.min == nil)
    let rows = indexes.rows(ofLeaf: 0) { page in
      guard case .long(let low) = page.statistics?.min, case .long(let high) = page.statistics?.max else {
        return false
      }
      return low <= 555 && high >= 450
    }
    #expect(rows == [400..<600])
    let projection = try file.projectionOfEverything()
    let plan = try file.plan(rowGroup: 0, projection: projection, rows: rows, pageIndexes: indexes, gapMax: 0)
    #expect(plan.ranges == [pages[4].range.lowerBound..<pages[5].range.upperBound])
    let batch = try file.decode(plan, fetched: plan.ranges.map { bytes[$0] })
    #expect(TestColumns.values(batch) == [(400..<600).map { .int($0) }])
  }

  @Test(
    "a Bloom filter holds every value of its chunk and few others",
    arguments: [ColumnLayout.Encoding.dictionary, .plain])
  func bloomFilter(layout: ColumnLayout.Encoding) throws {
    let values = (0..<2000).map { TestValue.text("value \($0 % (layout == .plain ? 2000 : 400))") }
    let (file, bytes, _) = try Self.file(.string, values, layout: layout, bloom: true)
    let range = try #require(file.rowGroups[0].chunks[0].bloomFilterRange)
    let filter = try BloomFilter(bytes[range])
    for number in 0..<400 {
      let hash = try #require(BloomFilter.hash(.bytes(Bytes("value \(number)")), leaf: file.leaves[0]))
      #expect(filter.mightContain(hash))
    }
    let wrong = (0..<10_000).filter { number in
      Array("other \(number)".utf8).withUnsafeBytes { filter.mightContain($0) }
    }
    #expect(wrong.count < 300)
    for gapMax in [0, 1 << 20] {
      for text in ["value 7", "value 399", "other 7"] + wrong.prefix(3).map({ "other \($0)" }) {
        let probe = try #require(
          file.bloomProbe(rowGroup: 0, leaf: 0, value: .bytes(Bytes(text)), gapMax: gapMax))
        #expect(probe.ranges.allSatisfy { range.contains($0.lowerBound) && $0.upperBound <= range.upperBound })
        #expect(gapMax > 0 || probe.ranges.reduce(0) { $0 + $1.count } < 64)
        let fetched = probe.ranges.map { bytes[$0] }
        let whole = Array(text.utf8).withUnsafeBytes { filter.mightContain($0) }
        #expect(try probe.mightContain(fetched: fetched) == whole)
        #expect(throws: ParquetError.self) { try probe.mightContain(fetched: []) }
        #expect(throws: ParquetError.self) {
          try probe.mightContain(fetched: fetched.map { Bytes([UInt8](repeating: 0, count: $0.count)) })
        }
      }
    }
    for length in 0..<range.count {
      #expect(throws: ParquetError.self) { try BloomFilter(bytes[range.lowerBound..<range.lowerBound + length]) }
    }
  }

  @Test("values of numeric columns are found in their Bloom filter by their stored form")
  func numericBloom() throws {
    let (file, bytes, _) = try Self.file(.long, [.int(7), .int(-1)], bloom: true)
    let filter = try BloomFilter(bytes[try #require(file.rowGroups[0].chunks[0].bloomFilterRange)])
    #expect(filter.mightContain(try #require(BloomFilter.hash(.long(7), leaf: file.leaves[0]))))
    #expect(filter.mightContain(try #require(BloomFilter.hash(.int(-1), leaf: file.leaves[0]))))
    #expect(!filter.mightContain(try #require(BloomFilter.hash(.long(8), leaf: file.leaves[0]))))
  }

  @Test("sorting columns are declared by position and read back by id")
  func sortingColumns() throws {
    let schema = LakeTable.logs.schema
    var options = ParquetWriterOptions(sortOrder: LakeTable.logs.sortOrder)
    options.codec = .none
    let batch = ColumnBatch(
      schema: schema,
      columns: schema.fields.map { field in
        field.isRequired
          ? Column(Column.absent(field.type, count: 1).values, count: 1) : Column.absent(field.type, count: 1)
      }, count: 1)
    let (bytes, _) = try ParquetWriter.encode(
      [batch], schema: schema, layouts: LakeTable.logs.layouts, options: options)
    let file = try ParquetFile(bytes)
    #expect(
      file.rowGroups[0].sortingColumns == [
        SortingColumn(fieldID: 3), SortingColumn(fieldID: 4, isDescending: true, nullsFirst: false),
      ])
  }

  @Test("every layout of the tables names a leaf that is written", arguments: LakeTable.all.map(\.name))
  func layouts(name: String) throws {
    let table = try #require(LakeTable.all.first { $0.name == name })
    let paths = Set(ParquetWriter.leafPaths(of: table.schema))
    for layout in table.layouts { #expect(paths.contains(layout.path), "\(layout.path)") }
  }

  @Test("table properties choose codec, level, pages and Bloom filters; what makes no sense leaves the default")
  func properties() throws {
    let order = LakeTable.logs.sortOrder
    let none = try ParquetWriterOptions(sortOrder: order, properties: [:])
    #expect(none.codec == .zstd && none.level == nil && none.pageBytes == 1 << 20 && none.pageRows == 20_000)
    let some = try ParquetWriterOptions(
      sortOrder: order,
      properties: [
        "write.parquet.compression-codec": "GZIP", "write.parquet.compression-level": "9",
        "write.parquet.page-size-bytes": "65536", "write.parquet.page-row-limit": "100",
        "write.parquet.dict-size-bytes": "-1", "write.parquet.bloom-filter-max-bytes": "1024",
      ])
    #expect(some.codec == .gzip && some.level == 9 && some.pageBytes == 65_536 && some.pageRows == 100)
    #expect(some.dictionaryBytesMax == none.dictionaryBytesMax && some.bloomBytesMax == 1024)
    let wrong = ["write.parquet.compression-level": "99"]
    #expect(try ParquetWriterOptions(sortOrder: order, properties: wrong).level == nil)
    #expect(throws: ParquetError.self) {
      try ParquetWriterOptions(sortOrder: order, properties: ["write.parquet.compression-codec": "lzo"])
    }
    let prefix = "write.parquet.bloom-filter-enabled.column."
    let layouts = LakeTable.logs.layouts(properties: [
      prefix + "trace_id": "false", prefix + "span_id": "true", prefix + "scope_name": "true",
    ])
    let filtered = layouts.filter(\.hasBloomFilter).map(\.path)
    #expect(filtered == ["span_id", "attributes.key_value.value", "scope_name"])
  }
}
