/// The journal events of the engines that every large swarm should have met: rare branches above all.
package enum Coverage {
  package static let branches: [String] = [
    // writing
    "wal.opening.failed", "wal.put.exists", "wal.put.unknown", "wal.put.failed", "wal.readback.ours",
    "wal.readback.tombstone", "wal.readback.nothing", "wal.readback.unreadable", "wal.write.unknown", "wal.lane.left",
    "wal.lane.end", "ingest.expired", "ingest.late", "ingest.full", "ingest.repeated", "ingest.followed",
    "ingest.lane.ended",
    // shifting
    "shift.committed", "shift.commit.failed", "shift.over", "shift.overtaken", "shift.plan.old", "shift.base.expired",
    "shift.upload.again", "shift.standby", "shift.cut", "shift.repeats", "shift.empty", "shift.stopped",
    "shift.closing",
    "shift.lane.end", "shift.lane.forgotten", "shift.fingerprints.forgotten", "shift.delete.failed", "shift.failed",
    "shift.sweep", "shift.manifests.merged", "shift.merge.skipped",
    // reading
    "wal.moved", "wal.vanished", "wal.repeats", "read.failed",
    // others
    "foreign.delete", "foreign.rewrite", "foreign.expire", "foreign.rollback", "foreign.failed",
  ]
}
