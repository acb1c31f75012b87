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
        tenant: tenant, table: try await load(), tail: [], warnings: [], reader: reader, cache: cache)
    }
    do throws(WALError) {
      let tail = try await wal.tail(
        WALScope(tenant: tenant, days: LogTable.days(range)), startingFrom: known.table)
      known.keep(tail.known)
      var statistics = QueryStatistics()
      statistics.segmentsTotal = tail.statistics.segmentCount
      context.count(statistics)
      return LogTableView(
        tenant: tenant, table: tail.table, tail: tail.rowGroups, warnings: tail.warnings, reader: reader,
        cache: cache)
    } catch {
      throw QueryError(error)
    }
  }

  func load() async throws(QueryError) -> TableState {
    do throws(CatalogError) { return try await ports.catalog.loadTable(TableIdentifier(.logs)) } catch {
      throw QueryError(WALError.catalog(error))
    }
  }

  /// Days that rows of the range may be partitioned under; nil when the range reaches beyond what days tell.
  private static func days(_ range: TimeRange) -> ClosedRange<Int32>? {
    let day: Int64 = 86_400_000_000_000
    let first = Int32(clamping: range.start.dividedDown(by: day))
    let last = Int32(clamping: range.end.dividedDown(by: day))
    return first <= last ? first...last : first...first
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
  let tail: [WALRowGroup]
  let warnings: [String]
  let reader: ObjectReader
  let cache: QueryCache

  func blocks(_ conditions: [LabelCondition], in range: TimeRange) async throws(QueryError) -> [any LogBlock] {
    var statistics = QueryStatistics()
    defer { reader.context.count(statistics) }
    var found: [any LogBlock] = []
    func consider(_ block: ParquetLogBlock) {
      statistics.rowGroupsTotal += 1
      let isInside = block.timeBounds.map { range.meetsMicroseconds($0.lowerBound, $0.upperBound) } ?? true
      if isInside && !conditions.contains(where: { block.isRuledOut($0) }) {
        found.append(block)
      } else {
        statistics.rowGroupsPruned += 1
      }
    }
    let plan = try await scanPlan(range, &statistics)
    for planned in plan.files {
      let scanned = planned.scanned
      let file = try await reader.footer(
        planned.key, named: planned.name, size: Int(scanned.file.fileSize), cache)
      let source = ParquetLogBlock.Source(file, bytes: nil, reader: reader, cache: cache)
      let deletes = try await deletedRows(of: scanned, plan.deletes)
      let needsTenant = scanned.residual.terms.contains { $0.fieldID == LogField.tenant.schemaField.id }
      var firstRow: Int64 = 0
      for group in file.file.rowGroups {
        consider(
          ParquetLogBlock(
            source: source, rowGroup: group, droppedRequests: [], onlyTenant: needsTenant ? tenant : nil,
            deletes: deletes.map { .init(rows: $0, firstRow: firstRow) }))
        firstRow += Int64(group.rowCount)
      }
    }
    var segment: SegmentID?
    var source: ParquetLogBlock.Source?
    for group in tail {
      if group.segment.id != segment {
        segment = group.segment.id
        source = ParquetLogBlock.Source(
          reader.file(group.segment, cache), bytes: group.segment.bytes, reader: reader, cache: cache)
      }
      guard let source else { continue }
      consider(
        ParquetLogBlock(
          source: source, rowGroup: group.rowGroup, droppedRequests: group.droppedRequests, onlyTenant: nil,
          deletes: nil, countedRows: group.rowCount))
    }
    return found
  }

  // MARK: - Files of the snapshot

  private struct ScanPlan {
    var files: [PlannedFile] = []
    var deletes = DeleteIndex([])
  }

  private func scanPlan(_ range: TimeRange, _ statistics: inout QueryStatistics) async throws(QueryError) -> ScanPlan {
    do {
      let planner = try ScanPlanner(table: table.metadata, predicate: predicate(range), deletes: .applied)
      guard let list = planner.manifestListLocation else { return ScanPlan() }
      let manifests = try await manifestList(at: list)
      let low = range.start.dividedDown(by: 1000)
      let high = range.end.dividedDown(by: 1000)
      var files: [PlannedFile] = []
      for manifest in try planner.select(manifests) {
        for file in try await self.files(of: manifest, planner)
        where file.times.upperBound >= low && file.times.lowerBound <= high { files.append(file) }
      }
      let total = planner.snapshot?.summary["total-data-files"].flatMap { Int($0) } ?? files.count
      statistics.filesTotal += total
      statistics.filesPruned += max(0, total - files.count)
      return ScanPlan(files: files, deletes: try await deletes(planner, manifests))
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
  private func files(of manifest: ManifestFile, _ planner: ScanPlanner) async throws -> [PlannedFile] {
    let name = QueryCache.Key(object: QueryCache.Name(manifest.path), part: .files(tenant: tenant.text))
    if let kept = cache.value(name, as: [PlannedFile].self) { return kept }
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
      return files
    }
    return try planner.files(of: manifest, entries: entries).map { try PlannedFile(whenever: $0, reader) }
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

extension LogBlock {
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
