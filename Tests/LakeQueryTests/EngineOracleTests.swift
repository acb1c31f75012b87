import LakeModel
import LakePorts
import LakeSchema
import Testing

@testable import LakeQuery

/// Runs the engine over rows in memory.
struct TestEngine {
  let engine: LogQueryEngine

  init(engine: LogQueryEngine) { self.engine = engine }

  init(_ source: any LogSource, settings: QuerySettings = QuerySettings()) {
    let random = TestRandom(1)
    let ports = Ports(
      clock: TestClock(), wall: TestWall(), random: random, store: MemoryObjectStore(),
      catalog: MemoryCatalog(warehouse: WarehouseLocation(trusted: "memory://lake"), random: random, wall: TestWall()))
    engine = LogQueryEngine(ports: ports, settings: settings, source: source)
  }

  func logs(
    _ query: String, tenant: String = "a", start: Int64, end: Int64, limit: Int = 100, isBackward: Bool = true
  ) async throws -> [LogStream] {
    let request = LogQueryRequest(
      tenant: TenantID(tenant)!, query: query,
      span: .range(
        start: Timestamp(nanoseconds: UInt64(start)), end: Timestamp(nanoseconds: UInt64(end)), step: .seconds(1),
        interval: .zero),
      direction: isBackward ? .backward : .forward, limit: limit)
    guard case .streams(let streams) = try await engine.query(request).data else { return [] }
    return streams
  }

  func matrix(_ query: String, start: Int64, end: Int64, step: Duration) async throws -> [SampleSeries] {
    let request = LogQueryRequest(
      tenant: TenantID("a")!, query: query,
      span: .range(
        start: Timestamp(nanoseconds: UInt64(start)), end: Timestamp(nanoseconds: UInt64(end)), step: step,
        interval: .zero))
    guard case .matrix(let series) = try await engine.query(request).data else { return [] }
    return series
  }

  func vector(_ query: String, at time: Int64) async throws -> [VectorSample] {
    let request = LogQueryRequest(
      tenant: TenantID("a")!, query: query, span: .instant(at: Timestamp(nanoseconds: UInt64(time))))
    guard case .vector(let samples) = try await engine.query(request).data else { return [] }
    return samples
  }
}

extension LabelSet {
  var dictionary: [String: String] { Dictionary(uniqueKeysWithValues: pairs.map { ($0.name, $0.value) }) }
}

extension [LogStream] {
  /// Entries of all streams in one list, in the direction of the query.
  func merged(isBackward: Bool) -> [(time: Int64, labels: [String: String], line: String)] {
    flatMap { stream in
      stream.times.indices.map { index in
        (
          Int64(stream.times[index]), stream.labels.dictionary,
          String(decoding: BytesView(stream.lines)![index], as: UTF8.self)
        )
      }
    }.sorted { isBackward ? $0.0 > $1.0 : $0.0 < $1.0 }
  }
}

func isClose(_ a: Double, _ b: Double) -> Bool { a == b || abs(a - b) <= 1e-9 * max(abs(a), abs(b)) }

/// Rows cut into blocks of random sizes, some in order of storage, some laid out without dictionaries.
func randomBatches(_ rows: [TestRow], _ random: inout Seeded) -> [ColumnBatch] {
  var batches: [ColumnBatch] = []
  var at = 0
  while at < rows.count {
    let end = min(rows.count, at + 1 + random.below(random.chance(50) ? 5 : 80))
    let form = BatchForm(usesDictionaries: random.chance(70), hasShape: true)
    batches.append(Array(rows[at..<end]).batch(form))
    at = end
  }
  return batches
}

