import LakeIceberg
import LakeModel
import LakePorts
import LakeSchema
import LakeWAL

/// What operators see of a shift: instruments and the journal.
extension ShiftRunner {
  func noteWaiting(_ runs: [LaneRun], now: ClockInstant) {
    var waiting: [LaneID: (start: Int, seen: ClockInstant)] = [:]
    for run in runs where !run.segments.isEmpty {
      let known = waitingSince[run.lane]
      waiting[run.lane] = known?.start == run.start ? known : (run.start, now)
    }
    waitingSince = waiting
    measureLag()
  }

  func measureLag() {
    let oldest = waitingSince.values.map(\.seen).min()
    instruments.lag.set(oldest.map { Double($0.duration(to: ports.clock.now).nanoseconds) / 1e9 } ?? 0)
  }

  func measure(_ table: TableState, _ state: QueueState, _ runs: [LaneRun]) {
    let waiting = runs.flatMap { run in
      run.segments.filter { state.lanes[run.lane]?.isPast($0.sequence) != true }
    }
    instruments.walFiles.set(Double(waiting.count))
    instruments.walBytes.set(Double(waiting.reduce(0) { $0 + $1.size }))
    instruments.quarantined.set(Double(state.quarantine.count))
    instruments.snapshots.set(Double(table.metadata.snapshots.count))
  }

  func note(_ plan: ShiftPlan, _ state: QueueState, _ fileCount: Int) {
    ports.journal.note(
      .info, "shift.committed",
      [
        ("table", table.name), ("generation", "\(state.generation)"), ("segments", "\(plan.segmentCount)"),
        ("rows", "\(plan.rowCount)"), ("repeats", "\(plan.repeatCount)"), ("files", "\(fileCount)"),
      ])
    let known = Set(state.quarantine).subtracting(plan.knownQuarantine)
    for entry in known.sorted() {
      // SHF-6: an alarm.
      ports.journal.note(
        .error, "shift.quarantine", [("segment", "\(entry.segment)"), ("reason", "\(entry.reason)")])
    }
  }

  /// What is seldom done, for whoever counts it.
  func note(_ made: Made, _ state: QueueState) {
    let (plan, journal) = (made.plan, ports.journal)
    if plan.isCut { journal.note(.debug, "shift.cut", [("table", table.name)]) }
    if plan.repeatCount > 0 { journal.note(.debug, "shift.repeats", [("requests", "\(plan.repeatCount)")]) }
    if made.files.isEmpty { journal.note(.debug, "shift.empty", [("table", table.name)]) }
    if let stopped = made.stopped { journal.note(.warning, "shift.stopped", [("segment", stopped)]) }
    if memory.awaitsCommit(state) { journal.note(.debug, "shift.closing", [("table", table.name)]) }
    if state.lanes.keys.contains(where: { plan.nextState.lanes[$0] == nil }) {
      journal.note(.debug, "shift.lane.forgotten", [("table", table.name)])
    }
    if plan.nextState.fingerprints.count < state.fingerprints.count {
      journal.note(.debug, "shift.fingerprints.forgotten", [("table", table.name)])
    }
  }
}
