import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeWAL

/// What a tail sees at one moment.
struct TailView {
  let wal: WALTail
  let table: LogTableView
}

extension LogTable {
  func openTail(tenant: TenantID, context: QueryContext) async throws(QueryError) -> TailView {
    let tail = try await walTail(tenant)
    let reader = ObjectReader(ports: ports, context: context)
    return TailView(
      wal: tail,
      table: LogTableView(
        tenant: tenant, table: tail.table, tail: tail, warnings: tail.warnings, reader: reader, cache: cache))
  }

  /// Fingerprints that the table has committed since an earlier state; none where queries do not read the WAL.
  func committed(in state: QueueState, since earlier: QueueState) async throws(QueryError) -> Set<Fingerprint> {
    guard settings.readsWAL else { return [] }
    do throws(WALError) { return try await wal.committed(in: state, since: earlier) } catch { throw QueryError(error) }
  }

  /// All days: late rows are rows too. Where queries do not read the WAL, only what shifts bring is met.
  private func walTail(_ tenant: TenantID) async throws(QueryError) -> WALTail {
    let table = settings.readsWAL ? nil : try await load()
    do throws(WALError) {
      if let table {
        return WALTail(
          known: try QueuedTable(table), rowGroups: [], warnings: [], statistics: WALStatistics())
      }
      let tail = try await wal.tail(WALScope(tenant: tenant), startingFrom: known.table)
      known.keep(tail.known)
      return tail
    } catch {
      throw QueryError(error)
    }
  }
}

extension LogTableView {
  /// One row group of the WAL.
  /// - Parameter dropping: requests whose rows do not count, besides those that the view drops.
  func block(of group: WALRowGroup, dropping: [Int]) -> any LogBlock {
    ParquetLogBlock(group: reader.rowGroup(group, dropping: dropping, cache), access: BlockAccess(reader, cache))
  }

  /// The row groups of the files that appends brought since `snapshotID` was the current snapshot. What compaction wrote
  /// meanwhile is left out: its rows were there before.
  ///
  /// - Throws: `.unavailable` when the table's history does not reach back so far.
  func blocksAppended(since snapshotID: Int64?, in range: TimeRange) async throws(QueryError) -> [any LogBlock] {
    do {
      var blocks: [any LogBlock] = []
      let deletes = try await currentDeletes(range)
      for snapshot in try appends(since: snapshotID) {
        let planner = try ScanPlanner(
          table: table.metadata, snapshotID: snapshot.id, predicate: predicate(range), deletes: .applied)
        guard let list = planner.manifestListLocation else { continue }
        let manifests = try ManifestList.decode(try await metadata(at: list))
          .filter { $0.addedSnapshotID == snapshot.id && $0.content == .data }
        for manifest in try planner.select(manifests) {
          let files = try planner.files(of: manifest, bytes: try await metadata(at: manifest.path))
          // A manifest may also hold files that were there before.
          for file in files where file.sequenceNumber == snapshot.sequenceNumber {
            blocks += try await self.blocks(of: file, deletes)
          }
        }
      }
      return blocks
    } catch let error as IcebergError {
      throw .corrupt("table logs: \(error)")
    } catch let error as QueryError {
      throw error
    } catch {
      throw .corrupt("table logs: \(error)")
    }
  }

  /// Oldest first.
  private func appends(since snapshotID: Int64?) throws(QueryError) -> [Snapshot] {
    var found: [Snapshot] = []
    var next = table.metadata.currentSnapshot
    while let snapshot = next, snapshot.id != snapshotID {
      if snapshot.summary["operation"] == "append" { found.append(snapshot) }
      if snapshot.parentID == snapshotID { break }
      guard let parent = snapshot.parentID, let known = table.metadata.snapshot(id: parent) else {
        throw .unavailable("the table's history does not reach back to where the tail stood")
      }
      next = known
    }
    return found.reversed()
  }

  private func currentDeletes(_ range: TimeRange) async throws -> DeleteIndex {
    let planner = try ScanPlanner(table: table.metadata, predicate: predicate(range), deletes: .applied)
    guard let list = planner.manifestListLocation else { return DeleteIndex([]) }
    return try await deletes(planner, try ManifestList.decode(try await metadata(at: list)))
  }

  private func blocks(of scanned: ScanFile, _ index: DeleteIndex) async throws(QueryError) -> [any LogBlock] {
    let key = try reader.key(of: scanned.file.path)
    let access = BlockAccess(reader, cache)
    return try await rowGroups(of: scanned, key, QueryCache.Name(key.text), index).map {
      ParquetLogBlock(group: $0, access: access)
    }
  }
}
