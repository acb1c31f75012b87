import LakeModel
import Testing

@testable import LakeQuery

/// Queries on which the engine and the slow evaluator once disagreed, with what Loki's documentation and source say.
@Suite("What the slow evaluator found")
struct OracleFindingsTests {
  private static let time: Int64 = 1_700_000_000_000_000_000

  private func lines(_ query: String, _ rows: [TestRow]) async throws -> [String] {
    let engine = TestEngine(MemorySource([rows.batch()]))
    let streams = try await engine.logs(
      query, start: OracleFindingsTests.time - 1_000_000_000, end: OracleFindingsTests.time + 1_000_000_000)
    return streams.merged(isBackward: false).map {
      $0.line + " " + $0.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }
  }

  private static func row(_ body: String, _ record: [(String, String)]) -> TestRow {
    var row = TestRow(time: time)
    row.service = "api"
    row.body = body
    row.record = record
    return row
  }

  @Test(
    "trunc counts bytes, and each byte of a character cut in two is U+FFFD, as Loki 3.7.6 answers",
    arguments: [
      (5, "日\u{FFFD}\u{FFFD}"), (4, "日\u{FFFD}"), (2, "\u{FFFD}\u{FFFD}"), (-1, "\u{FFFD}"), (-2, "\u{FFFD}\u{FFFD}"),
      (-3, "本"), (3, "日"), (0, ""), (-7, "日本"), (9, "日本"),
    ])
  func truncated(count: Int, text: String) async throws {
    let query = "{service_name=\"api\"} | line_format `{{ trunc \(count) .k }}`"
    #expect(try await lines(query, [OracleFindingsTests.row("x", [("k", "日本")])]) == [text + " k=日本,service_name=api"])
  }

