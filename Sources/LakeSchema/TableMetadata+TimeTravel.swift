extension TableMetadata {
  /// The snapshot that was current at a time (milliseconds since the epoch); nil before the first.
  /// Source: Iceberg table specification, Appendix F, "Point in Time Reads".
  package func snapshot(asOf time: Int64) -> Snapshot? {
    snapshotLog.last { $0.timestamp <= time }.flatMap { snapshot(id: $0.snapshotID) }
  }

  /// The snapshot that a branch or tag points at.
  package func snapshot(ref name: String) -> Snapshot? { refs[name].flatMap { snapshot(id: $0.snapshotID) } }

  /// The snapshot and those it was built on, newest first, as far as the table still knows them.
  package func ancestry(of id: Int64) -> [Snapshot] {
    var line: [Snapshot] = []
    var seen: Set<Int64> = []
    var next = snapshot(id: id)
    while let snapshot = next, seen.insert(snapshot.id).inserted {
      line.append(snapshot)
      next = snapshot.parentID.flatMap { self.snapshot(id: $0) }
    }
    return line
  }
}
