import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeShift
import LakeWAL
import PortContracts
import Testing

@Suite struct ShiftPlannerTests {
  private let a = LaneID(high: 0, low: 0xA)
  private let b = LaneID(high: 0, low: 0xB)
  private let c = LaneID(high: 0, low: 0xC)

  /// A segment with one row per request; a request is a tenant and a fingerprint (0: none).
  private func segment(_ lane: LaneID, _ sequence: Int, _ requests: [(String, UInt64)]) throws -> OpenSegment {
    let encoded = try SegmentEncoder.encode(
      requests.map { tenant, fingerprint in
        SegmentRequest(
          batch: LogRows.batch([.init("api", LogRows.dayStart, "x")], tenant: tenant),
          fingerprint: fingerprint == 0 ? nil : Fingerprint(high: 0, low: fingerprint))
      }, topic: .logs, contentID: ContentID(high: lane.low, low: UInt64(sequence)), settings: QueueSettings())
    return try OpenSegment(
      whole: encoded.bytes, id: SegmentID(lane: lane, sequence: sequence),
      key: ObjectKey(trusted: "k/\(lane)/\(sequence)"))
  }

  private func listed(_ id: LaneID, _ sequences: [Int], opening: Bool = true, end: Int? = nil) -> LaneListing.Lane {
    var entries = sequences.map { LaneListing.Entry(sequence: $0, size: 500) }
    if let end { entries.append(LaneListing.Entry(sequence: end, size: 16)) }
    return LaneListing.Lane(id: id, hasOpening: opening, entries: entries)
  }

  private func input(
    _ lanes: [LaneListing.Lane], state: QueueState = QueueState(), segments: [OpenSegment],
    others: [SegmentID: SegmentFinding] = [:], committed: Set<UInt64> = []
  ) -> ShiftPlanner.Input {
    let listing = LaneListing(lanes: lanes)
    var findings = others
    for segment in segments { findings[segment.id] = .readable(segment) }
    return ShiftPlanner.Input(
      state: state, listing: listing,
      runs: lanes.compactMap { LaneRun($0, position: state.lanes[$0.id]) }, findings: findings,
      committed: Set(committed.map { Fingerprint(high: 0, low: $0) }))
  }

  private func plan(_ input: ShiftPlanner.Input) -> ShiftPlan { ShiftPlanner.plan(input, limits: ShiftSettings()) }

