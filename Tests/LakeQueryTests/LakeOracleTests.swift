import LakeModel
import LakeParquet
import LakeSchema
import LakeWAL
import Testing

@testable import LakeQuery

/// The same comparison as `EngineOracleTests`, through Parquet files, an Iceberg table and the WAL.
@Suite("Queries over files and the WAL agree with a slow evaluator")
struct LakeOracleTests {
  /// Rows spread over data files and segments; some requests repeated in another lane.
  static func lake(_ rows: [TestRow], _ random: inout Seeded) async throws -> TestLake {
    let lake = try await TestLake(seed: random.next())
    var options = ParquetWriterOptions()
    options.pageRows = random.pick([7, 20_000])
    options.pageBytes = random.pick([64, 1 << 20])
    let cut = random.below(rows.count + 1)
    var at = 0
    while at < cut {
      let end = min(cut, at + 1 + random.below(cut))
      try await lake.append(
        Array(rows[at..<end]), rowGroupRows: random.pick([3, 17, 1000]), options: options)
      at = end
    }
    // A request is of one tenant.
    var requests: [(rows: [TestRow], fingerprint: Fingerprint?)] = []
    for tenant in ["a", "b"] {
      let mine = rows[cut...].filter { $0.tenant == tenant }
      var at = 0
      while at < mine.count {
        let end = min(mine.count, at + 1 + random.below(20))
        requests.append(
          (Array(mine[at..<end]), random.chance(80) ? Fingerprint(high: random.next(), low: random.next()) : nil))
        at = end
      }
    }
    requests.shuffle(using: &random)
    var segments: [[(rows: [TestRow], fingerprint: Fingerprint?)]] = []
    for request in requests {
      if segments.isEmpty || random.chance(50) { segments.append([]) }
      segments[segments.count - 1].append(request)
    }
    if !segments.isEmpty { try await lake.ingest(segments) }
    let repeated = requests.filter { $0.fingerprint != nil && random.chance(30) }
    if !repeated.isEmpty { try await lake.ingest([repeated]) }
    return lake
  }

  @Test("log and metric queries see every row once", arguments: 1...10)
  func agrees(seed: Int) async throws {
    var corpus = RandomCorpus(UInt64(seed) + 5000)
    let rows = corpus.rows(20 + corpus.random.below(150))
    let lake = try await LakeOracleTests.lake(rows, &corpus.random)
    let mine = rows.filter { $0.tenant == "a" }
    var settings = QuerySettings()
    settings.parallelism = corpus.random.pick([1, 2, 4])
    settings.cacheBytesMax = corpus.random.pick([0, 20_000, 1 << 30])
    let engine = TestEngine(engine: lake.engine(settings))
    for _ in 0..<6 {
      let logs = corpus.logs()
      let start = RandomCorpus.start + Int64(corpus.random.below(100)) * 1_000_000_000
      let end = start + Int64(corpus.random.below(600)) * 1_000_000_000
      let streams = try await engine.logs(logs.text, start: start, end: end, limit: 1000)
      let expected = logs.run(mine, start: start, end: end, limit: 1000, isBackward: true)
      let found = streams.merged(isBackward: true).map {
        "\($0.time) \($0.labels.sorted { $0.key < $1.key }) \($0.line)"
      }
      let wanted = expected.map { "\($0.time) \($0.labels.sorted { $0.key < $1.key }) \($0.body ?? "")" }
      #expect(found.sorted() == wanted.sorted(), "\(logs.text)")

      let metric = corpus.metric()
      let time = RandomCorpus.start + Int64(corpus.random.below(700)) * 1_000_000_000
      let samples = try await engine.vector(metric.text, at: time)
      let sums = metric.run(mine, at: time)
      #expect(Set(samples.map(\.labels.dictionary)) == Set(sums.keys), "\(metric.text)")
      for sample in samples {
        #expect(isClose(sample.value, sums[sample.labels.dictionary] ?? .nan), "\(metric.text)")
      }
    }
  }
}
