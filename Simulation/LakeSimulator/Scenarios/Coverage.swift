/// The journal events of the engines that every large swarm should have met: rare branches above all.
package enum Coverage {
  package static let branches: [String] = [
    // writing
    "wal.segment", "wal.opening.failed", "wal.put.exists", "wal.put.unknown", "wal.put.failed", "wal.readback.ours",
    "wal.readback.tombstone", "wal.readback.nothing", "wal.readback.unreadable", "wal.write.unknown", "wal.lane.left",
    "wal.lane.end", "ingest.expired", "ingest.late", "ingest.full", "ingest.repeated", "ingest.followed",
    // shifting
    "shift.committed", "shift.commit.failed", "shift.over", "shift.overtaken", "shift.plan.old", "shift.plan.halved",
    "shift.base.expired",
    "shift.upload.again", "shift.standby", "shift.cut", "shift.repeats", "shift.empty", "shift.stopped",
    "shift.closing",
    "shift.lane.end", "shift.lane.forgotten", "shift.fingerprints.forgotten", "shift.delete.failed", "shift.failed",
    "shift.sweep", "shift.manifests.merged", "shift.merge.skipped",
    // reading
    "wal.moved", "wal.vanished", "wal.repeats", "wal.hole", "wal.listing.overlapped", "read.failed",
    // others
    "foreign.delete", "foreign.rewrite", "foreign.expire", "foreign.rollback", "foreign.failed",
  ]

  /// Events that no run of the swarm brings about, why, and what does.
  package static let elsewhere: [(event: String, why: String)] = [
    ("wal.damaged", "bytes that were answered for rot in no store of the swarm; story damage"),
    ("shift.quarantine", "the same; story damage"),
    ("wal.readback.other", "a lane has one writer (WAL-1); LaneStateMachineTests"),
    ("ingest.unfit", "rows that no door lets in; SegmentTests"),
  ]
}
