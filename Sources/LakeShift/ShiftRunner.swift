package import LakePorts
package import LakeSchema
package import LakeWAL

/// Moves rows of one topic's lanes into one table, and deletes what no table needs any more. Any number of runners may
/// work on one table: a lost race costs work, never a row (SHF-3).
package struct ShiftRunner: Sendable {
  package init(
    ports: Ports, settings: ShiftSettings = ShiftSettings(), table: LakeTable,
    derivation: any RowDerivation = SameRows(), cache: WALCache = WALCache()
  ) {}

  /// Shifts, seals and deletes every `settings.interval`, until the task is cancelled.
  package func run() async { preconditionFailure("not yet") }

  /// Everything acknowledged before the call is in the table when it returns, and what may be deleted is gone.
  package func flush() async throws(ShiftError) { preconditionFailure("not yet") }
}

package enum ShiftError: Error, Hashable, Sendable {
  case wal(WALError)
  case store(ObjectStoreError)
  case catalog(CatalogError)
  /// The table's schema or partition spec is not what this version writes: migrate first.
  case unfit(String)
  /// The plan took longer than `planAgeMax`, or others won each time.
  case gaveUp(String)
  case cancelled
}
