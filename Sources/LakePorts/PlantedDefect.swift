/// Mistakes that the engines make on purpose when told to, so that the simulator's checkers can be seen to catch them.
///
/// `Ports.planted` is nil in production. Each case names the rule it breaks; the engine asks `ports.hasPlanted(.x)` at the
/// very place where the rule is kept. `simulate plant` prints how many seeds each took to be caught.
package enum PlantedDefect: String, CaseIterable, Sendable {
  // LakeWAL, LakeIngest
  /// WAL-4: a 412 is taken for our own segment without reading it back.
  case treatExistingAsMine = "treat-412-as-mine"
  /// WAL-4: after a 412 the rows are written to another lane although the segment may be ours.
  case skipReadBack = "skip-read-back"
  /// WAL-4: after an unknown outcome the rows go to another lane at once.
  case retryElsewhere = "retry-elsewhere"
  /// WAL-4: a tombstone is taken for the proof that nothing of ours ever stood there.
  case trustTombstone = "trust-tombstone"
  /// WAL-5: a request is acknowledged while its segment's PUT is still in flight.
  case acknowledgeBeforePut = "acknowledge-before-put"
  /// WAL-5: no limit on the time between receipt and acknowledgement.
  case acknowledgeLate = "acknowledge-late"
  /// WAL-1: rows go into a lane at sequence 0, without an opening.
  case skipLaneOpening = "skip-lane-opening"
  /// WAL-2: sequence n+1 starts before n is known to be ours.
  case overlapPuts = "overlap-puts"
  /// WAL-2: a lane is written on however long it was quiet, although it may have been ended and forgotten meanwhile.
  case writeIntoQuietLane = "write-into-quiet-lane"
  /// WAL-6: a tombstone is put without a condition.
  case sealUnconditionally = "seal-unconditionally"
  /// DUP-3: a repeat of a request in flight is acknowledged at once.
  case acknowledgeInFlightRepeat = "acknowledge-in-flight-repeat"
  /// DUP-3: a failed request is remembered as durable.
  case rememberFailed = "remember-failed"
  // LakeShift
  /// SHF-3: the plan is committed on whatever generation is current.
  case commitOnAnyGeneration = "commit-on-any-generation"
  /// SHF-3: the commit names a data file whose upload was not answered.
  case commitUnansweredUpload = "commit-unanswered-upload"
  /// SHF-4: files of a plan whose commit got no clear answer are deleted.
  case deleteFilesOfUnknownCommit = "delete-files-of-unknown-commit"
  /// SHF-6: a run is read on across a missing sequence.
  case skipHoles = "skip-holes"
  /// DUP-4: the shift does not drop copies whose fingerprint is committed.
  case shiftIgnoresFingerprints = "shift-ignores-fingerprints"
  /// DUP-5: fingerprints leave the state by time alone, without waiting for the listed lanes to end.
  case forgetFingerprintsByTime = "forget-fingerprints-by-time"
  /// DEL-1: a segment is deleted when its plan starts, not when its commit is known.
  case deleteSegmentEarly = "delete-segment-early"
  /// DEL-1: opening and tombstone are deleted as soon as the lane's end is in the state.
  case deleteTombstoneEarly = "delete-tombstone-early"
  /// DEL-2: a lane leaves the state as soon as it has ended there, objects or not.
  case forgetLaneEarly = "forget-lane-early"
  // LakeWAL's view, LakeQuery
  /// RDR-1: the lanes are listed before the snapshot is taken, and nothing is confirmed.
  case listBeforeSnapshot = "list-before-snapshot"
  /// RDR-1: the snapshot is not confirmed after the listing.
  case skipConfirm = "skip-confirm"
  /// RDR-2: a lane without entry and opening counts.
  case countVoidLanes = "count-void-lanes"
  /// RDR-3: the reader does not drop copies whose fingerprint is committed.
  case readerIgnoresFingerprints = "reader-ignores-fingerprints"
  /// RDR-3: repeats within the WAL tail are not dropped.
  case readerKeepsTailRepeats = "reader-keeps-tail-repeats"
  /// RDR-4: a segment or file that vanished is left out of the answer.
  case skipVanished = "skip-vanished"
  /// SHF-1: the query does not restrict the WAL tail to its tenant.
  case mixTenantsInTail = "mix-tenants-in-tail"
  // LakeMaintain, foreign committers
  /// SHF-2: a commit that replaces content drops the state of the queue.
  case loseStateInForeignCommit = "lose-state-in-foreign-commit"
  /// SHF-2: a rollback sets the state back with the content.
  case rollBackState = "roll-back-state"
  // the filesystem store
  /// PRT-1: an object is answered without its bytes having been synced.
  case skipFileSync = "skip-file-sync"
  /// PRT-1: a create is answered without its directory having been synced.
  case skipDirectorySync = "skip-directory-sync"
  /// PRT-1: a delete is answered without its directory having been synced.
  case unlinkWithoutSync = "unlink-without-sync"
}
