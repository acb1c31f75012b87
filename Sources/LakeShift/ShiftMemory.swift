package import LakeModel
package import LakePorts
package import LakeWAL

/// Fingerprint objects that may leave the state once these lanes are over (DUP-5).
package struct FingerprintCut: Hashable, Sendable {
  package let objects: Set<String>
  package let lanes: Set<LaneID>

  package init(objects: Set<String>, lanes: Set<LaneID>) {
    self.objects = objects
    self.lanes = lanes
  }
}

/// What one life of a shift has seen and when, by its own clock (DEL-4, CLK-1). Waits are counted from here; a new life
/// begins them anew.
package struct ShiftMemory: Sendable {
  private let settings: QueueSettings
  private let planAgeMax: Duration
  private let planted: PlantedDefect?
  /// When the commit that brought a fingerprint object was first known.
  private var commitsKnown: [String: ClockInstant] = [:]
  package private(set) var cuts: [FingerprintCut] = []
  /// Where each lane's run ended, and since when.
  private var tails: [LaneID: (next: Int, since: ClockInstant)] = [:]
  /// Since when each lane's end is known to be in all states.
  private var endsKnown: [LaneID: ClockInstant] = [:]
  /// Since when each segment is known to be deletable.
  private var pastKnown: [SegmentID: ClockInstant] = [:]
  /// Fingerprint objects that a state has named.
  private var named: Set<String> = []
  /// Fingerprint objects that no state seen here named: since when, and the generation once they had waited.
  private var unnamed: [String: (since: ClockInstant, dueAt: Int?)] = [:]
  /// The same of files below the table's location.
  private var orphans: [ObjectKey: (since: ClockInstant, dueAt: Int?)] = [:]

  package init(settings: QueueSettings, planAgeMax: Duration, planted: PlantedDefect? = nil) {
    self.settings = settings
    self.planAgeMax = planAgeMax
    self.planted = planted
  }

  // MARK: fingerprints

  /// Fingerprint objects that may be deleted: those that a state named and a later one does not, and those that no plan
  /// still under way can name any more (DEL-1, as DEL-3 for data files).
  ///
  /// - Parameters:
  ///   - names: as a listing showed them.
  ///   - state: of the table, loaded at any time.
  package mutating func deletableFingerprints(_ names: [String], _ state: QueueState, now: ClockInstant) -> [String] {
    let current = Set(state.fingerprints.map(\.name))
    named.formUnion(current)
    var waiting: [String: (since: ClockInstant, dueAt: Int?)] = [:]
    var found: [String] = []
    for name in names where !current.contains(name) {
      if named.contains(name) {
        found.append(name)
        continue
      }
      var entry = unnamed[name] ?? (now, nil)
      // Plans that name it have been committed by now, or their commit fails on the next generation.
      if entry.since.advanced(by: planAgeMax * 2) < now {
        if let dueAt = entry.dueAt, state.generation > dueAt {
          found.append(name)
          continue
        }
        entry.dueAt = entry.dueAt ?? state.generation
      }
      waiting[name] = entry
    }
    unnamed = waiting
    named.formIntersection(names)
    named.formUnion(current)
    return found
  }

  /// Whether something waits for a commit, of whatever content: once it stands, no plan that was under way before can name
  /// what is to be deleted (DEL-3).
  package func awaitsCommit(_ state: QueueState) -> Bool {
    unnamed.values.contains { $0.dueAt == state.generation } || orphans.values.contains { $0.dueAt == state.generation }
  }

  /// Files that no snapshot named, at every look for long enough, and after a commit that made every older plan fail
  /// (DEL-3).
  ///
  /// - Parameters:
  ///   - keys: as the last look found them; at most so many are remembered that memory stays small.
  ///   - generation: of the table that the look was at.
  package mutating func deletableFiles(_ keys: [ObjectKey], generation: Int, now: ClockInstant) -> [ObjectKey] {
    var waiting: [ObjectKey: (since: ClockInstant, dueAt: Int?)] = [:]
    var found: [ObjectKey] = []
    for key in keys.prefix(ShiftMemory.orphansMax) {
      var entry = orphans[key] ?? (now, nil)
      if entry.since.advanced(by: planAgeMax * 2) < now {
        if let dueAt = entry.dueAt, generation > dueAt {
          found.append(key)
          continue
        }
        entry.dueAt = entry.dueAt ?? generation
      }
      waiting[key] = entry
    }
    orphans = waiting
    return found
  }

  /// Whether files wait to be deleted: the next look is worth taking soon.
  package var hasOrphans: Bool { !orphans.isEmpty }

  private static let orphansMax = 100_000

  /// Notes the objects that a state names, and makes a cut for those that are due (DUP-5).
  ///
  /// - Parameters:
  ///   - listing: begun after `now`.
  package mutating func observeFingerprints(_ state: QueueState, _ listing: LaneListing, now: ClockInstant) {
    let named = Set(state.fingerprints.map(\.name))
    self.named.formUnion(named)
    commitsKnown = commitsKnown.filter { named.contains($0.key) }
    for name in named where commitsKnown[name] == nil { commitsKnown[name] = now }
    cuts = cuts.compactMap { cut in
      let left = cut.objects.intersection(named)
      return left.isEmpty ? nil : FingerprintCut(objects: left, lanes: cut.lanes)
    }
    // (a) known for the window and whatever a paused writer may still do, ...
    let wait = settings.dedupWindow + settings.settleDelay
    let cutAlready = cuts.reduce(into: Set<String>()) { $0.formUnion($1.objects) }
    let due = named.filter { !cutAlready.contains($0) && commitsKnown[$0]!.advanced(by: wait) < now }
    guard !due.isEmpty else { return }
    // (b) then the lanes are listed. (c) is the planner's.
    var lanes = Set(state.lanes.keys)
    for lane in listing.lanes where lane.hasOpening { lanes.insert(lane.id) }
    cuts.append(FingerprintCut(objects: due, lanes: planted == .forgetFingerprintsByTime ? [] : lanes))
  }

  // MARK: idle lanes

  /// - Returns: where to put tombstones: lanes that have not moved for `laneIdleMax` (WAL-6).
  package mutating func observeTails(_ runs: [LaneRun], now: ClockInstant) -> [SegmentID] {
    var seen: [LaneID: (next: Int, since: ClockInstant)] = [:]
    var idle: [SegmentID] = []
    for run in runs where run.end == nil {
      let next = run.next
      let since = tails[run.lane].flatMap { $0.next == next ? $0.since : nil } ?? now
      seen[run.lane] = (next, since)
      if since.advanced(by: settings.laneIdleMax) < now { idle.append(SegmentID(lane: run.lane, sequence: next)) }
    }
    tails = seen
    return idle
  }

  // MARK: deletion

  /// Objects of the lanes that may be deleted now (DEL-1).
  ///
  /// - Parameters:
  ///   - states: of every table that the topic feeds; the listing's lanes were checked against them.
  ///   - delay: how long a segment is left lying for the sake of readers.
  package mutating func deletable(
    _ listing: LaneListing, states: [QueueState], delay: Duration, now: ClockInstant
  ) -> [SegmentID] {
    var ends: [LaneID: ClockInstant] = [:]
    var past: [SegmentID: ClockInstant] = [:]
    var found: [SegmentID] = []
    let kept = Set(states.flatMap { $0.quarantine.map(\.segment) })
    for lane in listing.lanes {
      let positions = states.map { $0.lanes[lane.id] }
      let isOver = zip(states, positions).allSatisfy { _, position in
        // A lane with neither entry nor opening is void.
        position.map(\.hasEnded) ?? !lane.hasOpening
      }
      if isOver { ends[lane.id] = endsKnown[lane.id] ?? now }
      let isVoid = isOver && positions.allSatisfy { $0 == nil }
      let isSettled =
        isVoid || planted == .deleteTombstoneEarly
        || (ends[lane.id].map { $0.advanced(by: settings.settleDelay) < now } ?? false)
      if lane.hasOpening && isOver && isSettled { found.append(SegmentID(lane: lane.id, sequence: 0)) }
      for entry in lane.entries {
        let id = SegmentID(lane: lane.id, sequence: entry.sequence)
        if kept.contains(id) { continue }
        if entry.isTombstone {
          if isOver && isSettled { found.append(id) }
          continue
        }
        guard positions.allSatisfy({ $0.map { $0.isPast(entry.sequence) } ?? !lane.hasOpening }) else { continue }
        let since = pastKnown[id] ?? now
        past[id] = since
        if isVoid || since.advanced(by: delay) <= now { found.append(id) }
      }
    }
    endsKnown = ends
    pastKnown = past
    return found
  }
}
