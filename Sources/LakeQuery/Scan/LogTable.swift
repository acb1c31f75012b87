import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeWAL
import Synchronization

/// Opens the rows of one tenant as they are at one moment.
protocol LogSource: Sendable {
  /// - Parameter range: times that the query may ask for; rows outside may be missing from the view.
  func open(
    tenant: TenantID, range: TimeRange, context: QueryContext
  ) async throws(QueryError) -> any LogView
}

/// The rows of one tenant at one moment. Every part of a query sees the same view.
protocol LogView: Sendable {
  /// The blocks that may hold rows for which every condition holds, with a time in `range`.
  ///
  /// - Returns: in the order of storage, the same for every call.
  func blocks(_ conditions: [LabelCondition], in range: TimeRange) async throws(QueryError) -> [any LogBlock]
  /// What a reader of any answer should know.
  var warnings: [String] { get }
}

/// The table `logs`: a snapshot and the WAL's tail beyond it.
struct LogTable: LogSource {
  let ports: Ports
  let settings: QuerySettings
  let cache: QueryCache
  let wal: WALReader
  let known: KnownTable

  func open(
    tenant: TenantID, range: TimeRange, context: QueryContext
  ) async throws(QueryError) -> any LogView {
    let reader = ObjectReader(ports: ports, context: context)
    guard settings.readsWAL else {
      return LogTableView(
        tenant: tenant, table: try await load(), tail: nil, warnings: [], reader: reader, cache: cache)
    }
    do throws(WALError) {
      // All days: the bounds of the row groups' times say more.
      let tail = try await wal.tail(WALScope(tenant: tenant), startingFrom: known.table)
      known.keep(tail.known)
      var statistics = QueryStatistics()
      statistics.segmentsTotal = tail.statistics.segmentCount
      context.count(statistics)
      return LogTableView(
        tenant: tenant, table: tail.table, tail: tail, warnings: tail.warnings, reader: reader, cache: cache)
    } catch {
      throw QueryError(error)
    }
  }

  func load() async throws(QueryError) -> TableState {
    do throws(CatalogError) { return try await ports.catalog.loadTable(TableIdentifier(.logs)) } catch {
      throw QueryError(WALError.catalog(error))
    }
  }
}

/// The last state of the table that was seen: good enough to start from, never to end with (RDR-1).
final class KnownTable: Sendable {
  private let known = Mutex<QueuedTable?>(nil)
  var table: QueuedTable? { known.withLock { $0 } }
  func keep(_ table: QueuedTable) { known.withLock { $0 = table } }
}

struct LogTableView: LogView {
  let tenant: TenantID
  let table: TableState
  /// nil: the WAL is not read.
  let tail: WALTail?
  let warnings: [String]
  let reader: ObjectReader
  let cache: QueryCache

  func blocks(_ conditions: [LabelCondition], in range: TimeRange) async throws(QueryError) -> [any LogBlock] {
    var statistics = QueryStatistics()
    defer { reader.context.count(statistics) }
    var found: [any LogBlock] = []
    let access = BlockAccess(reader, cache)
    func consider(_ groups: [LogRowGroup]) {
      for group in groups {
        if let bounds = group.timeBounds, !range.meetsMicroseconds(bounds.lowerBound, bounds.upperBound) { continue }
        if conditions.contains(where: { group.isRuledOut($0) }) { continue }
        let block = ParquetLogBlock(group: group, access: access)
        if !conditions.contains(where: { block.isRuledOutByKept($0) }) { found.append(block) }
      }
      statistics.rowGroupsTotal += groups.count
    }
    let plan = try await scanPlan(range, &statistics)
    for planned in plan.files {
      consider(try await rowGroups(of: planned.scanned, planned.key, planned.name, plan.deletes))
    }
    if let tail {
      consider(tail.notes.value { tail.rowGroups.map { reader.rowGroup($0, cache) } })
    }
    statistics.rowGroupsPruned += statistics.rowGroupsTotal - found.count
    return found
  }

