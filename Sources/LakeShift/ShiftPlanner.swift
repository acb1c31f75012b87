import LakeModel
import LakeParquet
import LakeSchema
package import LakeWAL

/// Decides what a shift takes. Pure: the runner reads, writes and commits.
package enum ShiftPlanner {
  package struct Input: Sendable {
    package var state: QueueState
    package var listing: LaneListing
    /// The part of each run that this plan may take; see `cut`.
    package var runs: [LaneRun]
    /// For every segment of `runs`.
    package var findings: [SegmentID: SegmentFinding]
    /// committed(S).
    package var committed: Set<Fingerprint>
    /// Row groups that failed twice while being read, and why (SHF-5).
    package var badRowGroups: [SegmentID: [Int: String]] = [:]
    /// Fingerprint objects that may go once these lanes have ended in the state (DUP-5).
    package var cuts: [FingerprintCut] = []
    package var isCut = false
    package var planted = Planted()

    package init(
      state: QueueState, listing: LaneListing, runs: [LaneRun], findings: [SegmentID: SegmentFinding],
      committed: Set<Fingerprint>
    ) {
      self.state = state
      self.listing = listing
      self.runs = runs
      self.findings = findings
      self.committed = committed
    }
  }

  /// Mistakes for the simulator to catch.
  package struct Planted: Sendable {
    package var ignoresFingerprints = false
    package var forgetsLanesEarly = false
    package var skipsHoles = false
    package init() {}
  }

  package static func plan(_ input: Input, limits: ShiftSettings) -> ShiftPlan {
    var taking = Taking(input)
    for run in input.runs { taking.take(run) }
    return taking.plan(limits)
  }

  /// Cuts runs to what one plan may take, in the order of lanes.
  package static func cut(_ runs: [LaneRun], limits: ShiftSettings) -> (runs: [LaneRun], isCut: Bool) {
    var segments = 0
    var bytes = 0
    var isCut = false
    let cut = runs.map { run in
      run.prefix(while: { entry in
        guard segments < limits.planSegmentsMax, bytes < limits.planBytesMax else {
          isCut = true
          return false
        }
        segments += 1
        bytes += entry.size
        return true
      })
    }
    return (cut, isCut)
  }
}

/// A plan while lane after lane is taken into it.
private struct Taking {
  let input: ShiftPlanner.Input
  var next: QueueState
  var filter: RepeatFilter
  var groups: [WALRowGroup] = []
  var fingerprints: Set<Fingerprint> = []
  var segmentCount = 0
  var repeatCount = 0

  init(_ input: ShiftPlanner.Input) {
    self.input = input
    next = input.state
    filter = RepeatFilter(committed: input.committed, dropsCommitted: !input.planted.ignoresFingerprints)
  }

  /// Takes a run as far as it can be read.
  mutating func take(_ run: LaneRun) {
    var position = run.start
    func quarantine(_ sequence: Int, _ reason: QuarantineEntry.Reason) {
      next.quarantine.append(QuarantineEntry(segment: SegmentID(lane: run.lane, sequence: sequence), reason: reason))
    }
    for entry in run.segments {
      // SHF-6: a hole below a standing segment is damage.
      for sequence in position..<entry.sequence where !input.planted.skipsHoles { quarantine(sequence, .missing) }
      let id = SegmentID(lane: run.lane, sequence: entry.sequence)
      position = entry.sequence
      switch input.findings[id] {
      case .readable(let segment): take(segment)
      case .damaged(let message): quarantine(entry.sequence, .unreadable(message))
      // SHF-5: a read error or a newer version only stops this lane.
      case .stopped, nil:
        set(run, position, isWhole: false)
        return
      }
      segmentCount += 1
      position = entry.sequence + 1
    }
    if let end = run.end, !input.planted.skipsHoles {
      for sequence in position..<end { quarantine(sequence, .missing) }
    }
    set(run, position, isWhole: true)
  }

  private mutating func set(_ run: LaneRun, _ position: Int, isWhole: Bool) {
    if isWhole, let end = run.end {
      next.lanes[run.lane] = .ended(end)
    } else if input.state.lanes[run.lane] != nil || position > run.start {
      next.lanes[run.lane] = .next(position)
    }
  }