@Suite("The engine agrees with a slow evaluator")
struct EngineOracleTests {
  @Test("log queries give the same lines in the same order", arguments: 1...16)
  func logQueries(seed: Int) async throws {
    var corpus = RandomCorpus(UInt64(seed))
    let rows = corpus.rows(20 + corpus.random.below(200))
    let engine = TestEngine(MemorySource(randomBatches(rows, &corpus.random)))
    let mine = rows.filter { $0.tenant == "a" }
    for _ in 0..<12 {
      let query = corpus.logs()
      let start = RandomCorpus.start + Int64(corpus.random.below(100)) * 1_000_000_000
      let end = start + Int64(corpus.random.below(600)) * 1_000_000_000
      let limit = corpus.random.pick([1, 3, 10, 1000])
      let isBackward = corpus.random.chance(60)
      let streams = try await engine.logs(query.text, start: start, end: end, limit: limit, isBackward: isBackward)
      let expected = query.run(mine, start: start, end: end, limit: limit, isBackward: isBackward)
      let found = streams.merged(isBackward: isBackward)
      #expect(found.count == expected.count, "\(query.text)")
      #expect(found.map(\.time) == expected.map(\.time), "\(query.text)")
      for (labels, members) in Dictionary(grouping: expected, by: \.labels) {
        let stream = streams.first { $0.labels.dictionary == labels }
        let lines = stream.map { one in
          (0..<one.count).map { String(decoding: BytesView(one.lines)![$0], as: UTF8.self) }
        }
        #expect(lines == members.map { $0.body ?? "" }, "\(query.text) \(labels)")
      }
    }
  }

  @Test("range queries give the same samples", arguments: 1...24)
  func rangeQueries(seed: Int) async throws {
    var corpus = RandomCorpus(UInt64(seed) + 1000)
    let rows = corpus.rows(20 + corpus.random.below(150))
    let engine = TestEngine(MemorySource(randomBatches(rows, &corpus.random)))
    let mine = rows.filter { $0.tenant == "a" }
    for _ in 0..<10 {
      let query = corpus.metric()
      let start = RandomCorpus.start + Int64(corpus.random.below(300)) * 1_000_000_000
      let step = corpus.random.pick([1, 5, 7, 30, 60, 400])
      let count = 1 + corpus.random.below(30)
      let end = start + Int64(step * (count - 1)) * 1_000_000_000
      let series = try await engine.matrix(query.text, start: start, end: end, step: .seconds(step))
      var found: [Int64: [[String: String]: Double]] = [:]
      for one in series {
        for (time, value) in zip(one.times, one.values) {
          found[Int64(time.nanoseconds), default: [:]][one.labels.dictionary] = value
        }
      }
      for index in 0..<count {
        let time = start + Int64(index * step) * 1_000_000_000
        let expected = query.run(mine, at: time)
        let actual = found.removeValue(forKey: time) ?? [:]
        #expect(Set(actual.keys) == Set(expected.keys), "\(query.text) at step \(index) of \(step)s")
        for (labels, value) in expected {
          #expect(isClose(actual[labels] ?? .nan, value), "\(query.text) \(labels) at step \(index)")
        }
      }
      #expect(found.isEmpty)
    }
  }

  @Test("instant queries give the same samples", arguments: 1...8)
  func instantQueries(seed: Int) async throws {
    var corpus = RandomCorpus(UInt64(seed) + 2000)
    let rows = corpus.rows(20 + corpus.random.below(150))
    let engine = TestEngine(MemorySource(randomBatches(rows, &corpus.random)))
    let mine = rows.filter { $0.tenant == "a" }
    for _ in 0..<10 {
      let query = corpus.metric()
      let time = RandomCorpus.start + Int64(corpus.random.below(700)) * 1_000_000_000
      let samples = try await engine.vector(query.text, at: time)
      let expected = query.run(mine, at: time)
      #expect(Set(samples.map(\.labels.dictionary)) == Set(expected.keys), "\(query.text)")
      for sample in samples {
        #expect(isClose(sample.value, expected[sample.labels.dictionary] ?? .nan), "\(query.text)")
      }
    }
  }

  @Test("topk takes the largest samples")
  func topK() async throws {
    var corpus = RandomCorpus(7)
    let rows = corpus.rows(300)
    let engine = TestEngine(MemorySource(randomBatches(rows, &corpus.random)))
    let inner = OracleMetric.aggregate(
      operation: "sum", parameter: 0, .by(["env", "pod"]),
      .range(
        operation: "count_over_time",
        OracleLogs(matchers: [OracleMatcher(name: "service_name", operation: .matches, value: ".+")], stages: []),
        seconds: 900, offset: 0))
    let query = OracleMetric.aggregate(operation: "topk", parameter: 3, .by(["env"]), inner)
    let time = RandomCorpus.start + RandomCorpus.span
    let samples = try await engine.vector(query.text, at: time)
    let expected = query.run(rows.filter { $0.tenant == "a" }, at: time)
    #expect(samples.map(\.value).sorted() == expected.values.sorted())
    #expect(samples.count > 5)
  }
}
