import LakeIceberg
import LakeModel
package import LakePorts
package import LakeSchema
package import LakeWAL

/// Moves rows of one topic's lanes into one table, and deletes what no table needs any more.
///
/// Any number of runners may work on one table: a lost race costs work, never a row (SHF-3). Within one runner shifts
/// follow each other. What is decided is decided in `ShiftPlanner` and `ShiftMemory`.
package actor ShiftRunner {
  let ports: Ports
  let settings: ShiftSettings
  package let table: LakeTable
  let identifier: TableIdentifier
  let topic: Topic
  private let derivation: any RowDerivation
  /// The other tables that the topic feeds.
  let siblings: [LakeTable]
  let access: QueueAccess
  private let turnstile = Turnstile()
  var memory: ShiftMemory
  private var lastCommit: ClockInstant?
  /// Segments that one plan may take, after one grew too old before it could be committed; nil: as many as the settings say.
  private var segmentsMax: Int?
  /// Lanes with segments that are not in the table: the first of them, and since when it is known.
  var waitingSince: [LaneID: (start: Int, seen: ClockInstant)] = [:]
  /// The generation that stood when this runner last looked, or that it made.
  private var lastSeen: Int?
  /// When files that no snapshot names are looked for next (DEL-3); nil: nobody has looked yet.
  var nextSweep: ClockInstant?
  package internal(set) var counters = ShiftCounters()
  let instruments: ShiftInstruments

  /// - Parameters:
  ///   - table: fed by the topic it names.
  ///   - derivation: makes the table's rows out of the topic's; a consumer beside others keeps its own state.
  ///   - consumers: every table that the topic feeds: nothing is deleted that one of them still needs; nil: all of ours.
  ///   - cache: footers, shared with readers of the same process.
  package init(
    ports: Ports, settings: ShiftSettings = ShiftSettings(), table: LakeTable,
    derivation: any RowDerivation = SameRows(), consumers: [LakeTable]? = nil, cache: WALCache = WALCache()
  ) {
    guard let topic = Topic(rawValue: table.topic) else { preconditionFailure("no topic \(table.topic)") }
    self.ports = ports
    self.settings = settings
    self.table = table
    self.topic = topic
    self.derivation = derivation
    siblings = (consumers ?? topic.consumers).filter { $0.name != table.name }
    identifier = TableIdentifier(table)
    instruments = ShiftInstruments(ports.metrics, table: table.name)
    access = QueueAccess(ports: ports, settings: settings.queue, topic: topic, cache: cache)
    memory = ShiftMemory(settings: settings.queue, planAgeMax: settings.planAgeMax, planted: ports.planted)
  }

  /// Shifts, ends idle lanes and deletes every `settings.interval`, until the task is cancelled.
  package func run() async {
    while !Task.isCancelled {
      do {
        // Part of an interval by chance, so that replicas that started together do not race each time.
        try await ports.clock.sleep(for: settings.interval * (768 + ports.random.uniform(0..<512)) / 1024)
        try await turnstile.alone { try await self.iterate(isFlush: false) }
      } catch {
        if Task.isCancelled { return }
        measureLag()
        ports.journal.note(.warning, "shift.failed", [("table", table.name), ("error", "\(error)")])
      }
    }
  }

  /// Everything acknowledged before the call is in the table when it returns, and what may be deleted is gone.
  ///
  /// - Throws: also when a lane cannot be read: then not everything is in the table.
  package func flush() async throws(ShiftError) {
    try await turnstile.alone { () throws(ShiftError) in try await self.iterate(isFlush: true) }
  }

  /// Plans in a row that were overtaken by others before one gives up for now.
  private static let overtakenMax = 20

  /// Steps until nothing is left to take, then tidies up.
  private func iterate(isFlush: Bool) async throws(ShiftError) {
    var overtaken = 0
    while true {
      switch try await step(isFlush: isFlush) {
      case .settled(let step):
        if step.stopped == nil { waitingSince = [:] }
        measureLag()
        if let stopped = step.stopped, isFlush { throw .gaveUp("lane stopped at \(stopped)") }
        return try await tidy(step, isFlush: isFlush)
      case .standby:
        ports.journal.note(.debug, "shift.standby", [("table", table.name)])
        return
      case .more: overtaken = 0
      case .overtaken(let why):
        ports.journal.note(.debug, "shift.overtaken", [("table", table.name), ("why", why)])
        overtaken += 1
        guard overtaken <= ShiftRunner.overtakenMax else { throw .gaveUp(why) }
        try await Backoff(ports: ports).rest(overtaken)
      }
    }
  }

  private enum Outcome: Sendable {
    /// What was listed in this step is in the table, but for lanes that stopped.
    case settled(Step)
    /// Limits left something.
    case more
    /// Somebody else is at it.
    case standby
    /// Somebody else shifted meanwhile, or what was listed is gone (RDR-4).
    case overtaken(String)
  }

  struct Step: Sendable {
    var state: QueueState
    var listing: LaneListing
    var idle: [SegmentID]
    /// The first segment that could not be read.
    var stopped: String?
  }

  // MARK: one shift

  private func step(isFlush: Bool) async throws(ShiftError) -> Outcome {
    do throws(ShiftError) {
      return try await attemptStep(isFlush: isFlush)
    } catch {
      guard case .wal(.vanished(let key)) = error else { throw error }
      return .overtaken("\(key) is gone")
    }
  }

  private func attemptStep(isFlush: Bool) async throws(ShiftError) -> Outcome {
    let began = ports.clock.now
    let base = try await loadTable(identifier)
    let target = try TableTarget(table, base)
    let state = try state(of: base)
    if !isFlush && isLeftToOthers(state) { return .standby }
    let (listing, runs) = try await lanes(beyond: state)
    memory.observeFingerprints(state, listing, now: began)
    measure(base, state, runs)
    noteWaiting(runs, now: began)
    var step = Step(state: state, listing: listing, idle: memory.observeTails(runs, now: began))
    let input = try await input(state, listing, runs)
    let made = try await makeFiles(input, target)
    step.stopped = made.stopped
    guard isDue(made.plan, state, isFlush: isFlush) else { return .settled(step) }
    note(made, state)
    if ports.hasPlanted(.deleteSegmentEarly) { await delete(runs) }
    switch try await commit(made.plan, made.files, base, began) {
    case .committed(let table):
      step.state = try self.state(of: table)
      lastSeen = step.state.generation
      measure(table, step.state, runs)
      if let oldest = made.oldest {
        let age = ports.wall.now.microseconds - oldest
        instruments.freshness.observe(Double(max(0, age)) / 1e6)
      }
    case .over(let table):
      counters.lostRaces += 1
      instruments.overtaken.add()
      return .overtaken("generation \(try self.state(of: table).generation) stands")
    }
    return made.plan.isCut ? .more : .settled(step)
  }

  /// Whether another runner has committed since this one last looked: then it goes on doing so, and this one steps in when
  /// it stops. No lease: nothing is wrong when both work, or neither does for an interval.
  private func isLeftToOthers(_ state: QueueState) -> Bool {
    defer { lastSeen = state.generation }
    guard settings.standsBy, let lastSeen else { return false }
    return state.generation != lastSeen
  }

  private func lanes(beyond state: QueueState) async throws(ShiftError) -> (LaneListing, [LaneRun]) {
    do throws(WALError) {
      // After the state was loaded: what the listing shows below its positions, or not at all, is settled.
      let listing = try await access.listLanes()
      return (listing, try await access.runs(listing, beyond: state))
    } catch {
      throw ShiftError(error)
    }
  }

  private func input(
    _ state: QueueState, _ listing: LaneListing, _ runs: [LaneRun]
  ) async throws(ShiftError) -> ShiftPlanner.Input {
    var limits = settings
    if let segmentsMax { limits.planSegmentsMax = min(limits.planSegmentsMax, segmentsMax) }
    let (taken, isCut) = ShiftPlanner.cut(runs, limits: limits)
    let entries = taken.flatMap { run in
      run.segments.map { (id: SegmentID(lane: run.lane, sequence: $0.sequence), size: $0.size) }
    }
    let found = try await concurrently(entries, limit: settings.planReadsMax) { entry throws(ShiftError) in
      try await self.finding(entry.id, size: entry.size)
    }
    let needsFingerprints = found.contains { finding in
      if case .readable(let segment) = finding {
        segment.metadata.requests.contains { $0.fingerprint != nil }
      } else {
        false
      }
    }
    var input = ShiftPlanner.Input(
      state: state, listing: listing, runs: taken,
      findings: Dictionary(uniqueKeysWithValues: zip(entries.map(\.id), found)), committed: [])
    if needsFingerprints {
      do throws(WALError) {
        input.committed = try await access.committed(state, table: table.name)
      } catch {
        throw ShiftError(error)
      }
    }
    input.cuts = memory.cuts
    input.isCut = isCut
    input.planted.ignoresFingerprints = ports.hasPlanted(.shiftIgnoresFingerprints)
    input.planted.forgetsLanesEarly = ports.hasPlanted(.forgetLaneEarly)
    input.planted.skipsHoles = ports.hasPlanted(.skipHoles)
    return input
  }

  private nonisolated func finding(_ id: SegmentID, size: Int) async throws(ShiftError) -> SegmentFinding {
    do throws(WALError) {
      do throws(WALError) {
        return .readable(try await access.open(id, size: size))
      } catch {
        guard case .damaged = error else { throw error }
        // SHF-5: once more, past every cache.
        return .readable(try await access.open(id, size: size, isFresh: true))
      }
    } catch {
      switch error {
      case .damaged(_, let message): return .damaged(message)
      case .newerFormat(let key, let version): return .stopped("\(key) has format \(version)")
      case .store(let failure): return .stopped("\(failure)")
      default: throw ShiftError(error)
      }
    }
  }

  struct Made: Sendable {
    let plan: ShiftPlan
    let files: [DataFile]
    let oldest: Int64?
    let stopped: String?
  }

  private static let replansMax = 4

  /// Plans and writes the files; what cannot be read is taken out and the rest planned anew.
  private func makeFiles(_ first: ShiftPlanner.Input, _ target: TableTarget) async throws(ShiftError) -> Made {
    var input = first
    let execution = ShiftExecution(access: access, settings: settings, target: target, derivation: derivation)
    for _ in 0..<ShiftRunner.replansMax {
      let plan = ShiftPlanner.plan(input, limits: settings)
      let outcome = try await execution.run(plan.tasks)
      let problems = outcome.problems
      if problems.isEmpty {
        return Made(plan: plan, files: outcome.files, oldest: outcome.oldest, stopped: input.firstStop)
      }
      input.badRowGroups.merge(problems.badRowGroups) { $0.merging($1) { first, _ in first } }
      for (id, message) in problems.unreadable { input.findings[id] = .stopped(message) }
    }
    throw .gaveUp("segments fail while they are read")
  }

  /// Whether a commit is worth a snapshot: rows always, tidiness now and then.
  private func isDue(_ plan: ShiftPlan, _ state: QueueState, isFlush: Bool) -> Bool {
    if plan.takesSegments { return true }
    var same = plan.nextState
    same.generation = state.generation
    guard same != state || memory.awaitsCommit(state) else { return false }
    guard let lastCommit, !isFlush else { return true }
    return lastCommit.advanced(by: settings.housekeepingInterval) <= ports.clock.now
  }

  private func commit(
    _ plan: ShiftPlan, _ files: [DataFile], _ base: TableState, _ began: ClockInstant
  ) async throws(ShiftError) -> ShiftCommit.Outcome {
    var state = plan.nextState
    if !plan.fingerprints.isEmpty {
      let name = try await putFingerprints(plan.fingerprints)
      state.fingerprints.append(
        .init(name: name, generation: state.generation, requestCount: plan.fingerprints.count))
    }
    let commit = ShiftCommit(
      ports: ports, settings: settings, table: identifier, plan: plan, state: state, files: files, began: began)
    let outcome: ShiftCommit.Outcome
    do throws(ShiftError) { outcome = try await commit.run(on: base) } catch {
      if began.duration(to: ports.clock.now) >= settings.planAgeMax { takeLess(than: plan) }
      throw error
    }
    if case .committed = outcome {
      lastCommit = ports.clock.now
      segmentsMax = segmentsMax.map { $0 + max(1, $0 / 4) }.flatMap { $0 < settings.planSegmentsMax ? $0 : nil }
      counters.add(plan, files: files.count)
      instruments.shiftSeconds.observe(Double(began.duration(to: ports.clock.now).nanoseconds) / 1e9)
      // Exported to this very lake, a span of shifting spans would bring forth the next.
      if identifier != TableIdentifier(LakeTable.spans) {
        ports.tracer?.record(
          "shift \(identifier.name)", began: began,
          [("icegate.rows", .number(plan.rowCount)), ("icegate.files", .number(files.count))])
      }
      instruments.commits.add()
      instruments.rows.add(plan.rowCount)
      instruments.repeats.add(plan.repeatCount)
      instruments.files.add(files.count)
      note(plan, state, files.count)
    }
    return outcome
  }

  /// SHF-4 lets no old plan be committed: one that cannot be carried out in time would be made again and again. So the next takes
  /// half of it, and more again as commits succeed.
  private func takeLess(than plan: ShiftPlan) {
    segmentsMax = max(1, plan.segmentCount / 2)
    ports.journal.note(.warning, "shift.plan.halved", [("table", table.name), ("segments", "\(segmentsMax ?? 0)")])
  }

  private func putFingerprints(_ fingerprints: [Fingerprint]) async throws(ShiftError) -> String {
    let bytes = FingerprintSet(fingerprints).encoded()
    let prefix = access.layout.fingerprintsPrefix(table.name)
    let location = ports.warehouse.location(of: ObjectKey(trusted: prefix + "x")).dropLast(2)
    let uploaded = try await Uploader(ports: ports).upload(bytes, below: String(location), suffix: ".fingerprints")
    return String(uploaded.dropFirst(location.count + 1).dropLast(".fingerprints".count))
  }

  // MARK: tables

  func loadTable(_ table: TableIdentifier) async throws(ShiftError) -> TableState {
    do throws(CatalogError) {
      return try await ports.catalog.loadTable(table)
    } catch {
      if case .cancelled = error { throw .cancelled }
      throw .catalog(error)
    }
  }

  func state(of table: TableState) throws(ShiftError) -> QueueState {
    do throws(WALError) {
      return try QueueState(of: table.metadata)
    } catch {
      throw ShiftError(error)
    }
  }

}

extension ShiftPlanner.Input {
  /// The first segment that stops its lane.
  fileprivate var firstStop: String? {
    for id in findings.keys.sorted() { if case .stopped(let message) = findings[id] { return "\(id): \(message)" } }
    return nil
  }
}
