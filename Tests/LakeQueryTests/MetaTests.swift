import LakeModel
import Testing

@testable import LakeQuery

@Suite("Labels, series, volume and explain")
struct MetaTests {
  private static func corpus(_ seed: UInt64) async throws -> (rows: [TestRow], lake: TestLake) {
    var corpus = RandomCorpus(seed)
    let rows = corpus.rows(200)
    let lake = try await TestLake(seed: seed)
    try await lake.append(Array(rows[..<120]), rowGroupRows: 31)
    try await lake.ingest([[(rows: rows[120...].filter { $0.tenant == "a" }, fingerprint: nil)]])
    let tail = rows[120...].filter { $0.tenant == "b" }
    if !tail.isEmpty { try await lake.ingest([[(rows: tail, fingerprint: nil)]]) }
    return (rows.filter { $0.tenant == "a" }, lake)
  }

  private static func request(_ selectors: [String] = [], seconds: Range<Int64> = 0..<600) -> LabelsRequest {
    func time(_ second: Int64) -> Timestamp {
      Timestamp(nanoseconds: UInt64(RandomCorpus.start + second * 1_000_000_000))
    }
    return LabelsRequest(
      tenant: TenantID("a")!, start: time(seconds.lowerBound), end: time(seconds.upperBound), selectors: selectors)
  }

