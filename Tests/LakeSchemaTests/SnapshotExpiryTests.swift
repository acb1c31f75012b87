import LakeModel
import LakeSchema
import Testing

@Suite("snapshot expiry")
struct SnapshotExpiryTests {
  /// Snapshots 1 to 6 a day apart in a line; 7 beside it, on 2.
  private func table(refs: [String: SnapshotRef] = [:], properties: [String: String] = [:]) -> TableMetadata {
    let day: Int64 = 86_400_000
    let line = (1...7 as ClosedRange<Int64>).map { id in
      Snapshot(
        id: id, parentID: id == 1 ? nil : (id == 7 ? 2 : id - 1), sequenceNumber: id, timestamp: id * day,
        manifestList: "l", summary: [:], schemaID: nil)
    }
    return TableMetadata(
      tableUUID: "u", location: "s3://b/t", lastUpdated: 7 * day, lastColumnID: 0, schemas: [], currentSchemaID: 0,
      partitionSpecs: [], defaultSpecID: 0, lastPartitionID: 999, sortOrders: [], defaultSortOrderID: 0,
      properties: properties, currentSnapshotID: 6, snapshots: line,
      snapshotLog: (1...6).map { SnapshotLogEntry(snapshotID: $0, timestamp: $0 * day) },
      refs: refs.merging(["main": SnapshotRef(snapshotID: 6, kind: .branch)]) { $1 })
  }

  private static let day: Int64 = 86_400_000

  @Test("keeps what is young, what is current, and so many of a branch")
  func main() {
    let now = 10 * Self.day
    #expect(SnapshotExpiry(table()).plan(table(), now: now).snapshots == [1, 2, 3, 4])
    #expect(
      SnapshotExpiry(snapshotAgeMax: Self.day, snapshotsToKeepMin: 1).plan(table(), now: now).snapshots
        == [1, 2, 3, 4, 5, 7])
    #expect(
      SnapshotExpiry(snapshotAgeMax: Self.day, snapshotsToKeepMin: 3).plan(table(), now: now).snapshots == [1, 2, 3, 7])
    #expect(SnapshotExpiry(table()).plan(table(), now: Self.day).updates == [])
  }

  @Test("goes by the table's properties, and by a ref's own limits before them")
  func limits() {
    let properties = ["history.expire.max-snapshot-age-ms": "1", "history.expire.min-snapshots-to-keep": "2"]
    let table = table(
      refs: [
        "tag": SnapshotRef(snapshotID: 1, kind: .tag),
        "old": SnapshotRef(snapshotID: 3, kind: .tag, maxRefAge: Self.day),
        "side": SnapshotRef(snapshotID: 7, kind: .branch, minSnapshotsToKeep: 1, maxSnapshotAge: 100 * Self.day),
      ], properties: properties)
    let plan = SnapshotExpiry(table).plan(table, now: 10 * Self.day)
    #expect(plan.refs == ["old"])
    #expect(plan.snapshots == [3, 4])  // 1 tagged, 2 and 7 young enough for the side branch, 5 and 6 of main
    #expect(plan.updates == [.removeSnapshotRef("old"), .removeSnapshots([3, 4])])
  }

  @Test("time travel finds the snapshot that was current")
  func timeTravel() {
    #expect(table().snapshot(asOf: 3 * Self.day)?.id == 3)
    #expect(table().snapshot(asOf: 4 * Self.day - 1)?.id == 3)
    #expect(table().snapshot(asOf: 99 * Self.day)?.id == 6)
    #expect(table().snapshot(asOf: 1) == nil)
    #expect(table().snapshot(ref: "main")?.id == 6)
    #expect(table().ancestry(of: 7).map(\.id) == [7, 2, 1])
  }
}
