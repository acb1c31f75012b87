import LakeModel
import LakeSchema
import Testing

@testable import LakeParquet

@Suite("Text index")
struct TextIndexTests {
  static let schema = Schema(id: 0, fields: [Field(1, "n", .long, required: true), Field(2, "body", .string)])

  static let words = [
    "request", "completed", "timeout", "Näme", "日本語", "🦊", "user=", "GET /health", "kernel", "Session", "panic:", "",
    "a", "ok",
  ]

  /// Lines of words, some absent, with an id of hex digits in every third.
  static func lines(_ seed: UInt64, count: Int) -> [String?] {
    var random = TestRandom(seed)
    return (0..<count).map { row in
      if random.below(20) == 0 { return nil }
      var line = (0..<random.below(9)).map { _ in words[random.below(words.count)] }.joined(separator: " ")
      if row % 3 == 0 { line += hex(random.next()) + hex(random.next()) }
      return line
    }
  }

  static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  static func file(
    _ groups: [[String?]], pageRows: Int = 500, layout: ColumnLayout.Encoding = .deltaLengthByteArray
  ) throws -> Bytes {
    var options = ParquetWriterOptions()
    options.pageRows = pageRows
    let batches = groups.map { lines in
      TestColumns.batch(
        schema, [lines.indices.map { .int(Int64($0)) }, lines.map { $0.map { .text($0) } ?? .absent }])
    }
    return try ParquetWriter.encode(
      batches, schema: schema, layouts: [ColumnLayout("body", layout, text: true)], options: options
    ).file
  }

  static func index(_ file: ParquetFile, _ bytes: Bytes, rowGroup: Int = 0) throws -> TextIndex {
    let range = try #require(file.textIndexRange(rowGroup: rowGroup, leaf: 1))
    return try file.textIndex(rowGroup: rowGroup, leaf: 1, bytes: bytes[range])
  }

  static func contains(_ line: String?, _ needle: String) -> Bool {
    guard let line else { return false }
    let (text, needle) = (Array(line.utf8), Array(needle.utf8))
    guard needle.count <= text.count else { return false }
    return (0...text.count - needle.count).contains { text[$0..<$0 + needle.count].elementsEqual(needle) }
  }

  @Test(
    "no row that holds a needle is ever excluded, whatever the needle",
    arguments: [ColumnLayout.Encoding.deltaLengthByteArray, .dictionary, .plain])
  func soundness(layout: ColumnLayout.Encoding) throws {
    let groups = [Self.lines(1, count: 2600), Self.lines(2, count: 2000)]
    let bytes = try Self.file(groups, layout: layout)
    let file = try ParquetFile(bytes)
    var random = TestRandom(7)
    var needles = ["", "a", "ok", "日", "timeout", "NÄME", "absolutely absent", "zzz"] + Self.words
    for _ in 0..<60 {
      // Any part of any line, also one that cuts characters.
      guard let line = groups[random.below(2)][random.below(2000)], line.utf8.count > 0 else { continue }
      let text = Array(line.utf8)
      let start = random.below(text.count)
      let end = start + 1 + random.below(text.count - start)
      if let part = String(validating: text[start..<end], as: UTF8.self) { needles.append(part) }
    }
    for (group, lines) in groups.enumerated() {
      let index = try Self.index(file, bytes, rowGroup: group)
      for needle in needles {
        let rows = index.rows(holdingAll: [TextNeedle(needle)])
        let held = Set(rows.flatMap { Array($0) })
        for row in lines.indices where Self.contains(lines[row], needle) {
          #expect(held.contains(row), "\(needle) in row \(row)")
        }
      }
    }
  }

  @Test("an id is found in its one page, and an absent one in none")
  func selectivity() throws {
    let lines = Self.lines(3, count: 20_000)
    let bytes = try Self.file([lines])
    let file = try ParquetFile(bytes)
    let index = try Self.index(file, bytes)
    #expect(index.pageCount == 40 && index.rowCount == 20_000)
    let id = try #require(lines[9_999]).suffix(32)
    #expect(index.rows(holdingAll: [TextNeedle(String(id))]) == [9_500..<10_000])
    #expect(index.rows(holdingAll: [TextNeedle(String(id.uppercased()))]) == [9_500..<10_000])
    #expect(index.rows(holdingAll: [TextNeedle("0123456789abcdef0123456789abcdef")]) == [])
    #expect(index.rows(holdingAll: [TextNeedle("out of memory")]) == [])
    #expect(index.rows(holdingAll: [TextNeedle("日本人")]) == [])
    #expect(index.rows(holdingAll: [TextNeedle("timeout")]) == [0..<20_000])
    #expect(index.rows(holdingAll: []) == [0..<20_000])
    #expect(!TextNeedle("ab").isSelective && !TextNeedle("").isSelective && TextNeedle("abc").isSelective)
  }

