package import LakeModel
package import LakePorts
package import LakeSchema

/// Reads a table's WAL tail. Writes nothing (WAL-6).
package struct WALReader: Sendable {
  package let table: LakeTable
  private let identifier: TableIdentifier
  private let access: QueueAccess
  private let kept = KeptTails()
  private let keptListing = KeptListing()

  package init(ports: Ports, settings: QueueSettings, table: LakeTable, topic: Topic, cache: WALCache) {
    self.table = table
    identifier = TableIdentifier(table)
    access = QueueAccess(ports: ports, settings: settings, topic: topic, cache: cache)
  }

  /// Attempts at a view before giving up (RDR-1).
  private static let attemptsMax = 8

  /// Takes S, lists the lanes, confirms S, and reads the footers of what lies beyond it (RDR-1 to RDR-4).
  ///
  /// - Parameter cached: a state of the table seen earlier: good enough to start from.
  /// - Throws: `.unsettled` when the table moved each time; `.vanished` never; others as they come.
  package func tail(_ scope: WALScope, startingFrom cached: QueuedTable? = nil) async throws(WALError) -> WALTail {
    var candidate = cached
    var statistics = WALStatistics()
    for attempt in 0..<WALReader.attemptsMax {
      statistics.restartCount = attempt
      do throws(WALError) {
        let (table, runs) = try await confirmedRuns(&candidate)
        guard let runs else { continue }
        return try await tail(scope, table, runs, statistics)
      } catch {
        // RDR-4: what a view named is gone, so the table has moved on.
        guard case .vanished(let key) = error else { throw error }
        access.ports.journal.note(.debug, "wal.vanished", [("key", key.text)])
        candidate = nil
      }
    }
    throw .unsettled(attempts: WALReader.attemptsMax)
  }

  /// Rows of one row group, repeats left out.
  ///
  /// - Parameter columns: fields of the table, met by id.
  /// - Throws: `.vanished`: the view is outdated, take another (RDR-4).
  package func rows(_ group: WALRowGroup, columns: Schema) async throws(WALError) -> ColumnBatch {
    try await access.rows(of: group.segment, rowGroup: group.index, columns: columns, dropping: group.droppedRequests)
  }

  /// Fingerprints that the table has committed in a state and had not in an earlier one (DUP-4).
  ///
  /// - Throws: `.vanished` when the state is no longer the table's (RDR-4).
  package func committed(in state: QueueState, since earlier: QueueState) async throws(WALError) -> Set<Fingerprint> {
    let known = Set(earlier.fingerprints)
    var added = state
    added.fingerprints = state.fingerprints.filter { !known.contains($0) }
    return added.fingerprints.isEmpty ? [] : try await access.committed(added, table: table.name)
  }

  // MARK: RDR-1

  /// - Returns: nil runs when S was not the table's state any more after the listing; `candidate` is then the new S.
  private func confirmedRuns(_ candidate: inout QueuedTable?) async throws(WALError) -> (QueuedTable, [LaneRun]?) {
    let ports = access.ports
    if ports.hasPlanted(.listBeforeSnapshot) {
      let listing = try await access.listLanes(since: keptListing)
      let table = try await load(knowing: nil)
      return (table, try await access.runs(listing, beyond: table.state))
    }
    let before: QueuedTable
    if let candidate { before = candidate } else { before = try await load(knowing: nil) }
    let listing = try await access.listLanes(since: keptListing)
    let runs = try await access.runs(listing, beyond: before.state)
    if ports.hasPlanted(.skipConfirm) { return (before, runs) }
    let after = try await load(knowing: before)
    candidate = after
    // Equal states mean that nothing was shifted in between; a newer snapshot with the same state holds the same rows
    // of the queue, so the newest one is taken.
    guard after.state == before.state, after.table.metadata.tableUUID == before.table.metadata.tableUUID else {
      ports.journal.note(.debug, "wal.moved", [("table", table.name)])
      return (after, nil)
    }
    return (after, runs)
  }

  /// - Parameter known: read earlier; where the catalog still names its metadata nothing is parsed again.
  private func load(knowing known: QueuedTable?) async throws(WALError) -> QueuedTable {
    let table: TableState
    do throws(CatalogError) {
      table = try await access.ports.catalog.loadTable(identifier)
    } catch {
      throw WALError(error)
    }
    // A location never names two contents (PRT-2).
    if let known, !table.metadataLocation.isEmpty, known.table.metadataLocation == table.metadataLocation {
      return known
    }
    return try QueuedTable(table)
  }

  // MARK: RDR-2, RDR-3

  private func tail(
    _ scope: WALScope, _ known: QueuedTable, _ runs: [LaneRun], _ counted: WALStatistics
  ) async throws(WALError) -> WALTail {
    let scope = access.ports.hasPlanted(.mixTenantsInTail) ? .everything : scope
    let all: SortedTail
    if let kept = kept.tail(of: scope.tenant, in: known, runs) {
      all = kept
    } else {
      all = try await sorted(scope.tenant, known, runs)
      if access.ports.planted == nil { kept.keep(all, of: scope.tenant, in: known, runs) }
    }
    if all.repeatCount > 0 {
      access.ports.journal.note(.debug, "wal.repeats", [("requests", "\(all.repeatCount)")])
    }
    var statistics = counted
    statistics.laneCount = runs.count
    statistics.segmentCount = all.segmentCount
    statistics.repeatCount = all.repeatCount
    return WALTail(
      known: known, rowGroups: scope.days == nil ? all.rowGroups : all.rowGroups.filter { scope.includes($0.key) },
      warnings: warnings(known.state, runs, scope) + all.damaged, statistics: statistics,
      reach: Dictionary(runs.map { ($0.lane, $0.next) }, uniquingKeysWith: max),
      notes: scope.days == nil ? all.notes : TailNotes())
  }

  /// What a tenant's rows in the runs are once repeats are taken out; nil: all tenants.
  private func sorted(
    _ tenant: TenantID?, _ known: QueuedTable, _ runs: [LaneRun]
  ) async throws(WALError) -> SortedTail {
    let (segments, damaged) = try await open(runs)
    var tail = SortedTail(segmentCount: segments.count, damaged: damaged)
    // Repeats are told apart over all days: records that brought no time may lie on another day in each copy.
    let scope = tenant.map { WALScope(tenant: $0) } ?? .everything
    let wanted = segments.filter { segment in segment.metadata.rowGroups.contains { scope.includes($0.key) } }
    let needsFingerprints = wanted.contains { $0.metadata.requests.contains { $0.fingerprint != nil } }
    var filter = RepeatFilter(
      committed: needsFingerprints ? try await access.committed(known.state, table: self.table.name) : [],
      dropsCommitted: !access.ports.hasPlanted(.readerIgnoresFingerprints),
      dropsTaken: !access.ports.hasPlanted(.readerKeepsTailRepeats))
    for segment in wanted {
      let dropped = filter.dropped(of: segment.metadata)
      tail.repeatCount += dropped.count
      tail.rowGroups += segment.rowGroups(in: scope, dropping: dropped)
    }
    return tail
  }

  /// Segments in ascending order of (lane, sequence), and a sentence for each that cannot be read.
  ///
  /// A segment whose footer is damaged is left out with a warning, as it will be once the shift has put it into quarantine
  /// (SHF-5): nobody can say whose rows it holds, and the other tenants' queries must not fail for it.
  private func open(_ runs: [LaneRun]) async throws(WALError) -> ([OpenSegment], [String]) {
    let entries = runs.flatMap { run in
      run.segments.map { (id: SegmentID(lane: run.lane, sequence: $0.sequence), size: $0.size) }
    }
    var opened = access.cache.segments(entries.map(\.id), of: access.topic)
    // What is in memory costs a look, not a task.
    let unread = opened.indices.filter { opened[$0] == nil }
    let read = try await concurrently(unread, limit: QueueAccess.readsAtOnceMax) {
      index throws(WALError) -> OpenSegment? in
      let entry = entries[index]
      do throws(WALError) {
        return try await open(entry.id, size: entry.size)
      } catch {
        switch error {
        case .vanished where access.ports.hasPlanted(.skipVanished): return nil
        case .damaged(let key, let message):
          access.ports.journal.note(.error, "wal.damaged", [("key", key.text), ("error", message)])
          return nil
        default: throw error
        }
      }
    }
    for (index, segment) in zip(unread, read) { opened[index] = segment }
    let damaged = zip(entries, opened).compactMap { entry, segment in
      segment == nil ? "segment \(entry.id) cannot be read: rows may be missing" : nil
    }
    return (opened.compactMap { $0 }, damaged)
  }

  private func open(_ id: SegmentID, size: Int) async throws(WALError) -> OpenSegment {
    do throws(WALError) {
      return try await access.open(id, size: size)
    } catch {
      guard case .damaged = error else { throw error }
      // Once more, past every cache.
      return try await access.open(id, size: size, isFresh: true)
    }
  }

  private func warnings(_ state: QueueState, _ runs: [LaneRun], _ scope: WALScope) -> [String] {
    var warnings: [String] = []
    for entry in state.quarantine where scope.tenant.map({ entry.mayConcern($0) }) ?? true {
      warnings.append("segment \(entry.segment) is in quarantine: rows may be missing")
    }
    for run in runs {
      for range in run.missing {
        warnings.append("segments \(range.lowerBound)..<\(range.upperBound) of lane \(run.lane) are missing")
      }
    }
    return warnings
  }
}

extension OpenSegment {
  /// The row groups of a scope with rows that count.
  package func rowGroups(in scope: WALScope, dropping dropped: [Int]) -> [WALRowGroup] {
    var gone = [Int: (rows: Int, requests: [Int])]()
    for number in dropped {
      for share in metadata.requests[number].shares {
        gone[share.rowGroup, default: (0, [])].rows += share.rowCount
        gone[share.rowGroup]!.requests.append(number)
      }
    }
    return metadata.rowGroups.indices.compactMap { index in
      let group = metadata.rowGroups[index]
      let left = group.rowCount - (gone[index]?.rows ?? 0)
      guard scope.includes(group.key), left > 0 else { return nil }
      return WALRowGroup(
        segment: self, index: index, key: group.key, rowCount: left, droppedRequests: gone[index]?.requests ?? [])
    }
  }
}
