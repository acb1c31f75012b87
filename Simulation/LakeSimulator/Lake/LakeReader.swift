import LakeIceberg
import LakeModel
import LakePorts
import LakeQuery
import LakeSchema
import LakeWAL

/// Reads all of a tenant's rows as a query does: the WAL's tail through LakeWAL, the snapshot through LakeIceberg and
/// LakeParquet, every byte through the ports.
struct LakeReader {
  let lake: Lake
  let ports: Ports
  let wal: WALReader
  private let table: LakeTable
  /// The query engine itself; it knows `logs` with every column only.
  private let engine: LogQueryEngine?

  init(_ lake: Lake, _ ports: Ports, _ cache: WALCache, table: LakeTable? = nil) {
    self.lake = lake
    self.ports = ports
    self.table = table ?? lake.settings.logs
    wal = WALReader(ports: ports, settings: lake.settings.queue, table: self.table, topic: .logs, cache: cache)
    engine =
      lake.asksEngine && table == nil ? LogQueryEngine(ports: ports, queue: lake.settings.queue) : nil
  }

  typealias Found = [(text: String, place: String)]

  /// How often a read begins again because files went away under it (RDR-4).
  private static let attemptsMax = 5

  /// Where each row was seen, and its body.
  func rows(of tenant: TenantID) async throws -> Found {
    try await again {
      let tail = try await wal.tail(WALScope(tenant: tenant))
      return try await committed(tail.table.metadata, tenant) + fresh(tail, tenant)
    }
  }

  /// Rows that are in the table, whatever the WAL holds.
  func committedRows(of tenant: TenantID) async throws -> Found {
    try await again {
      try await committed(try await ports.catalog.loadTable(TableIdentifier(table)).metadata, tenant)
    }
  }

  private func again(_ read: () async throws -> Found) async throws -> Found {
    var attempt = 0
    while true {
      attempt += 1
      do {
        return try await read()
      } catch WALError.vanished where attempt < LakeReader.attemptsMax {
        continue
      } catch ObjectStoreError.notFound where attempt < LakeReader.attemptsMax {
        continue
      }
    }
  }

  private func fresh(_ tail: WALTail, _ tenant: TenantID) async throws -> Found {
    var found: Found = []
    for group in tail.rowGroups {
      let batch = try await wal.rows(group, columns: TableContents.columns(table.schema))
      for row in TableContents.rows(batch) { found.append((row.text, "\(group.segment.id)")) }
    }
    return found
  }

  private func committed(_ metadata: TableMetadata, _ tenant: TenantID) async throws -> Found {
    let predicate = Predicate([.compare(1, .equal, .string(tenant.text))])
    let planner = try ScanPlanner(table: metadata, predicate: predicate)
    guard let list = planner.manifestListLocation else { return [] }
    var found: Found = []
    for manifest in try planner.select(try ManifestList.decode(try await bytes(list))) {
      let bytes = try await bytes(manifest.path)
      let files = try lake.contents.scan(tenant.text + manifest.path) { try planner.files(of: manifest, bytes: bytes) }
      for file in files {
        do {
          let bytes = try await self.bytes(file.file.path)
          let rows = try lake.contents.rows(of: file.file.path, table.schema, fetched: bytes)
          for row in rows where row.tenant == tenant.text {
            found.append((row.text, String(file.file.path.suffix(24))))
          }
        } catch ObjectStoreError.notFound where ports.hasPlanted(.skipVanished) {
          continue
        }
      }
    }
    return found
  }

  private func bytes(_ location: String) async throws -> Bytes {
    try await ports.store.get(try ports.warehouse.key(of: location)).bytes
  }

  // MARK: the engine

  private static let everything = "{service_name=~\".+\"}"
  private static let day: UInt64 = 86_400_000_000_000

