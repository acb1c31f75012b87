import LakeModel
import LakePorts
import LakeSchema
import Synchronization
import Testing

@testable import LakeQuery

/// Queries made to use up memory end with an error that names the limit; what they held is given back.
@Suite("What a query may use")
struct MemoryBoundTests {
  private static let start = RandomCorpus.start

  private static let rows = (0..<6000).map { index in
    var row = TestRow(time: start + Int64(index) * 1_000_000_000, service: "api", severity: "INFO")
    row.body = #"{"order":"o-\#(index)","took":\#(index % 97)}"#
    row.record = [("user", "u\(index)"), ("took", "\(index % 89)")]
    return row
  }

  private static func engine(memoryMax: Int, _ change: (inout QuerySettings) -> Void = { _ in }) -> TestEngine {
    var settings = QuerySettings()
    settings.memoryMax = memoryMax
    settings.seriesMax = 1_000_000
    change(&settings)
    let batches = stride(from: 0, to: rows.count, by: 1500).map { Array(rows[$0..<$0 + 1500]).batch() }
    return TestEngine(MemorySource(batches), settings: settings)
  }

  private static func isExceeded(_ body: () async throws -> Void) async -> Bool {
    do {
      try await body()
      return false
    } catch QueryError.memoryExceeded(let message) {
      return message.hasPrefix("the query would hold too many bytes in memory (limit: ")
    } catch {
      return false
    }
  }

  private static let instant = [
    #"sum by (user) (count_over_time({service_name="api"} [2h]))"#, #"count_over_time({service_name="api"} [2h])"#,
    #"sum by (order) (count_over_time({service_name="api"} | json [2h]))"#,
    #"count_over_time({service_name="api"} | json [2h])"#,
    #"topk(3, sum by (user) (count_over_time({service_name="api"} [2h])))"#,
    #"sort_desc(sum by (user) (rate({service_name="api"} [2h])))"#,
    #"quantile_over_time(0.9, {service_name="api"} | unwrap took [2h]) by (user)"#,
    #"max_over_time({service_name="api"} | json | unwrap took_extracted [2h]) by (order)"#,
    #"sum by (user) (count_over_time({service_name="api"} [2h])) / on (user) sum by (user) (count_over_time({service_name="api"} [2h]))"#,
    #"count(count_over_time({service_name="api"} | json [2h]))"#,
  ]

  @Test("many series of an instant query", arguments: instant)
  func series(query: String) async throws {
    let time = Self.start + 6_500_000_000_000
    #expect(try await !Self.engine(memoryMax: 1 << 30).vector(query, at: time).isEmpty)
    #expect(await Self.isExceeded { _ = try await Self.engine(memoryMax: 300_000).vector(query, at: time) })
  }

  @Test("few series with many overlapping windows")
  func windows() async throws {
    let query = #"sum by (user) (count_over_time({service_name="api"} | took = "7" [2h]))"#
    func run(_ memoryMax: Int) async throws -> [SampleSeries] {
      try await Self.engine(memoryMax: memoryMax).matrix(
        query, start: Self.start, end: Self.start + 7_000_000_000_000, step: .seconds(1))
    }
    #expect(try await run(1 << 30).count == 68)
    #expect(await Self.isExceeded { _ = try await run(4 << 20) })
  }

  @Test("long lines of a log query, stored and made")
  func lines() async throws {
    let long = (0..<300).map { index in
      TestRow(
        time: Self.start + Int64(index) * 1_000_000_000, service: "api",
        body: String(repeating: "x\(index) ", count: 20_000))
    }
    for query in [
      #"{service_name="api"}"#, #"{service_name="api"} | json"#,
      #"{service_name="api"} | line_format "{{ __line__ }}{{ __line__ }}""#,
    ] {
      func run(_ memoryMax: Int) async throws -> Int {
        var settings = QuerySettings()
        settings.memoryMax = memoryMax
        let engine = TestEngine(MemorySource([long.batch()]), settings: settings)
        return try await engine.logs(query, start: Self.start, end: Self.start + 1_000_000_000_000, limit: 5000)
          .reduce(0) { $0 + $1.count }
      }
      #expect(try await run(1 << 30) == 300)
      #expect(await Self.isExceeded { _ = try await run(20 << 20) })
    }
  }

  @Test("values and streams")
  func labels() async throws {
    let request = LabelsRequest(
      tenant: TenantID("a")!, start: Timestamp(nanoseconds: UInt64(Self.start)),
      end: Timestamp(nanoseconds: UInt64(Self.start + 7_000_000_000_000)))
    #expect(try await Self.engine(memoryMax: 1 << 30).engine.labelValues("user", request).count == 6000)
    #expect(await Self.isExceeded { _ = try await Self.engine(memoryMax: 100_000).engine.labelValues("user", request) })
  }