  @Test("folding by Unicode says nothing about letters that stand for others")
  func folding() throws {
    var lines: [String?] = Array(repeating: "a line of plain words, and nothing else at all", count: 3000)
    lines[10] = "99 \u{212A}elvin, \u{17F}ome"
    let bytes = try Self.file([lines])
    let index = try Self.index(try ParquetFile(bytes), bytes)
    #expect(index.rows(holdingAll: [TextNeedle("kelvin", .foldingUnicode)]) == [0..<500])
    #expect(index.rows(holdingAll: [TextNeedle("SOME", .foldingUnicode)]).first?.contains(10) == true)
    #expect(index.rows(holdingAll: [TextNeedle("kelvin", .foldingASCII)]) == [])
    #expect(index.rows(holdingAll: [TextNeedle("PLAIN Words", .foldingASCII)]) == [0..<3000])
    #expect(TextNeedle("sky", .foldingUnicode).isSelective == false)
  }

  @Test("indexes take at most a tenth of their column, and little text has none")
  func size() throws {
    var random = TestRandom(5)
    let noise = (0..<8_000).map { _ in (0..<4).map { _ in Self.hex(random.next()) }.joined() as String? }
    for lines in [noise, Self.lines(6, count: 10_000)] {
      let file = try ParquetFile(try Self.file([lines], pageRows: 20_000))
      let index = try #require(file.textIndexRange(rowGroup: 0, leaf: 1))
      #expect(index.count * 10 <= file.rowGroups[0].chunks[1].range.count)
    }
    let small = try ParquetFile(try Self.file([Self.lines(6, count: 300), noise]))
    #expect(small.textIndexRange(rowGroup: 0, leaf: 1) == nil)
    #expect(small.textIndexRange(rowGroup: 1, leaf: 1) != nil)
    #expect(small.textIndexRange(rowGroup: 1, leaf: 0) == nil)
  }

  @Test("a broken index is an error, wherever it is cut or changed")
  func damage() throws {
    let bytes = try Self.file([Self.lines(8, count: 3000)])
    let file = try ParquetFile(bytes)
    let range = try #require(file.textIndexRange(rowGroup: 0, leaf: 1))
    let index = bytes[range].array
    for end in stride(from: 0, to: index.count, by: index.count > 2000 ? 7 : 1) {
      #expect(throws: ParquetError.self) {
        try file.textIndex(rowGroup: 0, leaf: 1, bytes: Bytes(Array(index[..<end])))
      }
    }
    var random = TestRandom(9)
    for _ in 0..<500 {
      var mutant = index
      mutant[random.below(mutant.count)] ^= UInt8(1 + random.below(255))
      #expect(throws: ParquetError.self) { try file.textIndex(rowGroup: 0, leaf: 1, bytes: Bytes(mutant)) }
      // With a checksum that fits: an error or an index, no trap.
      let hash = mutant.withUnsafeBytes {
        BloomFilter.hash(UnsafeRawBufferPointer(rebasing: $0[12...]))
      }
      withUnsafeBytes(of: hash.littleEndian) { mutant.replaceSubrange(4..<12, with: $0) }
      let broken = try? file.textIndex(rowGroup: 0, leaf: 1, bytes: Bytes(mutant))
      _ = broken?.rows(holdingAll: [TextNeedle("timeout and more")])
    }
  }

  @Test("an index of other rows is not taken, and footer entries without sense are as good as none")
  func binding() throws {
    let first = try Self.file([Self.lines(8, count: 3000)])
    let second = try Self.file([Self.lines(9, count: 3000)])
    let range = try #require(try ParquetFile(first).textIndexRange(rowGroup: 0, leaf: 1))
    #expect(throws: ParquetError.self) {
      try ParquetFile(second).textIndex(rowGroup: 0, leaf: 1, bytes: first[range])
    }
    for text in [
      "", "2\n1 4+9", "1\n1", "1\n1 4+9 4+9", "1\n9 4+9", "1\n1 -4+9", "1\n1 4+99999", "1\nx 4+9", "1\n1 4+0",
    ] {
      let directory = TextIndexDirectory(text, leafCount: 2, rowGroupCount: 1, dataEnd: 1000)
      #expect(directory[0, 1] == nil, "\(text)")
    }
    #expect(TextIndexDirectory("1\n1 4+9", leafCount: 2, rowGroupCount: 1, dataEnd: 1000)[0, 1] == 4..<13)
    #expect(TextIndexDirectory("1\n1 - 4+9", leafCount: 2, rowGroupCount: 2, dataEnd: 1000)[1, 1] == 4..<13)
  }
}