  /// All rows of a tenant as the query engine answers; nil when it is not asked in this run.
  func queried(_ tenant: TenantID) async throws -> Found? {
    guard let engine else { return nil }
    let request = LogQueryRequest(
      tenant: tenant, query: LakeReader.everything,
      span: .range(
        start: Timestamp(nanoseconds: JumpingWallClock.epoch - LakeReader.day),
        end: Timestamp(nanoseconds: JumpingWallClock.epoch + 3 * LakeReader.day), step: .seconds(1), interval: .zero),
      direction: .forward, limit: 5000)
    guard case .streams(let streams) = try await engine.query(request).data else { return nil }
    return streams.flatMap { stream in (0..<stream.count).map { (stream.lines.text($0) ?? "", "the engine's answer") } }
  }

  /// How many rows the query engine counts, from statistics where it may.
  func counted(_ tenant: TenantID) async throws -> Int? {
    guard let engine else { return nil }
    let request = LogQueryRequest(
      tenant: tenant, query: "sum(count_over_time(\(LakeReader.everything)[96h]))",
      span: .instant(at: Timestamp(nanoseconds: JumpingWallClock.epoch + 3 * LakeReader.day)))
    guard case .vector(let samples) = try await engine.query(request).data else { return nil }
    return Int(samples.first?.value ?? 0)
  }
}

extension Lake {
  /// Reads tenants of chance all the time, and judges what it sees.
  func readForever(_ ports: Ports, _ life: Life, _ cache: WALCache) async {
    let reader = LakeReader(self, ports, cache)
    let events = tables.count > 1 ? LakeReader(self, ports, cache, table: .events) : nil
    let random = LifeRandomness(world.simulation.random.fork("reader.\(life)"))
    while !life.isFenced && !life.isStopping {
      let tenant = tenants[random.uniform(0..<tenants.count)]
      if let events, random.uniform(0..<4) == 0 {
        await readEvents(events, tenant, isComplete: false)
      } else {
        await readOnce(reader, tenant, by: asksEngine ? Way(rawValue: random.uniform(0..<3))! : .rows)
      }
      do { try await ports.clock.sleep(for: .milliseconds(random.uniform(200..<15_000))) } catch { return }
    }
  }

  /// How a tenant is read.
  enum Way: Int { case rows, engine, count }

  /// - Returns: whether the reading had an answer.
  @discardableResult
  func readOnce(_ reader: LakeReader, _ tenant: TenantID, by way: Way = .rows) async -> Bool {
    await judge { begin in
      switch way {
      case .rows: break
      case .engine:
        if let rows = try await reader.queried(tenant) {
          return self.ledger.judge(tenant: tenant, begin: begin, now: self.world.simulation.scheduler.now, rows: rows)
        }
      case .count:
        if let count = try await reader.counted(tenant) {
          return self.ledger.judge(tenant: tenant, begin: begin, now: self.world.simulation.scheduler.now, count: count)
        }
      }
      let rows = try await reader.rows(of: tenant)
      return self.ledger.judge(tenant: tenant, begin: begin, now: self.world.simulation.scheduler.now, rows: rows)
    }
  }

  /// The table `events`: what is in it is there once; all of it, once everything is shifted.
  @discardableResult
  func readEvents(_ reader: LakeReader, _ tenant: TenantID, isComplete: Bool) async -> Bool {
    await judge { begin in
      let rows = try await reader.committedRows(of: tenant)
      return self.ledger.judgeEvents(
        tenant: tenant, begin: begin, now: self.world.simulation.scheduler.now, isComplete: isComplete, rows: rows)
    }
  }

  private func judge(_ read: (Int64) async throws -> (Invariant, String)?) async -> Bool {
    let begin = world.simulation.scheduler.now
    do {
      let finding = try await read(begin)
      reads += 1
      if let (invariant, text) = finding {
        let now = world.simulation.scheduler.now
        world.simulation.fail(invariant, "\(text), read from \(Seconds(begin)) to \(Seconds(now))")
      }
      return true
    } catch {
      failedReads += 1
      world.simulation.journal.note(
        "read.failed", life: nil, at: world.simulation.scheduler.now, [("error", "\(error)")])
      return false
    }
  }
}