  /// The row groups of a data file, with the rows of them that count.
  func rowGroups(
    of scanned: ScanFile, _ key: ObjectKey, _ name: QueryCache.Name, _ index: DeleteIndex
  ) async throws(QueryError) -> [LogRowGroup] {
    let whole = try await reader.rowGroups(key, named: name, size: Int(scanned.file.fileSize), cache)
    let deletes = try await deletedRows(of: scanned, index)
    let needsTenant = scanned.residual.terms.contains { $0.fieldID == LogField.tenant.schemaField.id }
    if deletes == nil && !needsTenant { return whole }
    var firstRow: Int64 = 0
    return whole.map { group in
      defer { firstRow += Int64(group.rowCount) }
      return LogRowGroup(
        group.file, group.index, onlyTenant: needsTenant ? tenant : nil,
        deletes: deletes.map { .init(rows: $0, firstRow: firstRow) })
    }
  }

  // MARK: - Files of the snapshot

  private struct ScanPlan {
    var files: [PlannedFile] = []
    var deletes = DeleteIndex([])
  }

  private func scanPlan(_ range: TimeRange, _ statistics: inout QueryStatistics) async throws(QueryError) -> ScanPlan {
    do {
      guard let snapshot = table.metadata.currentSnapshot else { return ScanPlan() }
      var plan = ScanPlan()
      let name = QueryCache.Key(object: QueryCache.Name(snapshot.manifestList), part: .files(tenant: tenant.text))
      if let whole = cache.value(name, as: [PlannedFile].self) {
        plan.files = whole
      } else {
        let planner = try ScanPlanner(table: table.metadata, predicate: predicate(range), deletes: .applied)
        let manifests = try await manifestList(at: snapshot.manifestList)
        let selected = try planner.select(manifests)
        var isWhole = selected.count == manifests.count { $0.mayHoldLiveFiles }
        for manifest in selected {
          let (files, isComplete) = try await self.files(of: manifest, planner)
          plan.files += files
          isWhole = isWhole && isComplete
        }
        plan.deletes = try await deletes(planner, manifests)
        // Where every manifest was wanted and none is of deletes, the tenant's files are those of the list.
        if isWhole { cache.keep(plan.files, bytes: plan.files.count * 256 + 256, for: name) }
      }
      let low = range.start.dividedDown(by: 1000)
      let high = range.end.dividedDown(by: 1000)
      plan.files.removeAll { $0.times.upperBound < low || $0.times.lowerBound > high }
      let total = snapshot.summary["total-data-files"].flatMap { Int($0) } ?? plan.files.count
      statistics.filesTotal += total
      statistics.filesPruned += max(0, total - plan.files.count)
      return plan
    } catch let error as IcebergError {
      throw .corrupt("table logs: \(error)")
    } catch let error as QueryError {
      throw error
    } catch {
      throw .corrupt("table logs: \(error)")
    }
  }

  func deletes(_ planner: ScanPlanner, _ manifests: [ManifestFile]) async throws -> DeleteIndex {
    var deletes: [DeleteFile] = []
    for manifest in try planner.selectDeletes(manifests) {
      deletes += try planner.deleteFiles(of: manifest, bytes: try await metadata(at: manifest.path))
    }
    return DeleteIndex(deletes)
  }

  /// nil: no row of the file is deleted.
  func deletedRows(of file: ScanFile, _ index: DeleteIndex) async throws(QueryError) -> DeletedRows? {
    if index.isEmpty { return nil }
    let deletes = index.deletes(for: file)
    if deletes.isEmpty { return nil }
    return try await DeleteReader(reader: reader, cache: cache, table: table.metadata).rows(deletes, of: file)
  }

  func predicate(_ range: TimeRange) -> Predicate {
    let time = LogField.timestamp.schemaField.id
    return Predicate(
      LogTableView.predicate(tenant).terms + [
        .compare(time, .greaterOrEqual, .long(range.start.dividedDown(by: 1000))),
        .compare(time, .lessOrEqual, .long(range.end.dividedDown(by: 1000))),
      ])
  }

  private static func predicate(_ tenant: TenantID) -> Predicate {
    Predicate([.compare(LogField.tenant.schemaField.id, .equal, .string(tenant.text))])
  }