  @Test("runs are taken to their ends; positions, ends and fingerprints follow")
  func takes() throws {
    var state = QueueState()
    state.generation = 4
    state.lanes = [a: .next(2)]
    let plan = plan(
      input(
        [listed(a, [1, 2]), listed(b, [1], end: 2), listed(c, [])], state: state,
        segments: [try segment(a, 2, [("t", 1), ("u", 2)]), try segment(b, 1, [("t", 0)])]))
    #expect(plan.generation == 4)
    #expect(plan.nextState.generation == 5)
    // Lane c has rows for nobody yet: it gets no entry.
    #expect(plan.nextState.lanes == [a: .next(3), b: .ended(2)])
    #expect(plan.fingerprints.map(\.low) == [1, 2])
    #expect(plan.segmentCount == 2)
    #expect(plan.rowCount == 3)
    #expect(plan.tasks.map(\.key.tenant.text) == ["t", "u"])
    #expect(
      plan.tasks[0].sources.map(\.segment.id) == [SegmentID(lane: a, sequence: 2), SegmentID(lane: b, sequence: 1)])
  }

  @Test("committed repeats are dropped, and of fresh copies the first is taken")
  func repeats() throws {
    let plan = plan(
      input(
        [listed(a, [1]), listed(b, [1])],
        segments: [try segment(a, 1, [("t", 1), ("t", 2)]), try segment(b, 1, [("t", 2), ("t", 3)])], committed: [1]))
    #expect(plan.rowCount == 2)
    #expect(plan.repeatCount == 2)
    #expect(plan.fingerprints.map(\.low) == [2, 3])
    #expect(plan.tasks[0].sources.map(\.droppedRequests) == [[0], [0]])
    #expect(plan.nextState.lanes == [a: .next(2), b: .next(2)])
  }

  @Test("a segment of nothing but repeats is passed without a task")
  func onlyRepeats() throws {
    let plan = plan(input([listed(a, [1])], segments: [try segment(a, 1, [("t", 1)])], committed: [1]))
    #expect(plan.tasks.isEmpty)
    #expect(plan.takesSegments)
    #expect(plan.nextState.lanes == [a: .next(2)])
  }

  @Test("a segment that cannot be read stops its lane only, and its position says so")
  func stopped() throws {
    let plan = plan(
      input(
        [listed(a, [1, 2], end: 3), listed(b, [1])],
        segments: [try segment(a, 1, [("t", 1)]), try segment(b, 1, [("t", 2)])],
        others: [SegmentID(lane: a, sequence: 2): .stopped("busy")]))
    #expect(plan.nextState.lanes == [a: .next(2), b: .next(2)])
    #expect(plan.rowCount == 2)
  }

  @Test("damage goes into quarantine and the lane goes on")
  func damaged() throws {
    let plan = plan(
      input(
        [listed(a, [1, 2, 4], end: 6)], segments: [try segment(a, 2, [("t", 1)]), try segment(a, 4, [("t", 2)])],
        others: [SegmentID(lane: a, sequence: 1): .damaged("crc")]))
    #expect(plan.nextState.lanes == [a: .ended(6)])
    #expect(
      plan.nextState.quarantine == [
        QuarantineEntry(segment: SegmentID(lane: a, sequence: 1), reason: .unreadable("crc")),
        QuarantineEntry(segment: SegmentID(lane: a, sequence: 3), reason: .missing),
        QuarantineEntry(segment: SegmentID(lane: a, sequence: 5), reason: .missing),
      ])
    #expect(plan.rowCount == 2)
  }

  @Test("requests with rows in a bad row group are left out whole, and are not committed")
  func badRowGroups() throws {
    // Row groups: tenants t and u. Request 0 and 2 are t's, request 1 is u's.
    let one = try segment(a, 1, [("t", 1), ("u", 2), ("t", 3)])
    let again = try segment(b, 1, [("t", 1)])
    var input = input([listed(a, [1]), listed(b, [1])], segments: [one, again])
    input.badRowGroups = [one.id: [0: "crc"]]
    let plan = plan(input)
    #expect(plan.rowCount == 2)
    // The copy of request 1 in the other lane is taken instead.
    #expect(plan.fingerprints.map(\.low) == [1, 2])
    #expect(
      plan.nextState.quarantine == [
        QuarantineEntry(
          segment: one.id,
          reason: .unreadableRowGroups([.init(index: 0, key: one.metadata.rowGroups[0].key)], "crc"))
      ])
    #expect(plan.tasks.map { $0.sources.map(\.index) } == [[0], [1]])
  }

  @Test("a lane leaves the state when it has ended there and no object of it is listed")
  func forgetsLanes() {
    var state = QueueState()
    state.lanes = [a: .ended(3), b: .ended(3), c: .next(3)]
    let plan = plan(input([listed(b, [], opening: false, end: 3)], state: state, segments: []))
    #expect(plan.nextState.lanes == [b: .ended(3), c: .next(3)])
    #expect(!plan.takesSegments)
  }

  @Test("fingerprints go once every lane of their cut is over in the next state")
  func forgetsFingerprints() throws {
    var state = QueueState()
    state.lanes = [a: .ended(3), b: .next(2)]
    state.fingerprints = ["x", "y"].map { .init(name: $0, generation: 1, requestCount: 1) }
    let open = listed(b, [2])
    let segment = try segment(b, 2, [("t", 9)])
    var before = input([listed(a, [], end: 3), open], state: state, segments: [segment])
    before.cuts = [FingerprintCut(objects: ["x"], lanes: [a, b, c])]
    #expect(plan(before).nextState.fingerprints.map(\.name) == ["x", "y"])
    var after = input([listed(a, [], end: 3), listed(b, [2], end: 3)], state: state, segments: [segment])
    after.cuts = before.cuts
    #expect(plan(after).nextState.fingerprints.map(\.name) == ["y"])
  }

  @Test("limits cut runs, and a cut lane does not end")
  func limits() throws {
    var limits = ShiftSettings()
    limits.planSegmentsMax = 2
    let runs = [listed(a, [1], end: 2), listed(b, [1, 2], end: 3)].compactMap { LaneRun($0, position: nil) }
    let (cut, isCut) = ShiftPlanner.cut(runs, limits: limits)
    #expect(isCut)
    #expect(cut.map { $0.segments.count } == [1, 1])
    #expect(cut.map(\.end) == [2, nil])
    limits.planSegmentsMax = 3
    #expect(ShiftPlanner.cut(runs, limits: limits).isCut == false)
  }

  @Test("tasks that are small together are worked on side by side, in their order; a large one is alone")
  func lots() throws {
    var limits = ShiftSettings()
    limits.taskRowGroupsMax = 32
    limits.lotTasksMax = 3
    // A row group is 1/32 of a task, a lot an eighth of one.
    let sizes = [1, 1, 1, 1, 4, 1, 5, 2, 2, 1]
    let tenants = sizes.indices.map { "t\($0)" }
    let rows = sizes.enumerated().flatMap { index, size in [String](repeating: tenants[index], count: size) }
    let segments = try rows.enumerated().map { index, tenant in try segment(a, index + 1, [(tenant, UInt64(index + 1))])
    }
    let plan = plan(input([listed(a, Array(1...rows.count))], segments: segments))
    #expect(plan.tasks.map(\.sources.count) == sizes)
    let lots = ShiftTask.lots(plan.tasks, limits: limits)
    #expect(lots.map { $0.map(\.sources.count) } == [[1, 1, 1], [1], [4], [1], [5], [2, 2], [1]])
    #expect(ShiftTask.lots([], limits: limits).isEmpty)
  }

  @Test("a partition beyond a task's limit is divided about evenly")
  func divides() throws {
    var limits = ShiftSettings()
    limits.taskRowGroupsMax = 4
    let segments = try (1...10).map { try segment(a, $0, [("t", 0)]) }
    let plan = ShiftPlanner.plan(input([listed(a, Array(1...10))], segments: segments), limits: limits)
    #expect(plan.tasks.map { $0.sources.count }.sorted() == [3, 3, 4])
    #expect(plan.tasks.flatMap { $0.sources.map(\.segment.id.sequence) } == Array(1...10))
  }
}
