/// Which snapshots and refs a table no longer keeps. Source: Iceberg table specification, "Snapshot Retention Policy".
package struct SnapshotExpiry: Hashable, Sendable {
  /// Older ones go, unless a ref keeps them: milliseconds.
  package var snapshotAgeMax: Int64
  /// So many of each branch stay, however old.
  package var snapshotsToKeepMin: Int
  /// nil: refs stay for ever.
  package var refAgeMax: Int64?

  package init(snapshotAgeMax: Int64, snapshotsToKeepMin: Int, refAgeMax: Int64? = nil) {
    self.snapshotAgeMax = snapshotAgeMax
    self.snapshotsToKeepMin = snapshotsToKeepMin
    self.refAgeMax = refAgeMax
  }

  /// As the table's `history.expire.*` properties say.
  package init(_ table: TableMetadata) {
    self.init(
      snapshotAgeMax: table.properties.number(
        TableProperties.snapshotAgeMax, default: TableProperties.snapshotAgeMaxDefault),
      snapshotsToKeepMin: table.properties.number(
        TableProperties.snapshotsToKeepMin, default: TableProperties.snapshotsToKeepMinDefault),
      refAgeMax: table.properties[TableProperties.refAgeMax].flatMap { Int64($0) })
  }

  package struct Plan: Hashable, Sendable {
    /// Ascending by id.
    package var snapshots: [Int64]
    /// Ascending.
    package var refs: [String]

    /// - Returns: empty when there is nothing to expire.
    package var updates: [TableUpdate] {
      refs.map { .removeSnapshotRef($0) } + (snapshots.isEmpty ? [] : [.removeSnapshots(snapshots)])
    }
  }

  /// - Parameter now: milliseconds since the epoch. A clock that is ahead expires too much; whoever asks decides whose clock.
  package func plan(_ table: TableMetadata, now: Int64) -> Plan {
    let removed = table.refs.filter { name, ref in
      guard name != TableMetadata.mainBranch, let age = ref.maxRefAge ?? refAgeMax,
        let snapshot = table.snapshot(id: ref.snapshotID)
      else { return false }
      return now - snapshot.timestamp > age
    }
    var kept: Set<Int64> = []
    if let current = table.currentSnapshotID { kept.insert(current) }
    for (name, ref) in table.refs where removed[name] == nil {
      kept.insert(ref.snapshotID)
      guard ref.kind == .branch else { continue }
      let age = ref.maxSnapshotAge ?? snapshotAgeMax
      let count = ref.minSnapshotsToKeep ?? snapshotsToKeepMin
      for (position, snapshot) in table.ancestry(of: ref.snapshotID).enumerated() {
        if now - snapshot.timestamp > age, position >= count { break }
        kept.insert(snapshot.id)
      }
    }
    // A snapshot that no ref leads to was staged or rolled back; it goes by age alone.
    let referenced = Set(table.refs.values.flatMap { table.ancestry(of: $0.snapshotID).map(\.id) })
    let expired = table.snapshots.filter { snapshot in
      !kept.contains(snapshot.id)
        && (referenced.contains(snapshot.id) || now - snapshot.timestamp > snapshotAgeMax)
    }
    return Plan(snapshots: expired.map(\.id).sorted(), refs: removed.keys.sorted())
  }
}