  @Test(
    "a row that another filter could not judge passes every filter by address",
    arguments: ["status > 5 | addr = ip(\"10.0.0.1\")", "status > 5 and addr = ip(\"10.0.0.1\")"])
  func addressAfterError(filters: String) async throws {
    let rows = [OracleFindingsTests.row("x", [("status", "abc"), ("addr", "192.168.0.1")])]
    let found = try await lines("{service_name=\"api\"} | " + filters, rows)
    #expect(
      found == [
        "x __error__=LabelFilterErr,__error_details__=strconv.ParseFloat: parsing \"abc\": invalid syntax,"
          + "addr=192.168.0.1,service_name=api,status=abc"
      ])
  }

  @Test("an unreadable duration is quoted byte by byte, as Go's package time does")
  func durationText() async throws {
    let found = try await lines("{service_name=\"api\"} | took > 1s", [OracleFindingsTests.row("x", [("took", "é\"")])])
    #expect(
      found == [
        #"x __error__=LabelFilterErr,__error_details__=time: invalid duration "\xc3\xa9\"",service_name=api,took=é""#
      ])
  }

  @Test("a filter on a stored label makes parsers look for that label, so a broken line is an error")
  func filterNamesLabel() async throws {
    let engine = TestEngine(MemorySource([[OracleFindingsTests.row("{\"a\":", [])].batch()]))
    let time = OracleFindingsTests.time
    await #expect(throws: QueryError.self) {
      try await engine.vector(
        "sum(count_over_time({service_name=\"api\"} | service_name=\"api\" | json [1m]))", at: time)
    }
    let samples = try await engine.vector("sum(count_over_time({service_name=\"api\"} | json [1m]))", at: time)
    #expect(samples.map(\.value) == [1])
  }

  @Test(
    "a filter on errors sees those of every stage before it",
    arguments: [
      "| status > 5 and addr = ip(\"10.0.0.1\")", "| line_format \"{{ div 1 0 }}\"", "| status > 5",
      "| line_format \"{{ .status | float64 | b64dec }}\"", "| json",
    ])
  func errorFilter(stage: String) async throws {
    let rows = [OracleFindingsTests.row("x", [("status", "abc"), ("addr", "10.0.0.1")])]
    let selector = "{service_name=\"api\"} " + stage
    #expect(try await lines(selector + " | __error__=\"\"", rows) == [])
    #expect(try await lines(selector + " | __error__!=\"\"", rows).count == 1)
    if stage.hasPrefix("| status") { #expect(try await lines(selector + " and __error__!=\"\"", rows).count == 1) }
  }

  @Test("labels that are not shown are there for filters, groups and samples behind parsers too")
  func hiddenLabels() async throws {
    var row = OracleFindingsTests.row("n=1", [("status", "abc")])
    row.severityNumber = 9
    for stage in ["| logfmt", "| status > 5", "| logfmt | n = 1"] {
      let selector = "{service_name=\"api\"} " + stage
      #expect(try await lines(selector + " | severity_number > 8", [row]).count == 1)
      #expect(try await lines(selector + " | severity_number = \"9\" | tenant_id = \"a\"", [row]).count == 1)
      #expect(try await lines(selector + " | severity_number > 9", [row]) == [])
      #expect(try await lines(selector + " | tenant_id != \"a\"", [row]) == [])
    }
    #expect(
      try await lines("{service_name=\"api\"} | logfmt | severity_number = 9", [row]) == [
        "n=1 n=1,service_name=api,status=abc"
      ])
    let engine = TestEngine(MemorySource([[row].batch()]))
    let counts = try await engine.vector(
      "sum by (severity_number) (count_over_time({service_name=\"api\"} | logfmt | tenant_id=\"a\" [1m]))",
      at: OracleFindingsTests.time)
    #expect(counts.map { $0.labels["severity_number"] } == ["9"])
    let sum = try await engine.vector(
      "sum(sum_over_time({service_name=\"api\"} | logfmt | unwrap severity_number [1m]))", at: OracleFindingsTests.time)
    #expect(sum.map(\.value) == [9])
  }

  @Test("a parser may give its label the name of one that is not shown, and filters then see the parsed one")
  func hiddenName() async throws {
    let row = OracleFindingsTests.row("tenant_id=z", [])
    #expect(
      try await lines("{service_name=\"api\"} | logfmt | tenant_id=\"z\"", [row]) == [
        "tenant_id=z service_name=api,tenant_id=z"
      ])
  }

  @Test("what is no number is chosen and sorted last, from both ends")
  func noNumbers() async throws {
    let rows = [("a", "NaN"), ("b", "2"), ("c", "1")].map {
      OracleFindingsTests.row("x", [("who", $0.0), ("amount", $0.1)])
    }
    let engine = TestEngine(MemorySource([rows.batch()]))
    let samples = "max_over_time({service_name=\"api\"} | unwrap amount [1m]) by (who)"
    func names(_ query: String) async throws -> [String?] {
      try await engine.vector(query, at: OracleFindingsTests.time).map { $0.labels["who"] }
    }
    #expect(try await names("bottomk(1, \(samples))") == ["c"])
    #expect(try await names("topk(1, \(samples))") == ["b"])
    #expect(try await names("sort(\(samples))") == ["c", "b", "a"])
    #expect(try await names("sort_desc(\(samples))") == ["b", "c", "a"])
  }

  @Test("the left side of an 'or' marks a row that its right side keeps, wherever in it the value stands")
  func markedByLeftSide() async throws {
    let rows = [OracleFindingsTests.row("x", [("status", "abc"), ("pod", "p")])]
    for filter in [
      "(pod=\"q\" and status < 2) or other!=\"y\"", "(pod=\"z\" or pod=\"q\" and status < 2) or pod=\"p\"",
      "(status < 2 and pod=\"q\") or pod=\"p\"",
    ] {
      #expect(try await lines("{service_name=\"api\"} | \(filter) | __error__=\"\"", rows) == [])
      #expect(try await lines("{service_name=\"api\"} | \(filter) | __error__!=\"\"", rows).count == 1)
    }
  }
}
