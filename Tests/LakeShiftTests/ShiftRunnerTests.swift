import LakeIceberg
import LakeIngest
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeShift
import LakeWAL
import PortContracts
import Synchronization
import Testing

@Suite struct ShiftRunnerTests {
  private var settings: ShiftSettings {
    var settings = ShiftSettings()
    settings.queue.flushDelayMax = .milliseconds(10)
    // These run on a real clock, beside simulations that keep every core busy.
    settings.queue.ackDelayMax = .seconds(600)
    return settings
  }

  private func request(_ number: Int, tenant: String = "a", rows: Int = 3, day: Int64 = 0) -> IngestRequest {
    let rows = (0..<rows).map {
      LogRows.Row("svc\($0 % 2)", LogRows.dayStart + day * 86_400_000_000 + Int64($0), "\(number)/\($0)")
    }
    return IngestRequest(
      topic: .logs, rows: LogRows.batch(rows, tenant: tenant),
      identity: RequestIdentity(fingerprint: Fingerprint(high: 0, low: UInt64(number))))
  }

  private func ingest(_ lake: MemoryLake, _ requests: [IngestRequest]) async throws {
    let ingestor = Ingestor(ports: lake.ports, settings: settings.queue)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await ingestor.run() }
      for request in requests { _ = try await ingestor.ingest(request) }
      await ingestor.drain()
      try await group.waitForAll()
    }
  }

  /// Bodies of every row of a table's current snapshot, with their tenants.
  private func committed(_ lake: MemoryLake, _ table: LakeTable = .logs) async throws -> [String] {
    var found: [String] = []
    for file in try await files(lake, table) {
      let bytes = try await lake.ports.store.get(try lake.ports.warehouse.key(of: file.path)).bytes
      let parquet = try ParquetFile(bytes)
      let projection = try parquet.projection(to: table.schema)
      for group in parquet.rowGroups {
        let rows = try parquet.readRowGroup(group.index, projection: projection, file: bytes)
        let tenants = rows.column("tenant_id")!
        found += LogRows.rows(rows).enumerated().map { "\(tenants.text($0)!):\($1.body)" }
      }
    }
    return found.sorted()
  }

  private func files(_ lake: MemoryLake, _ table: LakeTable = .logs) async throws -> [DataFile] {
    let planner = try ScanPlanner(table: try await lake.metadata(table), metricsOf: .all)
    guard let list = planner.manifestListLocation else { return [] }
    func bytes(_ location: String) async throws -> Bytes {
      try await lake.ports.store.get(try lake.ports.warehouse.key(of: location)).bytes
    }
    var files: [DataFile] = []
    for manifest in try planner.select(ManifestList.decode(try await bytes(list))) {
      files += try planner.files(of: manifest, bytes: try await bytes(manifest.path)).map(\.file)
    }
    return files
  }

  private func tail(_ lake: MemoryLake, tenant: String = "a") async throws -> [String] {
    let reader = WALReader(ports: lake.ports, settings: settings.queue, table: .logs, topic: .logs, cache: WALCache())
    var bodies: [String] = []
    for group in try await reader.tail(WALScope(tenant: TenantID(tenant)!)).rowGroups {
      bodies += LogRows.rows(try await reader.rows(group, columns: LakeTable.logs.schema)).map {
        "\(tenant):\($0.body)"
      }
    }
    return bodies.sorted()
  }

  private func runner(_ lake: MemoryLake, consumers: [LakeTable] = [.logs]) -> ShiftRunner {
    ShiftRunner(ports: lake.ports, settings: settings, table: .logs, consumers: consumers)
  }

  @Test("acknowledged rows go from the queue into the table, once, and the segments go")
  func happy() async throws {
    let lake = try await MemoryLake()
    try await ingest(lake, [request(1), request(2, tenant: "b"), request(3, day: 1)])
    #expect(try await committed(lake) == [])
    #expect(try await tail(lake) == ["a:1/0", "a:1/1", "a:1/2", "a:3/0", "a:3/1", "a:3/2"])
    try await runner(lake).flush()
    let all = ["a:1/0", "a:1/1", "a:1/2", "a:3/0", "a:3/1", "a:3/2", "b:2/0", "b:2/1", "b:2/2"]
    #expect(try await committed(lake) == all)
    #expect(try await tail(lake) == [])
    let state = try QueueState(of: try await lake.metadata(.logs))
    #expect(state.generation == 1)
    #expect(state.lanes.values.allSatisfy { $0.hasEnded })
    #expect(state.fingerprints.map(\.requestCount) == [3])
    // Opening and tombstone stay for a while (DEL-1), segments do not.
    #expect(try await lake.ports.store.listAll(prefix: "queue/logs/").allSatisfy { $0.size == 0 || $0.size == 16 })
    // Nothing more to do: no new snapshot.
    try await runner(lake).flush()
    #expect(try await lake.metadata(.logs).snapshots.count == 1)
  }

  @Test("the page of metrics tells of the table as the last commit left it, not as the next shift will find it")
  func gauges() async throws {
    let lake = try await MemoryLake()
    try await ingest(lake, [request(1), request(2)])
    try await runner(lake).flush()
    let label = [("table", "logs")]
    func gauge(_ name: String) -> Double { lake.ports.metrics.gauge(name, help: "", labels: label).value }
    #expect(gauge("icegate_table_snapshots") == 1)
    #expect(gauge("icegate_wal_files") == 0)
    #expect(gauge("icegate_wal_bytes") == 0)
    #expect(gauge("icegate_shift_lag_seconds") == 0)
  }

  @Test("small manifests are put together by the commit that finds many, and every row stays")
  func mergedManifests() async throws {
    let lake = try await MemoryLake()
    _ = try await lake.ports.catalog.commit(
      TableIdentifier(.logs), requirements: [],
      updates: [.setProperties(["commit.manifest.min-count-to-merge": "3"])])
    var counts: [Int] = []
    for number in 1...6 {
      try await ingest(lake, [request(number)])
      try await runner(lake).flush()
      let list = try #require(try await lake.metadata(.logs).currentSnapshot).manifestList
      counts.append(
        try ManifestList.decode(try await lake.ports.store.get(try lake.ports.warehouse.key(of: list)).bytes).count)
    }
    #expect(counts == [1, 2, 3, 2, 3, 2])
    #expect(try await committed(lake) == (1...6).flatMap { number in (0..<3).map { "a:\(number)/\($0)" } })
    #expect(try QueueState(of: try await lake.metadata(.logs)).generation == 6)
  }

  @Test("data files say what they hold: partition, counts, bounds, order")
  func fileMetadata() async throws {
    let lake = try await MemoryLake()
    try await ingest(lake, [request(1), request(2, tenant: "b"), request(3, day: 1)])
    try await runner(lake).flush()
    let files = try await files(lake).sorted { $0.path < $1.path }
    #expect(
      files.map(\.partition) == [
        [.string("a"), nil, .int(Int32(LogRows.day))], [.string("a"), nil, .int(Int32(LogRows.day + 1))],
        [.string("b"), nil, .int(Int32(LogRows.day))],
      ])
    #expect(files.map(\.recordCount) == [3, 3, 3])
    #expect(
      files[0].path.hasPrefix("memory://lake/icegate/logs/data/tenant_id=a/account_id=null/timestamp_day=2026-01-01/"))
    #expect(files[0].sortOrderID == 1)
    let metrics = files[0].metrics
    #expect(metrics.lowerBounds[3] == Array("svc0".utf8))
    #expect(metrics.upperBounds[3] == Array("svc1".utf8))
    #expect(metrics.lowerBounds[4] == Datum.long(LogRows.dayStart).singleValue)
    #expect(metrics.upperBounds[4] == Datum.long(LogRows.dayStart + 2).singleValue)
    #expect(metrics.nullCounts[2] == 3)
    #expect(metrics.nullCounts[1] == 0)
    #expect(files[0].splitOffsets == [4])
  }

  @Test("a repeat on another replica is dropped by the reader, then by the shift")
  func repeats() async throws {
    let lake = try await MemoryLake()
    try await ingest(lake, [request(1, rows: 1)])
    try await ingest(lake, [request(1, rows: 1), request(2, rows: 1)])
    #expect(try await tail(lake) == ["a:1/0", "a:2/0"])
    try await runner(lake).flush()
    #expect(try await committed(lake) == ["a:1/0", "a:2/0"])
    // And once more, long after the first copy was committed.
    try await ingest(lake, [request(1, rows: 1), request(3, rows: 1)])
    #expect(try await tail(lake) == ["a:3/0"])
    try await runner(lake).flush()
    #expect(try await committed(lake) == ["a:1/0", "a:2/0", "a:3/0"])
  }

  @Test("two shifts at once bring every row once")
  func race() async throws {
    let lake = try await MemoryLake()
    try await ingest(lake, (1...8).map { request($0, rows: 2) })
    let runners = (0..<4).map { _ in runner(lake) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for runner in runners { group.addTask { try await runner.flush() } }
      try await group.waitForAll()
    }
    #expect(try await committed(lake) == (1...8).flatMap { ["a:\($0)/0", "a:\($0)/1"] }.sorted())
    #expect(try QueueState(of: try await lake.metadata(.logs)).generation == 1)
  }

  @Test("of two runners in the background one works and the other stands by")
  func standsBy() async throws {
    let lake = try await MemoryLake()
    var quick = settings
    quick.interval = .milliseconds(20)
    let runners = (0..<2).map { _ in ShiftRunner(ports: lake.ports, settings: quick, table: .logs, consumers: [.logs]) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for runner in runners { group.addTask { await runner.run() } }
      for number in 1...6 {
        try await ingest(lake, [request(number, rows: 1)])
        while try await committed(lake).count < number { try await lake.ports.clock.sleep(for: .milliseconds(5)) }
      }
      group.cancelAll()
    }
    #expect(try await committed(lake).count == 6)
    var rows = 0
    for runner in runners { rows += await runner.counters.rows }
    #expect(rows == 6)
  }

  @Test("a second table keeps its own state, and segments stay until both are past them")
  func secondConsumer() async throws {
    let lake = try await MemoryLake()
    try await ingest(lake, [request(1)])
    let both: [LakeTable] = [.logs, .events]
    let logs = ShiftRunner(ports: lake.ports, settings: settings, table: .logs, consumers: both)
    let events = ShiftRunner(
      ports: lake.ports, settings: settings, table: .events, derivation: FirstBodyOnly(), consumers: both)
    try await logs.flush()
    #expect(try await lake.ports.store.listAll(prefix: "queue/logs/").contains { $0.size > 16 })
    try await events.flush()
    #expect(try await lake.ports.store.listAll(prefix: "queue/logs/").allSatisfy { $0.size <= 16 })
    let rows = try await lake.metadata(.events).currentSnapshot?.summary["added-records"]
    #expect(rows == "1")
    #expect(try QueueState(of: try await lake.metadata(.events)).fingerprints.count == 1)
  }

  /// Takes the rows whose body ends in "/0" as events.
  private struct FirstBodyOnly: RowDerivation {
    func source(for table: Schema) -> Schema { LakeTable.logs.schema }
    func derive(_ rows: ColumnBatch, table: Schema) throws -> ColumnBatch {
      let wanted = LogRows.rows(rows).enumerated().filter { $1.body.hasSuffix("/0") }.map { Int32($0.offset) }
      let kept = rows.gather(Buffer(wanted))
      let columns = table.fields.map { field -> Column in
        if let column = kept.column(field.name), field.name != "event_name" { return column }
        switch field.name {
        case "event_name", "event_domain": return kept.column("body")!
        default:
          let absent = Buffer<UInt8>(repeating: 0, count: kept.count)
          return field.type == .int
            ? Column(.int32(Buffer(repeating: 0, count: kept.count)), count: kept.count, validity: absent)
            : Column(
              .bytes(offsets: Buffer(repeating: 0, count: kept.count + 1), data: Buffer([])), count: kept.count,
              validity: absent)
        }
      }
      return ColumnBatch(schema: table, columns: columns, count: kept.count)
    }
  }

  // MARK: damage

  /// Flips a bit at a position of an object, as often as told.
  private func damage(_ lake: MemoryLake, key suffix: String, at position: Int, times: Int) {
    let left = Countdown(times)
    lake.store.play { operation, key in
      guard operation == .get, key.hasSuffix(suffix), left.take() else { return nil }
      return .alter { bytes in
        var altered = bytes.array
        if position < altered.count { altered[position] ^= 1 }
        return Bytes(altered)
      }
    }
  }

  private final class Countdown: Sendable {
    private let left: Mutex<Int>
    init(_ count: Int) { left = Mutex(count) }
    func take() -> Bool {
      left.withLock { left in
        left -= 1
        return left >= 0
      }
    }
  }

  /// Three requests of tenants a and b in one segment: a's rows lie in the first row group, b's in the second.
  private func damaged(at position: Int, times: Int, reading suffix: String = "0001.parquet") async throws -> MemoryLake
  {
    let lake = try await MemoryLake()
    let requests = [request(1, rows: 2), request(2, tenant: "b", rows: 2), request(3, rows: 2)]
    let segment = try SegmentEncoder.encode(
      requests.map { SegmentRequest(batch: $0.rows, fingerprint: $0.identity.fingerprint) }, topic: .logs,
      contentID: ContentID(high: 1, low: 1), settings: settings.queue)
    let lane = LaneID(high: 0, low: 1)
    let layout = QueueLayout(settings.queue)
    for (sequence, bytes) in [LaneMark.opening, segment.bytes, LaneMark.tombstone].enumerated() {
      let key = layout.key(.logs, SegmentID(lane: lane, sequence: sequence))
      _ = try await lake.ports.store.put(key, bytes, condition: .ifAbsent)
    }
    damage(lake, key: suffix, at: position, times: times)
    return lake
  }

  private static let everyTime = 1_000_000

  @Test("bytes that are damaged once are read again")
  func damagedOnce() async throws {
    for position in [10, 100_000] {
      let lake = try await damaged(at: position, times: 1)
      try await runner(lake).flush()
      #expect(try await committed(lake).count == 6)
      #expect(try QueueState(of: try await lake.metadata(.logs)).quarantine == [])
    }
  }

  @Test("a row group that stays damaged goes into quarantine with its requests; the others are shifted")
  func damagedRowGroup() async throws {
    let lake = try await damaged(at: 60, times: Self.everyTime)
    let runner = runner(lake)
    try await runner.flush()
    #expect(try await committed(lake) == ["b:2/0", "b:2/1"])
    let state = try QueueState(of: try await lake.metadata(.logs))
    #expect(state.quarantine.map(\.segment.sequence) == [1])
    guard case .unreadableRowGroups(let groups, _) = state.quarantine[0].reason else {
      Issue.record("not a row group")
      return
    }
    #expect(groups.map { "\($0.index) \($0.key.tenant)" } == ["0 a"])
    #expect(state.lanes.values.allSatisfy { $0.hasEnded })
    // The object is kept, and readers of that tenant are told.
    lake.store.play(nil)
    #expect(try await lake.keys(prefix: "queue/logs/").contains { $0.hasSuffix("0001.parquet") })
    let reader = WALReader(ports: lake.ports, settings: settings.queue, table: .logs, topic: .logs, cache: WALCache())
    #expect(try await reader.tail(WALScope(tenant: TenantID("a")!)).warnings.count == 1)
    #expect(try await reader.tail(WALScope(tenant: TenantID("b")!)).warnings == [])
    // A repeat of what was left out is a new request.
    try await ingest(lake, [request(1, rows: 2)])
    try await runner.flush()
    #expect(try await committed(lake) == ["a:1/0", "a:1/1", "b:2/0", "b:2/1"])
  }

  @Test("a segment whose footer stays damaged goes into quarantine whole")
  func damagedFooter() async throws {
    let lake = try await damaged(at: 0, times: Self.everyTime)
    lake.store.play { operation, key in
      operation == .get && key.hasSuffix("0001.parquet") ? .alter { $0[0..<$0.count - 1] } : nil
    }
    try await runner(lake).flush()
    #expect(try await committed(lake) == [])
    let state = try QueueState(of: try await lake.metadata(.logs))
    guard case .unreadable? = state.quarantine.first?.reason else {
      Issue.record("not unreadable")
      return
    }
  }

  @Test("a segment that cannot be fetched stops its lane, and says so when flushed; the others are shifted")
  func unreadable() async throws {
    let lake = try await damaged(at: 0, times: 0)
    try await ingest(lake, [request(9, rows: 1)])
    lake.store.play { operation, key in
      operation == .get && key.contains("/00000000000000000000000000000001/0") ? .refuse(.denied("no")) : nil
    }
    await #expect(throws: ShiftError.self) { try await runner(lake).flush() }
    #expect(try await committed(lake) == ["a:9/0"])
    lake.store.play(nil)
    try await runner(lake).flush()
    #expect(try await committed(lake).count == 7)
  }

  @Test("a hole below a standing segment is damage")
  func hole() async throws {
    let lake = try await MemoryLake()
    try await ingest(lake, [request(1, rows: 1)])
    let second = try await lake.keys(prefix: "queue/logs/")[1]
    let bytes = try await lake.ports.store.get(ObjectKey(trusted: second)).bytes
    let lane = LaneID(high: 0, low: 1)
    let layout = QueueLayout(settings.queue)
    _ = try await lake.ports.store.put(
      layout.key(.logs, SegmentID(lane: lane, sequence: 0)), LaneMark.opening, condition: .ifAbsent)
    _ = try await lake.ports.store.put(
      layout.key(.logs, SegmentID(lane: lane, sequence: 2)), bytes, condition: .ifAbsent)
    try await runner(lake).flush()
    let state = try QueueState(of: try await lake.metadata(.logs))
    #expect(state.quarantine == [QuarantineEntry(segment: SegmentID(lane: lane, sequence: 1), reason: .missing)])
    #expect(state.lanes[lane] == .next(3))
    #expect(try await committed(lake) == ["a:1/0"])
  }

  @Test("large partitions become several files of several row groups, in order")
  func manyFiles() async throws {
    let lake = try await MemoryLake()
    var small = settings
    small.taskRowGroupsMax = 2
    small.queue.rowGroupRowsMax = 50
    let all = settings
    _ = all
    try await ingest(lake, (1...3).map { request($0, rows: 100) })
    let runner = ShiftRunner(ports: lake.ports, settings: small, table: .logs, consumers: [.logs])
    try await runner.flush()
    #expect(try await committed(lake).count == 300)
    #expect(await runner.counters.rows == 300)
  }
}
