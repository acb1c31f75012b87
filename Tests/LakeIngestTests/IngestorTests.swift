import LakeIngest
import LakeModel
import LakePorts
import LakeSchema
import LakeWAL
import PortContracts
import Synchronization
import Testing

@Suite struct IngestorTests {
  private var settings: QueueSettings {
    var settings = QueueSettings()
    settings.flushDelayMax = .milliseconds(20)
    settings.ackDelayMax = .seconds(300)
    return settings
  }

  private func request(_ number: Int, tenant: String = "a", rows: Int = 3) -> IngestRequest {
    let rows = (0..<rows).map { LogRows.Row("api", LogRows.dayStart + Int64($0), "\(number)/\($0)") }
    return IngestRequest(
      topic: .logs, rows: LogRows.batch(rows, tenant: tenant),
      identity: RequestIdentity(fingerprint: Fingerprint(high: 0, low: UInt64(number))))
  }

  /// Runs an ingestor beside `body`, drains it, and returns the bodies found in the queue by a fresh reader.
  private func play(
    _ lake: MemoryLake, _ settings: QueueSettings, journal: any Journal = NullJournal(),
    _ body: @Sendable @escaping (Ingestor) async throws -> Void
  ) async throws -> [String] {
    var ports = lake.ports
    ports.journal = journal
    let ingestor = Ingestor(ports: ports, settings: settings)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await ingestor.run() }
      try await body(ingestor)
      await ingestor.drain()
      try await group.waitForAll()
    }
    return try await bodies(lake, settings, tenant: "a")
  }

  private typealias Outcome = Result<IngestReceipt, IngestError>

  private func outcome(_ ingestor: Ingestor, _ request: IngestRequest) async -> Outcome {
    do throws(IngestError) {
      return .success(try await ingestor.ingest(request))
    } catch {
      return .failure(error)
    }
  }

  private var acknowledged: Outcome { .success(IngestReceipt(isDeduplicated: false)) }

  private func bodies(_ lake: MemoryLake, _ settings: QueueSettings, tenant: String) async throws -> [String] {
    let reader = WALReader(ports: lake.ports, settings: settings, table: .logs, topic: .logs, cache: WALCache())
    let tail = try await reader.tail(WALScope(tenant: TenantID(tenant)!))
    var bodies: [String] = []
    for group in tail.rowGroups {
      let rows = try await reader.rows(group, columns: LakeTable.logs.schema)
      #expect(rows.count == group.rowCount)
      bodies += LogRows.rows(rows).map(\.body)
    }
    return bodies.sorted()
  }

  @Test("what is acknowledged is in the queue, for its tenant")
  func happy() async throws {
    let lake = try await MemoryLake()
    let found = try await play(lake, settings) { ingestor in
      try await withThrowingTaskGroup(of: IngestReceipt.self) { group in
        for number in 0..<5 {
          group.addTask { try await ingestor.ingest(request(number, tenant: number == 4 ? "b" : "a", rows: 2)) }
        }
        for try await receipt in group { #expect(!receipt.isDeduplicated) }
      }
    }
    #expect(found == ["0/0", "0/1", "1/0", "1/1", "2/0", "2/1", "3/0", "3/1"])
    #expect(try await bodies(lake, settings, tenant: "b") == ["4/0", "4/1"])
    // One lane: opening, segment, tombstone.
    let keys = try await lake.keys(prefix: "queue/logs/")
    #expect(keys.map { $0.suffix(12) } == ["0000.parquet", "0001.parquet", "0002.parquet"])
    let end = try await lake.ports.store.get(ObjectKey(trusted: keys[2])).bytes
    #expect(end == LaneMark.tombstone)
  }

  @Test("a repeat is acknowledged at once and says so")
  func repeats() async throws {
    let lake = try await MemoryLake()
    let found = try await play(lake, settings) { ingestor in
      let first = try await ingestor.ingest(request(1, rows: 1))
      let second = try await ingestor.ingest(request(1, rows: 1))
      #expect([first.isDeduplicated, second.isDeduplicated] == [false, true])
      #expect(await ingestor.counters.deduplicated == 1)
    }
    #expect(found == ["1/0"])
  }

  @Test("a repeat of a request in flight shares its outcome")
  func inFlight() async throws {
    let lake = try await MemoryLake()
    let found = try await play(lake, settings) { ingestor in
      async let first = ingestor.ingest(request(1, rows: 1))
      async let second = ingestor.ingest(request(1, rows: 1))
      let receipts = try await [first, second]
      #expect(receipts.count { $0.isDeduplicated } == 1)
    }
    #expect(found == ["1/0"])
  }

  @Test("an answer that was lost is found by reading back")
  func lostAnswer() async throws {
    let lake = try await MemoryLake()
    lake.store.play { operation, key in
      operation == .put && key.hasSuffix("01.parquet") ? .loseAnswer : nil
    }
    let found = try await play(lake, settings) { ingestor in
      async let first = outcome(ingestor, request(1, rows: 1))
      // The first attempt stands; let the second be answered with 412.
      while !lake.store.keys(of: .put).contains(where: { $0.hasSuffix("01.parquet") }) { await Task.yield() }
      lake.store.play(nil)
      #expect(await first == acknowledged)
    }
    #expect(found == ["1/0"])
  }

  @Test("a store that cannot be reached acknowledges nothing")
  func unreachable() async throws {
    let lake = try await MemoryLake()
    lake.store.play { operation, _ in operation == .put ? .refuse(.unavailable("down")) : nil }
    var quick = settings
    quick.writeRetriesMax = 0
    let found = try await play(lake, quick) { ingestor in
      #expect(await outcome(ingestor, request(1)) != acknowledged)
      lake.store.play(nil)
      #expect(await outcome(ingestor, request(1, rows: 1)) == acknowledged)
    }
    #expect(found == ["1/0"])
  }

  @Test("why rows were not written stands in the journal, for who runs the service")
  func reason() async throws {
    let lake = try await MemoryLake()
    lake.store.play { operation, _ in operation == .put ? .refuse(.unavailable("No space left on device")) : nil }
    var quick = settings
    quick.writeRetriesMax = 0
    let journal = WarningJournal()
    _ = try await play(lake, quick, journal: journal) { ingestor in
      #expect(await outcome(ingestor, request(1)) != acknowledged)
    }
    #expect(journal.lines == ["ingest.failed topic=logs requests=1 why=unavailable(\"No space left on device\")"])
  }

  @Test("an outcome that stays unknown ends in an error at the deadline")
  func unknownForGood() async throws {
    let lake = try await MemoryLake()
    lake.store.play { operation, key in
      operation == .put && key.hasSuffix("01.parquet")
        ? .refuse(.outcomeUnknown(ObjectKey(trusted: key), "lost")) : nil
    }
    var quick = settings
    quick.ackDelayMax = .milliseconds(300)
    let found = try await play(lake, quick) { ingestor in
      #expect(await outcome(ingestor, request(1)) != acknowledged)
      lake.store.play(nil)
    }
    #expect(found == [])
  }

  @Test("a lane that was ended under the writer's hands costs a retry, not a row")
  func sealed() async throws {
    let lake = try await MemoryLake()
    let found = try await play(lake, settings) { ingestor in
      _ = try await ingestor.ingest(request(1, rows: 1))
      let last = try await lake.keys(prefix: "queue/logs/").last!
      let next = ObjectKey(trusted: last.replacing("0001.parquet", with: "0002.parquet"))
      _ = try await lake.ports.store.put(next, LaneMark.tombstone, condition: .ifAbsent)
      #expect(await outcome(ingestor, request(2, rows: 1)) != acknowledged)
      _ = try await ingestor.ingest(request(2, rows: 1))
    }
    #expect(found == ["1/0", "2/0"])
    let lanes = Set(try await lake.keys(prefix: "queue/logs/").map { $0.split(separator: "/")[2] })
    #expect(lanes.count == 2)
  }

  @Test("a request that does not fit into a segment, and one beyond the queue, are refused at once")
  func refused() async throws {
    let lake = try await MemoryLake()
    var small = settings
    small.flushBytesMax = request(1).rows.memoryBytes
    small.channelCapacity = 1
    let ingestor = Ingestor(ports: lake.ports, settings: small)
    let bytes = request(1, rows: 4).rows.memoryBytes
    #expect(
      await outcome(ingestor, request(1, rows: 4)) == .failure(.tooLarge(bytes: bytes, limit: small.flushBytesMax)))
    // Nobody writes yet: the second request finds the queue full.
    async let first = outcome(ingestor, request(1))
    while await ingestor.counters.bytesHeldMax == 0 { await Task.yield() }
    #expect(await outcome(ingestor, request(2)) == .failure(.queueFull))
    await ingestor.drain()
    #expect(await first == .failure(.draining))
    #expect(await outcome(ingestor, request(3)) == .failure(.draining))
  }

  @Test("a request without rows writes nothing")
  func empty() async throws {
    let lake = try await MemoryLake()
    let found = try await play(lake, settings) { ingestor in
      #expect(await outcome(ingestor, request(1, rows: 0)) == acknowledged)
    }
    #expect(found == [])
    #expect(try await lake.keys() == [])
  }

  @Test("cancellation answers everybody who waits")
  func cancelled() async throws {
    let lake = try await MemoryLake()
    lake.store.play { operation, _ in operation == .put ? .refuse(.unavailable("down")) : nil }
    let ingestor = Ingestor(ports: lake.ports, settings: settings)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await ingestor.run() }
      async let waiting = outcome(ingestor, request(1))
      while lake.store.keys(of: .put).isEmpty { await Task.yield() }
      group.cancelAll()
      #expect(await waiting != acknowledged)
    }
  }

  @Test("a lane ends when it is old")
  func laneAge() async throws {
    let lake = try await MemoryLake()
    var aging = settings
    aging.laneAgeMax = .milliseconds(100)
    let found = try await play(lake, aging) { ingestor in
      for number in 1...3 {
        _ = try await ingestor.ingest(request(number, rows: 1))
        while try await lake.ports.store.listAll(prefix: "queue/logs/").count(where: { $0.size == 16 }) < number {
          try await lake.ports.clock.sleep(for: .milliseconds(5))
        }
      }
    }
    #expect(found == ["1/0", "2/0", "3/0"])
  }
}

/// Keeps what is worth a warning, a line each.
private final class WarningJournal: Journal {
  private let kept = Mutex<[String]>([])
  var lines: [String] { kept.withLock { $0 } }

  func note(_ level: JournalLevel, _ event: StaticString, _ facts: @autoclosure () -> [(StaticString, String)]) {
    guard level >= .warning else { return }
    let line = "\(event)" + facts().map { " \($0.0)=\($0.1)" }.joined()
    kept.withLock { $0.append(line) }
  }
}
