import LakeIceberg
import LakeModel
import LakePorts
import LakeSchema
import Testing

@testable import LakeQuery

/// Rows that another engine deleted: no query sees them.
@Suite("Deleted rows")
struct DeletedRowsTests {
  private static let start = RandomCorpus.start

  private static func rows(_ range: Range<Int>) -> [TestRow] {
    range.map { index in
      TestRow(
        time: start + Int64(index) * 1_000_000_000, service: index % 2 == 0 ? "api" : "web",
        severity: index % 5 == 0 ? nil : "INFO", body: "line \(index)", resource: [("host", "h\(index % 3)")])
    }
  }

  private static func lines(_ lake: TestLake, _ query: String, cache: Int = 1 << 30) async throws -> [String] {
    var settings = QuerySettings()
    settings.cacheBytesMax = cache
    let streams = try await TestEngine(engine: lake.engine(settings)).logs(
      query, start: start, end: start + 1_000_000_000_000, limit: 1000)
    return streams.merged(isBackward: false).map(\.line)
  }

  private static func count(_ lake: TestLake, _ query: String) async throws -> Double? {
    try await TestEngine(engine: lake.engine()).vector(query, at: start + 1_000_000_000_000).first?.value
  }

  @Test("by position are not returned, not counted, and their labels are not listed", arguments: [true, false])
  func positions(isNamed: Bool) async throws {
    let lake = try await TestLake(seed: 3)
    try await lake.append(DeletedRowsTests.rows(0..<60), rowGroupRows: 7)
    try await lake.append(DeletedRowsTests.rows(60..<80), rowGroupRows: 100)
    let files = try await lake.dataFiles()
    #expect(files.count == 2)
    let file = try #require(files.first { $0.recordCount == 60 })
    // Every row of the host h1 in the first file, and some others.
    let gone = Set((0..<60).filter { $0 % 3 == 1 || $0 < 9 }.map { "line \($0)" })
    let places = try await lake.positions(of: gone, in: file)
    #expect(places.count == gone.count)
    try await lake.deletePositions(places, of: file, isNamed: isNamed)
    let left = (0..<80).map { "line \($0)" }.filter { !gone.contains($0) }
    #expect(try await DeletedRowsTests.lines(lake, #"{service_name=~".+"}"#) == left)
    #expect(try await DeletedRowsTests.lines(lake, #"{service_name=~".+"} |= "line""#, cache: 0) == left)
    let count = "sum(count_over_time({service_name=~\".+\"}[1h]))"
    #expect(try await DeletedRowsTests.count(lake, count) == Double(left.count))
    let request = LabelsRequest(
      tenant: TenantID("a")!, start: Timestamp(signedNanoseconds: DeletedRowsTests.start),
      end: Timestamp(signedNanoseconds: DeletedRowsTests.start + 59_000_000_000))
    #expect(try await lake.engine().labelValues("host", request) == ["h0", "h2"])
    #expect(try await lake.engine().statistics(request).entries == 60 - gone.count)
  }

  @Test("by equality go from older files only, absent values being equal to each other")
  func equality() async throws {
    let lake = try await TestLake(seed: 4)
    try await lake.append(DeletedRowsTests.rows(0..<30), rowGroupRows: 4)
    let file = try #require(try await lake.dataFiles().first)
    let columns = [LogField.serviceName, .severityText].map { field in
      var field = field.schemaField
      field.isRequired = false
      return field
    }
    try await lake.deleteEqual(
      ColumnBatch(
        schema: Schema(id: 0, fields: columns),
        columns: [
          Column.texts(["api", "web"], dictionary: false), Column.texts([nil, "INFO"], dictionary: false),
        ], count: 2), in: file)
    // The same rows, written later, stay.
    try await lake.append(DeletedRowsTests.rows(30..<40), rowGroupRows: 4)
    let left = (0..<40).filter { index in
      index >= 30 || !((index % 2 == 0 && index % 5 == 0) || (index % 2 == 1 && index % 5 != 0))
    }
    let lines = try await DeletedRowsTests.lines(lake, #"{service_name=~".+"}"#)
    #expect(lines == left.map { "line \($0)" })
    let byBody = Schema(id: 0, fields: [LogField.body.schemaField])
    try await lake.deleteEqual(
      ColumnBatch(schema: byBody, columns: [Column.texts(["line 35", "line 2"], dictionary: false)], count: 2),
      in: file)
    let fewer = left.filter { $0 != 35 && $0 != 2 }
    #expect(try await DeletedRowsTests.lines(lake, #"{service_name=~".+"}"#) == fewer.map { "line \($0)" })
    #expect(
      try await DeletedRowsTests.count(lake, #"sum(count_over_time({service_name="api"}[1h]))"#)
        == Double(fewer.filter { $0 % 2 == 0 }.count))
  }

  @Test("of a file that is no delete file are a typed error")
  func damaged() async throws {
    let lake = try await TestLake(seed: 5)
    try await lake.append(DeletedRowsTests.rows(0..<5), rowGroupRows: 4)
    let file = try #require(try await lake.dataFiles().first)
    try await lake.deletePositions([0], of: file, isNamed: true)
    for key in try await lake.ports.store.listAll(prefix: "").map(\.key) where key.text.hasSuffix("-deletes.parquet") {
      _ = try await lake.ports.store.put(key, Bytes(Array("PAR1 nothing PAR1".utf8)), condition: .none)
    }
    await #expect(throws: QueryError.self) {
      try await DeletedRowsTests.lines(lake, #"{service_name=~".+"}"#)
    }
  }
}