  @Test("limits of series, entries and points are Loki's words")
  func limits() async throws {
    let time = Self.start + 6_500_000_000_000
    let few = Self.engine(memoryMax: 1 << 30) { $0.seriesMax = 5000 }
    await #expect(
      throws: QueryError.limitExceeded(
        "maximum number of series (5000) reached for a single query; consider reducing query cardinality by adding more specific stream "
          + "selectors, reducing the time range, or aggregating results with functions like sum(), count() or topk()")
    ) { try await few.vector(#"sum by (user) (count_over_time({service_name="api"} [2h]))"#, at: time) }
    // A range aggregation that is the answer itself is refused while it is counted, the same inside another is not.
    await #expect(throws: QueryError.manySeries(limit: 5000)) {
      try await few.vector(#"count_over_time({service_name="api"} [2h])"#, at: time)
    }
    #expect(try await few.vector(#"count(count_over_time({service_name="api"} [2h]))"#, at: time).count == 1)
    #expect(
      try await few.vector(#"topk(5, sum by (user) (count_over_time({service_name="api"} [2h])))"#, at: time).count == 5
    )
    await #expect(
      throws: QueryError.limitExceeded(
        "max entries limit per query exceeded, limit > max_entries_limit_per_query (5001 > 5000)")
    ) { try await few.logs(#"{service_name="api"}"#, start: Self.start, end: time, limit: 5001) }
    let entries = try await few.logs(#"{service_name="api"}"#, start: Self.start, end: time, limit: 0)
    #expect(entries.reduce(0) { $0 + $1.count } == 100)
  }

  @Test("as many series as one pane may have do not gather in a few places of its table")
  func homes() {
    for pane in [UInt64(0), 1, 40] {
      let homes = Set((0..<100_000).map { PaneTable<TotalState>.home($0 << 32 | pane, (1 << 18) - 1) })
      #expect(homes.count > 60_000)
    }
  }

  @Test("what one thing held is given back when it goes")
  func accounts() throws {
    let random = TestRandom(1)
    let ports = Ports(
      clock: TestClock(), wall: TestWall(), random: random, store: MemoryObjectStore(),
      catalog: MemoryCatalog(warehouse: WarehouseLocation(trusted: "memory://lake"), random: random, wall: TestWall()))
    let context = QueryContext(ports, QuerySettings())
    do {
      let held = HeldMemory(context)
      try held.set(1000)
      try held.set(400)
      #expect(context.heldBytes == 400)
    }
    #expect(context.heldBytes == 0)
  }

  @Test("a query whose client has gone works on no further block", arguments: [1, 2])
  func cancellation(parallelism: Int) async throws {
    let source = LeavingSource(batch: Array(Self.rows[..<100]).batch())
    var settings = QuerySettings()
    settings.parallelism = parallelism
    let engine = TestEngine(source, settings: settings)
    for query in [
      #"count_over_time({service_name="api"} |= "o" [2h])"#,
      #"sum by (order) (count_over_time({service_name="api"} | json [2h]))"#,
    ] {
      source.visited.store(0, ordering: .relaxed)
      let running = Task { try await engine.vector(query, at: Self.start + 6_500_000_000_000) }
      source.client.withLock { $0 = running }
      await #expect(throws: QueryError.cancelled) { try await running.value }
      #expect(source.visited.load(ordering: .relaxed) <= 3 + parallelism)
    }
  }
}

/// A thousand blocks; when the third is looked at, the client leaves.
private final class LeavingSource: LogSource {
  let visited = Atomic<Int>(0)
  let client = Mutex<Task<[VectorSample], any Error>?>(nil)
  let batch: ColumnBatch

  init(batch: ColumnBatch) { self.batch = batch }

  func open(tenant: TenantID, range: TimeRange, context: QueryContext) throws(QueryError) -> any LogView {
    View(source: self)
  }

  struct View: LogView {
    let source: LeavingSource
    var warnings: [String] { [] }

    func blocks(_ conditions: [LabelCondition], in range: TimeRange) throws(QueryError) -> [any LogBlock] {
      var columns: [LogField: Column] = [:]
      for field in LogField.allCases { columns[field] = source.batch.column(field.rawValue) }
      let block = MemoryLogBlock(columns: columns, rowCount: source.batch.count)
      return (0..<1000).map { _ in Block(inner: block, source: source) }
    }
  }

  struct Block: LogBlock {
    let inner: MemoryLogBlock
    let source: LeavingSource
    var rowCount: Int { inner.rowCount }
    var timeBounds: ClosedRange<Int64>? { nil }
    func bounds(_ field: LogField) -> ColumnBounds? { nil }
    func lineBytes() -> Int? { nil }
    func column(_ field: LogField) -> Column? { inner.column(field) }
    func vector(_ field: LogField) throws(QueryError) -> LabelVector? { try inner.vector(field) }
    func attributes() throws(QueryError) -> AttributeIndex? { try inner.attributes() }
    func visibleRows() async -> RowSelection {
      if source.visited.add(1, ordering: .relaxed).newValue >= 3 {
        while true {
          if let client = source.client.withLock({ $0 }) {
            client.cancel()
            break
          }
          await Task.yield()
        }
      }
      return inner.visibleRows()
    }
    func forEachBodyPiece(
      holding rows: RowSelection, _ body: (BodyPiece) throws(QueryError) -> Void
    ) throws(QueryError) {
      try inner.forEachBodyPiece(holding: rows, body)
    }
  }
}