  private func manifestList(at location: String) async throws -> [ManifestFile] {
    let name = QueryCache.Key(object: QueryCache.Name(location), part: .manifestList)
    if let kept = cache.value(name, as: [ManifestFile].self) { return kept }
    let bytes = try await reader.get(try reader.key(of: location))
    let manifests = try ManifestList.decode(bytes)
    cache.keep(manifests, bytes: bytes.count * 2 + manifests.count * 400, for: name)
    return manifests
  }

  /// The files of a data manifest that may hold rows of the tenant. Those of which the manifest does not tell the times may be missing
  /// when they lie in partitions outside of the range.
  ///
  /// - Returns: them, and whether none is missing.
  private func files(
    of manifest: ManifestFile, _ planner: ScanPlanner
  ) async throws -> (files: [PlannedFile], isComplete: Bool) {
    let name = QueryCache.Key(object: QueryCache.Name(manifest.path), part: .files(tenant: tenant.text))
    if let kept = cache.value(name, as: [PlannedFile].self) { return (kept, true) }
    let entries = try await entries(of: manifest, planner)
    let all = try ScanPlanner(table: table.metadata, predicate: LogTableView.predicate(tenant), deletes: .applied)
    let scanned = try all.files(of: manifest, entries: entries)
    for file in scanned where file.file.format.uppercased() != "PARQUET" {
      throw IcebergError.unsupported("data file \(file.file.path) of format \(file.file.format)")
    }
    var files: [PlannedFile] = []
    for file in scanned { if let planned = try PlannedFile(file, reader) { files.append(planned) } }
    if files.count == scanned.count {
      cache.keep(files, bytes: files.count * PlannedFile.bytes + 256, for: name)
      return (files, true)
    }
    return (try planner.files(of: manifest, entries: entries).map { try PlannedFile(whenever: $0, reader) }, false)
  }

  /// The entries of a data manifest, with the metrics that every predicate of ours is about.
  private func entries(of manifest: ManifestFile, _ planner: ScanPlanner) async throws -> [ManifestEntry] {
    let name = QueryCache.Key(object: QueryCache.Name(manifest.path), part: .manifest)
    if let kept = cache.value(name, as: [ManifestEntry].self) { return kept }
    let bytes = try await reader.get(try reader.key(of: manifest.path))
    let entries = try Manifest.decode(bytes, of: manifest, table: planner.table, metrics: planner.metricsWanted)
    cache.keep(entries, bytes: bytes.count + entries.count * 1200, for: name)
    return entries
  }

  /// A delete manifest, from the cache if it was read before.
  func metadata(at location: String) async throws(QueryError) -> Bytes {
    let name = QueryCache.Key(object: QueryCache.Name(location), part: .bytes)
    if let kept = cache.value(name, as: Bytes.self) { return kept }
    let bytes = try await reader.get(try reader.key(of: location))
    cache.keep(bytes, bytes: bytes.count + 128, for: name)
    return bytes
  }
}

extension RowsMetadata {
  /// Whether metadata says that no row passes.
  func isRuledOut(_ condition: LabelCondition) -> Bool {
    if case .never = verdict(condition) { return true }
    return false
  }
}

extension QueryError {
  init(_ error: WALError) {
    switch error {
    case .vanished(let key): self = .vanished("\(key)")
    case .unsettled(let attempts): self = .unavailable("the table changed during each of \(attempts) looks at it")
    case .damaged(let key, let message): self = .corrupt("\(key): \(message)")
    case .newerFormat(let key, let version): self = .corrupt("\(key) has the newer format \(version)")
    case .stateMalformed(let message): self = .corrupt("state of the queue: \(message)")
    case .stateLost(let found, let expected):
      self = .corrupt("state of the queue has generation \(found), the snapshots say \(expected)")
    case .unfit(let message): self = .corrupt(message)
    case .store(let error): self = QueryError(error)
    case .catalog(let error):
      switch error {
      case .unavailable(let message), .outcomeUnknown(let message), .conflict(let message), .denied(let message):
        self = .unavailable(message)
      case .cancelled: self = .cancelled
      case .corrupt(let message), .invalid(let message): self = .corrupt(message)
      case .noSuchTable, .noSuchNamespace, .tableExists, .namespaceExists, .namespaceNotEmpty:
        self = .unavailable("the table logs does not exist")
      }
    case .cancelled: self = .cancelled
    }
  }
}