  private mutating func take(_ segment: OpenSegment) {
    let bad = input.badRowGroups[segment.id] ?? [:]
    var out: Set<Int> = []
    if !bad.isEmpty {
      let groups = bad.keys.sorted().map { index in
        QuarantineEntry.BadRowGroup(index: index, key: segment.metadata.rowGroups[index].key)
      }
      next.quarantine.append(
        QuarantineEntry(segment: segment.id, reason: .unreadableRowGroups(groups, bad[groups[0].index]!)))
      // SHF-5: requests with rows in a bad row group are left out whole, and are not committed.
      for (number, request) in segment.metadata.requests.enumerated()
      where request.shares.contains(where: { bad[$0.rowGroup] != nil }) { out.insert(number) }
    }
    let dropped = filter.dropped(of: segment.metadata, excluding: out)
    repeatCount += dropped.count
    let gone = out.union(dropped)
    for (number, request) in segment.metadata.requests.enumerated() where !gone.contains(number) {
      if let fingerprint = request.fingerprint { fingerprints.insert(fingerprint) }
    }
    groups += segment.rowGroups(in: .everything, dropping: gone.sorted()).filter { bad[$0.index] == nil }
  }

  mutating func plan(_ limits: ShiftSettings) -> ShiftPlan {
    next.generation += 1
    next.quarantine = Set(next.quarantine).sorted()
    forgetLanes()
    forgetFingerprints()
    return ShiftPlan(
      generation: input.state.generation, tasks: ShiftTask.divide(groups, limits: limits), nextState: next,
      knownQuarantine: Set(input.state.quarantine),
      fingerprints: fingerprints.sorted(), segmentCount: segmentCount,
      rowCount: groups.reduce(0) { $0 + $1.rowCount }, repeatCount: repeatCount, isCut: input.isCut)
  }

  /// DEL-2: a lane leaves the state when it has ended there and the listing shows no object of it.
  private mutating func forgetLanes() {
    for (lane, position) in input.state.lanes where position.hasEnded {
      if input.planted.forgetsLanesEarly || input.listing.lane(lane) == nil { next.lanes[lane] = nil }
    }
  }

  /// DUP-5: an object goes when every lane listed after it was due has ended and is shifted to its end.
  private mutating func forgetFingerprints() {
    var gone: Set<String> = []
    for cut in input.cuts where cut.lanes.allSatisfy({ isOver($0) }) { gone.formUnion(cut.objects) }
    next.fingerprints.removeAll { gone.contains($0.name) }
  }

  private func isOver(_ lane: LaneID) -> Bool {
    if let position = next.lanes[lane] { return position.hasEnded }
    return input.listing.lane(lane) == nil
  }
}

extension ShiftTask {
  /// Row groups by partition, in tasks that keep within the limits and are about equally large.
  static func divide(_ groups: [WALRowGroup], limits: ShiftSettings) -> [ShiftTask] {
    let byKey = Dictionary(grouping: groups, by: \.key)
    return byKey.keys.sorted().flatMap { key in divide(byKey[key]!, key, limits) }
  }

  private static func divide(_ groups: [WALRowGroup], _ key: PartitionKey, _ limits: ShiftSettings) -> [ShiftTask] {
    let weights = groups.map { weight($0, limits) }
    let count = max(1, Int(weights.reduce(0, +).rounded(.up)))
    let share = weights.reduce(0, +) / Double(count)
    var tasks: [ShiftTask] = []
    var sources: [WALRowGroup] = []
    var taken = 0.0
    for (group, weight) in zip(groups, weights) {
      if !sources.isEmpty && taken + weight / 2 > share * Double(tasks.count + 1) {
        tasks.append(ShiftTask(key: key, sources: sources))
        sources = []
      }
      sources.append(group)
      taken += weight
    }
    tasks.append(ShiftTask(key: key, sources: sources))
    return tasks
  }

  /// Tasks in their order, in lots whose tasks are worked on side by side: a task alone, or some that together make a small one.
  /// A plan over many tenants has many tasks that cost little more than the answer to their upload takes.
  package static func lots(_ tasks: [ShiftTask], limits: ShiftSettings) -> [[ShiftTask]] {
    var lots: [[ShiftTask]] = []
    var taken = 0.0
    for task in tasks {
      let weight = task.sources.reduce(0.0) { $0 + ShiftTask.weight($1, limits) }
      if let last = lots.last, last.count < limits.lotTasksMax, taken + weight <= lotWeightMax {
        lots[lots.count - 1].append(task)
        taken += weight
      } else {
        lots.append([task])
        taken = weight
      }
    }
    return lots
  }

  private static let lotWeightMax = 1.0 / 8

  /// The part of a task that a row group takes up: 1 is a full one.
  private static func weight(_ group: WALRowGroup, _ limits: ShiftSettings) -> Double {
    let chunks = group.rowGroup.chunks
    let memory = chunks.reduce(0.0) { $0 + Double($1.uncompressedBytes) }
    return max(
      1 / Double(max(limits.taskRowGroupsMax, 1)),
      Double(group.rowGroup.bytes) / Double(max(limits.taskInputBytesMax, 1)),
      memory / Double(max(limits.taskMemoryMax, 1)))
  }
}
