/// What must always hold, numbered once: the same id stands in the code that keeps it, the checker, the failure and the README.
///
/// Ids are the rules of the protocol (LakeWAL/README.md); a rule with several checkable sides has a letter for each.
package struct Invariant: Hashable, Sendable, CustomStringConvertible {
  package let id: String
  package let statement: String

  private init(_ id: String, _ statement: String) {
    self.id = id
    self.statement = statement
  }

  package var description: String { "\(id) \(statement)" }

  package static let all: [Invariant] = [
    ackedRowOnce, unackedRowAtMostOnce, rowsStayWithTenant, answeredWriteStands, laneHasOneWriter, laneIsUnbroken,
    acknowledgedInTime, segmentNeverChanges, memoryIsBounded, walIsBounded, stateMovesForward, lineageIsUnbroken,
    filesStand,
    damageIsTold, liveObjectIsKept,
    compactionKeepsRows, comesToRest, replaysAlike,
  ]

  package static let ackedRowOnce = Invariant("SHF-1a", "an acknowledged row is visible exactly once")
  package static let unackedRowAtMostOnce = Invariant("SHF-1b", "a row never acknowledged is visible at most once")
  package static let rowsStayWithTenant = Invariant("SHF-1c", "a row is visible to its own tenant only")
  package static let answeredWriteStands = Invariant("PRT-1", "what the store answered survives a loss of power")
  package static let laneHasOneWriter = Invariant("WAL-1", "a lane has one writer life")
  package static let laneIsUnbroken = Invariant("WAL-2", "nothing below the end of a run appears later")
  package static let acknowledgedInTime = Invariant(
    "WAL-5", "what is acknowledged was durable within ackDelayMax of its receipt")
  package static let segmentNeverChanges = Invariant("WAL-6", "an object of the WAL is created once and never replaced")
  package static let memoryIsBounded = Invariant("WAL-7a", "requests held in memory stay within their bound")
  package static let walIsBounded = Invariant("WAL-7b", "the WAL stays within a bound while the shift runs")
  package static let stateMovesForward = Invariant(
    "SHF-2a", "the state changes one generation at a time, with a new snapshot, and no lane goes back")
  package static let lineageIsUnbroken = Invariant("SHF-2b", "every snapshot is the child of the one before it")
  package static let filesStand = Invariant("SHF-3", "a snapshot names only files that stand")
  package static let damageIsTold = Invariant(
    "SHF-6", "what is missing or cannot be read is in quarantine, and nothing else")
  package static let liveObjectIsKept = Invariant("DEL-1", "an object that is needed is not deleted")
  package static let compactionKeepsRows = Invariant("CMP-1", "compaction preserves the row multiset")
  package static let comesToRest = Invariant("LIV-1", "once faults stop, all work comes to rest")
  package static let replaysAlike = Invariant("SIM-1", "one seed is one history")
}
