import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import Testing

@testable import LakeQuery

/// Data files with text indexes give the answers of files without, and fewer lines are read.
@Suite("Text index in queries")
struct TextIndexQueryTests {
  private static let start = RandomCorpus.start
  private static let count = 4000

  private static func body(_ index: Int) -> String {
    var random = UInt64(index + 1) &* 0x9E37_79B9_7F4A_7C15
    random ^= random >> 29
    var line = "request \(index % 7) took \(index % 13) ms of some \(random % 1000) and more text"
    if index % 16 == 2718 % 16 { line += " trace=\(String(random, radix: 16)) end" }
    if index % 1000 == 17 { line += " Segment Missing" }
    if index == 2500 { line += " größer" }
    return line
  }

  private static let rows = (0..<count).map { index in
    TestRow(
      time: start + Int64(index) * 1_000_000_000, service: index < 2000 ? "api" : "web", severity: "INFO",
      body: body(index), resource: [("host", "h\(index % 3)")])
  }

  private static func answer(
    _ lake: TestLake, _ query: String
  ) async throws -> (lines: [String], statistics: QueryStatistics) {
    let request = LogQueryRequest(
      tenant: TenantID("a")!, query: query,
      span: .range(
        start: Timestamp(nanoseconds: UInt64(start)), end: Timestamp(nanoseconds: UInt64(start + 5_000_000_000_000)),
        step: .seconds(1), interval: .zero), direction: .forward, limit: 5000)
    let result = try await lake.engine().query(request)
    guard case .streams(let streams) = result.data else { return ([], result.statistics) }
    return (streams.merged(isBackward: false).map(\.line), result.statistics)
  }

  @Test("line filters of every kind keep what they keep without an index")
  func sameAnswers() async throws {
    let lake = try await TestLake(seed: 11)
    var options = ParquetWriterOptions()
    options.pageRows = 500
    try await lake.append(TextIndexQueryTests.rows, rowGroupRows: 2000, options: options)
    let file = try #require(try await lake.dataFiles().first)
    let bytes = try await lake.ports.store.get(try lake.ports.warehouse.key(of: file.path)).bytes
    let parquet = try ParquetFile(bytes)
    #expect(parquet.rowGroups.count == 2)
    let leaf = try #require(parquet.leaf(path: "body"))
    #expect(parquet.textIndexRange(rowGroup: 1, leaf: leaf.index) != nil)
    let id = try #require(TextIndexQueryTests.body(2718).split(separator: "=").last?.split(separator: " ").first)
    let all = (0..<TextIndexQueryTests.count).map(TextIndexQueryTests.body)
    let cases: [(filter: String, keeps: (String) -> Bool, linesMax: Int)] = [
      (#"|= "Segment Missing""#, { $0.hasSuffix("Segment Missing") }, 3000),
      (#"|= "segment missing""#, { _ in false }, 3000),
      (#"|~ "(?i)ent mi""#, { $0.hasSuffix("Segment Missing") }, 4000),
      (#"|~ "(?i)NT MI""#, { $0.hasSuffix("Segment Missing") }, 3500),
      (#"|= "\#(id)""#, { $0.contains(id) }, 1500),
      (#"|= "größer" or "Segment Missing""#, { $0.contains("größer") || $0.hasSuffix("Missing") }, 3500),
      (#"|~ "größer|Segment M.*g""#, { $0.contains("größer") || $0.hasSuffix("Missing") }, 3500),
      (#"|= "kernel panic""#, { _ in false }, 1000),
      (#"|= "Segment" |= "took 4 ms""#, { $0.contains("Segment") && $0.contains("took 4 ms") }, 3500),
      (#"!= "request 3""#, { !$0.contains("request 3") }, 4000),
      (#"|= "q""#, { _ in true }, 4000),
      (#"|= "ß""#, { $0.contains("ß") }, 4000),
      (#"|> "<_> Segment <_>""#, { $0.hasSuffix("Segment Missing") }, 4000),
    ]
    for test in cases {
      let (lines, statistics) = try await TextIndexQueryTests.answer(lake, #"{service_name=~".+"} "# + test.filter)
      #expect(lines == all.filter(test.keeps), "\(test.filter)")
      #expect(statistics.linesRead <= test.linesMax, "\(test.filter): \(statistics.linesRead) lines")
    }
  }

  @Test("a broken index is passed over")
  func damage() async throws {
    let lake = try await TestLake(seed: 12)
    try await lake.append(TextIndexQueryTests.rows, rowGroupRows: 4000)
    for file in try await lake.dataFiles() {
      let key = try lake.ports.warehouse.key(of: file.path)
      var bytes = try await lake.ports.store.get(key).bytes.array
      let parquet = try ParquetFile(Bytes(bytes))
      let leaf = try #require(parquet.leaf(path: "body"))
      let range = try #require(parquet.textIndexRange(rowGroup: 0, leaf: leaf.index))
      for at in range { bytes[at] = 0 }
      _ = try await lake.ports.store.put(key, Bytes(bytes), condition: .none)
    }
    let (lines, _) = try await TextIndexQueryTests.answer(lake, #"{service_name="web"} |= "größer""#)
    #expect(lines == [TextIndexQueryTests.body(2500)])
  }

  @Test("row groups whose filters lack a trace id or an attribute are not read, and none is lost")
  func filters() async throws {
    let lake = try await TestLake(seed: 13)
    var rows: [TestRow] = []
    for index in 0..<600 {
      var row = TestRow(time: TextIndexQueryTests.start + Int64(index) * 1_000_000_000, service: "api")
      row.body = "line \(index)"
      if index % 3 != 0 { row.traceID = [UInt8](repeating: UInt8(index / 3), count: 16) }
      row.resource = [("host", "h\(index / 100)")]
      row.record = [("user", "u\(index)")]
      if index == 333 { row.record = [("trace_id", String(repeating: "07", count: 16))] }
      rows.append(row)
    }
    try await lake.append(rows, rowGroupRows: 50)
    func lines(_ query: String) async throws -> (lines: [String], pruned: Int) {
      let (lines, statistics) = try await TextIndexQueryTests.answer(lake, #"{service_name="api"} "# + query)
      return (lines, statistics.rowGroupsPruned)
    }
    // The column of rows 22 and 23, and the attribute that stands in for the absent column of row 333.
    let byTrace = try await lines(#"| trace_id="\#(String(repeating: "07", count: 16))""#)
    #expect(byTrace.lines == ["line 22", "line 23", "line 333"] && byTrace.pruned >= 8)
    let absent = try await lines(#"| trace_id="\#(String(repeating: "fa", count: 16))""#)
    #expect(absent.lines == [] && absent.pruned >= 10)
    let byUser = try await lines(#"| user="u599""#)
    #expect(byUser.lines == ["line 599"] && byUser.pruned >= 9)
    let either = try await lines(#"| user="u599" or user="u1""#)
    #expect(either.lines == ["line 1", "line 599"] && either.pruned >= 8)
    #expect(try await lines(#"| host="h2" | user="u1""#).lines == [])
    #expect(try await lines(#"| host="h5" | user!="u599""#).lines.count == 99)
    #expect(try await lines(#"| user="""#).lines == ["line 333"])
    #expect(try await lines(#"| host=~"h1|nobody" | user=~"u10.""#).lines == (100..<110).map { "line \($0)" })
  }
}