  @Test("label values are those of the rows in range", arguments: [1, 2, 3] as [UInt64])
  func labelValues(seed: UInt64) async throws {
    let (rows, lake) = try await MetaTests.corpus(seed)
    let engine = lake.engine()
    for name in ["service_name", "severity_text", "env", "user_id", "trace_id", "nope"] {
      let found = try await engine.labelValues(name, MetaTests.request(seconds: 100..<500))
      let inside = rows.filter {
        $0.time >= RandomCorpus.start + 100_000_000_000 && $0.time <= RandomCorpus.start + 500_000_000_000
      }
      let expected = Set(inside.compactMap { $0.usable[name] }).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      #expect(found == expected, "\(name)")
      if name != "nope" { #expect(found.count >= 2) }
    }
  }

  @Test("label values of a selection are those of its rows")
  func labelValuesOfSelection() async throws {
    let (rows, lake) = try await MetaTests.corpus(4)
    let found = try await lake.engine().labelValues(
      "severity_text", MetaTests.request([#"{service_name="api"}"#, #"{service_name="db", severity_text="WARN"}"#]))
    let expected = Set(
      rows.filter { $0.service == "api" || ($0.service == "db" && $0.usable["severity_text"] == "WARN") }
        .compactMap { $0.usable["severity_text"] })
    #expect(Set(found) == expected)
  }

  @Test("series are the sets of service, severity and the resource's attributes")
  func series() async throws {
    let rows = [
      TestRow(
        time: RandomCorpus.start + 1, service: "api", severity: "INFO", body: "x", resource: [("k8s.pod", "p-1")]),
      TestRow(
        time: RandomCorpus.start + 2, service: "api", severity: "INFO", traceID: [UInt8](repeating: 7, count: 16),
        body: "y", resource: [("k8s.pod", "p-1")], record: [("user.id", "u")]),
      TestRow(time: RandomCorpus.start + 3, service: "db", body: "z", resource: [("k8s.pod", "p-2"), ("9", "n")]),
    ]
    let lake = try await TestLake()
    try await lake.append(rows, rowGroupRows: 100)
    let engine = lake.engine()
    let series = try await engine.series(MetaTests.request())
    #expect(
      series.map(\.description) == [
        #"{k8s_pod="p-1", service_name="api", severity_text="INFO"}"#,
        #"{k8s_pod="p-2", key_9="n", service_name="db"}"#,
      ])
    #expect(
      try await engine.labels(MetaTests.request()) == ["k8s_pod", "key_9", "service_name", "severity_text"])
    #expect(
      try await engine.series(MetaTests.request([#"{service_name="api"}"#])).map(\.description) == [
        #"{k8s_pod="p-1", service_name="api", severity_text="INFO"}"#
      ])
    let totals = try await engine.statistics(MetaTests.request())
    #expect(totals.streams == 2)
    #expect(totals.entries == 3)
    #expect(totals.bytes == 3)
    #expect(totals.chunks == 1)
  }

  @Test("volume adds up line bytes by the labels of the selector")
  func volume() async throws {
    let (rows, lake) = try await MetaTests.corpus(5)
    let request = VolumeRequest(
      tenant: TenantID("a")!, query: #"{service_name=~".+"}"#, start: MetaTests.request().start,
      end: MetaTests.request().end)
    guard case .vector(let samples) = try await lake.engine().volume(request).data else {
      Issue.record("not a vector")
      return
    }
    var expected: [String: Double] = [:]
    for row in rows where row.time > RandomCorpus.start {
      if let service = row.usable["service_name"] {
        expected[service, default: 0] += Double((row.body ?? "").utf8.count)
      }
    }
    #expect(samples.count == expected.count)
    for sample in samples { #expect(sample.value == expected[sample.labels["service_name"] ?? ""]) }
    #expect(samples.map(\.value) == samples.map(\.value).sorted(by: >))
  }

  @Test("volume by {} has all labels of the streams, by labels each of them, and rows without a target count in none")
  func volumeOfStreams() async throws {
    let start = RandomCorpus.start
    let rows = [
      TestRow(time: start + 1, service: "api", body: "12345", resource: [("env", "prod")]),
      TestRow(time: start + 2, service: "api", body: "1234567", resource: [("env", "dev")]),
      TestRow(time: start + 3, service: "db", body: "123", resource: [("env", "prod")]),
      TestRow(time: start + 4, service: "db", body: "1"),
    ]
    let lake = try await TestLake()
    try await lake.append(rows, rowGroupRows: 3)
    func volume(
      _ query: String, targets: [String] = [], _ grouping: VolumeRequest.Grouping = .series
    ) async throws -> [String] {
      let request = VolumeRequest(
        tenant: TenantID("a")!, query: query, start: MetaTests.request().start, end: MetaTests.request().end,
        targetLabels: targets, grouping: grouping)
      guard case .vector(let samples) = try await lake.engine().volume(request).data else { return ["not a vector"] }
      return samples.map {
        "\($0.labels.pairs.map { "\($0.name)=\($0.value)" }.joined(separator: ",")) \(Int($0.value))"
      }
    }
    // As Loki 3.7.6 groups them.
    #expect(
      try await volume("{}")
        == [
          "env=dev,service_name=api 7", "env=prod,service_name=api 5", "env=prod,service_name=db 3",
          "service_name=db 1",
        ])
    #expect(try await volume("{}", targets: ["env"]) == ["env=prod 8", "env=dev 7"])
    #expect(try await volume("{}", targets: ["nope"]) == [])
    #expect(try await volume("{}", targets: ["env", "nope"], .labels) == [])
    #expect(try await volume("{}", .labels) == ["service_name= 16", "env= 15"])
    #expect(try await volume(#"{service_name="db"}"#, .labels) == ["service_name= 4", "env= 3"])
    #expect(try await volume(#"{service_name="db"}"#, targets: ["env"], .labels) == ["env= 3"])
    #expect(try await volume(#"{service_name="db"}"#) == ["service_name=db 4"])
    #expect(try await volume(#"{env=~".*"}"#, targets: ["env"]) == ["env=prod 8", "env=dev 7", " 1"])
  }

  @Test("explain tells conditions and what pruning leaves")
  func explain() async throws {
    let rows = (0..<100).map { index in
      TestRow(time: RandomCorpus.start + Int64(index), service: index < 50 ? "api" : "db", body: "line \(index)")
    }
    let lake = try await TestLake()
    try await lake.append(rows, rowGroupRows: 10)
    let request = LogQueryRequest(
      tenant: TenantID("a")!, query: #"{service_name="db"} |= "x""#,
      span: .range(
        start: Timestamp(nanoseconds: UInt64(RandomCorpus.start)),
        end: Timestamp(nanoseconds: UInt64(RandomCorpus.start) + 1000), step: .seconds(1), interval: .zero))
    let lines = try await lake.engine().explain(request)
    #expect(lines.contains("data files: 1 of 1"))
    #expect(lines.contains("row groups: 5 of 10"))
    #expect(lines.contains("label condition: service_name one of [db]"))
    #expect(lines.contains("line filter: |= x"))
  }

  @Test("counting whole row groups reads no page")
  func countsFromMetadata() async throws {
    let rows = (0..<100).map { index in
      TestRow(time: RandomCorpus.start + Int64(index), service: index < 50 ? "api" : "db", body: "line \(index)")
    }
    let lake = try await TestLake()
    try await lake.append(rows, rowGroupRows: 10)
    let engine = lake.engine()
    let request = LogQueryRequest(
      tenant: TenantID("a")!, query: #"sum(count_over_time({service_name=~".+"}[1h]))"#,
      span: .instant(at: Timestamp(nanoseconds: UInt64(RandomCorpus.start) + 1000)))
    let result = try await engine.query(request)
    guard case .vector(let samples) = result.data else {
      Issue.record("not a vector")
      return
    }
    #expect(samples.map(\.value) == [100])
    #expect(result.statistics.rowGroupsTotal == 10)
    #expect(result.statistics.pagesRead == 0)
    #expect(result.statistics.bytesProcessed == 0)
  }

  @Test("a query asked again, from kept pages, tells the same bytes processed, lines among them")
  func tellsTheSameBytesFromTheCache() async throws {
    let rows = (0..<100).map { index in
      TestRow(time: RandomCorpus.start + Int64(index), service: "api", body: "line \(index)")
    }
    let lake = try await TestLake()
    try await lake.append(rows, rowGroupRows: 10)
    let engine = lake.engine()
    let request = LogQueryRequest(
      tenant: TenantID("a")!, query: #"{service_name="api"} |= "line""#,
      span: .range(
        start: Timestamp(nanoseconds: UInt64(RandomCorpus.start)),
        end: Timestamp(nanoseconds: UInt64(RandomCorpus.start) + 1000), step: .seconds(1), interval: .zero))
    let first = try await engine.query(request).statistics
    let second = try await engine.query(request).statistics
    #expect(second.cacheHits > 0)
    #expect(second.bytesProcessed == first.bytesProcessed)
    #expect(first.lineBytesProcessed == 690)
    #expect(second.bytesProcessed > second.lineBytesProcessed)
  }
}
