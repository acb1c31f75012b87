import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeWAL

/// Bodies of data files, by location: files never change, so what one reader decoded serves all.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class DecodedFiles: @unchecked Sendable {
  struct Row {
    let tenant: String
    let body: String
  }

  private var rows: [String: [Row]] = [:]
  private var manifests: [String: [ScanFile]] = [:]

  func rows(_ location: String, _ decode: () throws -> [Row]) rethrows -> [Row] {
    if let known = rows[location] { return known }
    let decoded = try decode()
    rows[location] = decoded
    return decoded
  }

  func files(_ location: String, _ decode: () throws -> [ScanFile]) rethrows -> [ScanFile] {
    if let known = manifests[location] { return known }
    let decoded = try decode()
    manifests[location] = decoded
    return decoded
  }
}

/// Reads all of a tenant's rows as a query does: the WAL's tail through LakeWAL, the snapshot through LakeIceberg and
/// LakeParquet, every byte through the ports.
struct LakeReader {
  let lake: Lake
  let ports: Ports
  let wal: WALReader

  init(_ lake: Lake, _ ports: Ports, _ cache: WALCache, table: LakeTable = .logs) {
    self.lake = lake
    self.ports = ports
    wal = WALReader(ports: ports, settings: lake.settings.queue, table: table, topic: .logs, cache: cache)
  }

  /// How often a read begins again because files went away under it (RDR-4).
  private static let attemptsMax = 5

  /// Where each row was seen, and its body.
  func rows(of tenant: TenantID) async throws -> [(text: String, place: String)] {
    var attempt = 0
    while true {
      attempt += 1
      do {
        let tail = try await wal.tail(WALScope(tenant: tenant))
        return try await committed(tail.table.metadata, tenant) + fresh(tail, tenant)
      } catch WALError.vanished where attempt < LakeReader.attemptsMax {
        continue
      } catch ObjectStoreError.notFound where attempt < LakeReader.attemptsMax {
        continue
      }
    }
  }

  private func fresh(_ tail: WALTail, _ tenant: TenantID) async throws -> [(text: String, place: String)] {
    var found: [(text: String, place: String)] = []
    for group in tail.rowGroups {
      let batch = try await wal.rows(group, columns: LakeReader.columns(wal.table.schema))
      for row in try LakeReader.rows(batch) where row.tenant == tenant.text || ports.planted == .mixTenantsInTail {
        found.append((row.body, "\(group.segment.id)"))
      }
    }
    return found
  }

  private func committed(_ table: TableMetadata, _ tenant: TenantID) async throws -> [(text: String, place: String)] {
    let predicate = Predicate([.compare(1, .equal, .string(tenant.text))])
    let planner = try ScanPlanner(table: table, predicate: predicate)
    guard let list = planner.manifestListLocation else { return [] }
    var found: [(text: String, place: String)] = []
    for manifest in try planner.select(try ManifestList.decode(try await bytes(list))) {
      let bytes = try await bytes(manifest.path)
      let files = try lake.decodedFiles.files(tenant.text + manifest.path) {
        try planner.files(of: manifest, bytes: bytes)
      }
      for file in files {
        let bytes = try await self.bytes(file.file.path)
        let rows = try lake.decodedFiles.rows(file.file.path) { try LakeReader.rows(ofFile: bytes) }
        for row in rows where row.tenant == tenant.text {
          found.append((row.body, String(file.file.path.suffix(24))))
        }
      }
    }
    return found
  }

  private func bytes(_ location: String) async throws -> Bytes {
    try await ports.store.get(try ports.warehouse.key(of: location)).bytes
  }

  // MARK: columns

  private static func columns(_ schema: Schema) -> Schema {
    Schema(id: schema.id, fields: schema.fields.filter { $0.name == "tenant_id" || $0.name == "body" })
  }

  private static func rows(ofFile bytes: Bytes) throws -> [DecodedFiles.Row] {
    let file = try ParquetFile(bytes)
    var rows: [DecodedFiles.Row] = []
    for group in file.rowGroups {
      let plan = try file.plan(
        rowGroup: group.index, projection: try file.projection(to: columns(LakeTable.logs.schema)))
      rows += try LakeReader.rows(try file.decode(plan, fetched: plan.ranges.map { bytes[$0] }))
    }
    return rows
  }

  private static func rows(_ batch: ColumnBatch) throws -> [DecodedFiles.Row] {
    guard let tenants = batch.column("tenant_id"), let bodies = batch.column("body") else { return [] }
    return (0..<batch.count).map { DecodedFiles.Row(tenant: tenants.text($0) ?? "", body: bodies.text($0) ?? "") }
  }
}

extension Lake {
  /// Reads tenants of chance all the time, and judges what it sees.
  func readForever(_ ports: Ports, _ life: Life, _ cache: WALCache) async {
    let reader = LakeReader(self, ports, cache)
    let random = LifeRandomness(world.simulation.random.fork("reader.\(life)"))
    while !life.isFenced && !life.isStopping {
      await readOnce(reader, tenants[random.uniform(0..<tenants.count)])
      do { try await ports.clock.sleep(for: .milliseconds(random.uniform(200..<15_000))) } catch { return }
    }
  }

  /// - Returns: whether the reading had an answer.
  @discardableResult
  func readOnce(_ reader: LakeReader, _ tenant: TenantID) async -> Bool {
    let begin = world.simulation.scheduler.now
    do {
      let rows = try await reader.rows(of: tenant)
      reads += 1
      let now = world.simulation.scheduler.now
      if let (invariant, finding) = ledger.judge(tenant: tenant, begin: begin, now: now, rows: rows) {
        world.simulation.fail(invariant, "\(finding), read from \(Seconds(begin)) to \(Seconds(now))")
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
