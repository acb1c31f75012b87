import LakeModel
import LakePorts
import LakeShift
import LakeWAL
import Testing

@Suite struct ShiftMemoryTests {
  private let a = LaneID(high: 0, low: 0xA)
  private let b = LaneID(high: 0, low: 0xB)

  private var settings: QueueSettings {
    var settings = QueueSettings()
    settings.ackDelayMax = .seconds(30)  // settleDelay 300 s
    settings.dedupWindow = .seconds(600)
    settings.laneIdleMax = .seconds(900)
    return settings
  }

  private func memory(_ planted: PlantedDefect? = nil) -> ShiftMemory {
    ShiftMemory(settings: settings, planAgeMax: .seconds(3600), planted: planted)
  }

  private func at(_ seconds: Int64) -> ClockInstant { ClockInstant(nanoseconds: seconds * 1_000_000_000) }

  private func lane(_ id: LaneID, opening: Bool = true, segments: ClosedRange<Int>? = nil, end: Int? = nil)
    -> LaneListing.Lane
  {
    var entries = segments.map { $0.map { LaneListing.Entry(sequence: $0, size: 500) } } ?? []
    if let end { entries.append(LaneListing.Entry(sequence: end, size: 16)) }
    return LaneListing.Lane(id: id, hasOpening: opening, entries: entries)
  }

  private func state(_ lanes: [LaneID: LanePosition], fingerprints: [String] = [], generation: Int = 5) -> QueueState {
    var state = QueueState()
    state.generation = generation
    state.lanes = lanes
    state.fingerprints = fingerprints.map { .init(name: $0, generation: 1, requestCount: 1) }
    return state
  }

  // MARK: fingerprints

  @Test("a fingerprint object is due after the window and the settling time, then the lanes listed are noted")
  func cut() {
    var memory = memory()
    let listing = LaneListing(lanes: [lane(b), lane(LaneID(high: 0, low: 0xC), opening: false, segments: 1...1)])
    let state = state([a: .ended(3)], fingerprints: ["x"])
    memory.observeFingerprints(state, listing, now: at(0))
    memory.observeFingerprints(state, listing, now: at(900))
    #expect(memory.cuts == [])
    memory.observeFingerprints(state, listing, now: at(901))
    // The void lane is not waited for.
    #expect(memory.cuts == [FingerprintCut(objects: ["x"], lanes: [a, b])])
    // Lanes opened later are not waited for either.
    memory.observeFingerprints(state, LaneListing(lanes: []), now: at(950))
    #expect(memory.cuts == [FingerprintCut(objects: ["x"], lanes: [a, b])])
    memory.observeFingerprints(self.state([:]), LaneListing(), now: at(960))
    #expect(memory.cuts == [])
  }

  @Test("forgetting by time alone is the planted defect")
  func plantedForgetting() {
    var memory = memory(.forgetFingerprintsByTime)
    let listing = LaneListing(lanes: [lane(b)])
    memory.observeFingerprints(state([:], fingerprints: ["x"]), listing, now: at(0))
    memory.observeFingerprints(state([:], fingerprints: ["x"]), listing, now: at(901))
    #expect(memory.cuts == [FingerprintCut(objects: ["x"], lanes: [])])
  }

  // MARK: idle lanes

  @Test("a lane that does not move is ended, one that moves or has ended is not")
  func idle() throws {
    var memory = memory()
    func runs(_ next: Int) -> [LaneRun] {
      [
        LaneRun(lane(a, segments: 1...next), position: nil)!, LaneRun(lane(b, segments: 1...1), position: .next(2))!,
        LaneRun(lane(LaneID(high: 0, low: 0xC), segments: 1...1, end: 2), position: nil)!,
      ]
    }
    #expect(memory.observeTails(runs(1), now: at(0)) == [])
    #expect(memory.observeTails(runs(2), now: at(900)) == [])
    #expect(memory.observeTails(runs(2), now: at(901)) == [SegmentID(lane: b, sequence: 2)])
    #expect(
      memory.observeTails(runs(2), now: at(1801)) == [
        SegmentID(lane: a, sequence: 3), SegmentID(lane: b, sequence: 2),
      ])
  }

  // MARK: deletion

  private func sequences(_ ids: [SegmentID], _ lane: LaneID) -> [Int] {
    ids.filter { $0.lane == lane }.map(\.sequence)
  }

  @Test("segments go when every table is past them, after the delay")
  func segments() {
    var memory = memory()
    let listing = LaneListing(lanes: [lane(a, segments: 1...4)])
    let states = [state([a: .next(4)]), state([a: .next(3)])]
    #expect(memory.deletable(listing, states: states, delay: .seconds(30), now: at(0)) == [])
    #expect(
      sequences(memory.deletable(listing, states: states, delay: .seconds(30), now: at(30)), a) == [1, 2])
    #expect(sequences(memory.deletable(listing, states: states, delay: .zero, now: at(30)), a) == [1, 2])
    let unknown = [state([a: .next(4)]), state([:])]
    #expect(memory.deletable(listing, states: unknown, delay: .zero, now: at(31)) == [])
  }

  @Test("opening and tombstone go only after the lane's end has long been known to be in all states")
  func ends() {
    var memory = memory()
    let listing = LaneListing(lanes: [lane(a, segments: 1...2, end: 3)])
    let both = [state([a: .ended(3)]), state([a: .ended(3)])]
    #expect(
      sequences(memory.deletable(listing, states: [both[0], state([a: .next(3)])], delay: .zero, now: at(0)), a) == [
        1, 2,
      ])
    #expect(sequences(memory.deletable(listing, states: both, delay: .zero, now: at(1000)), a) == [1, 2])
    #expect(sequences(memory.deletable(listing, states: both, delay: .zero, now: at(1300)), a) == [1, 2])
    #expect(sequences(memory.deletable(listing, states: both, delay: .zero, now: at(1301)), a) == [0, 1, 2, 3])
  }

  @Test("what lands in a lane that nobody knows any more is swept at once")
  func void() {
    var memory = memory()
    let listing = LaneListing(lanes: [lane(a, opening: false, segments: 7...7, end: 8)])
    let states = [state([:]), state([:])]
    #expect(sequences(memory.deletable(listing, states: states, delay: .seconds(30), now: at(0)), a) == [7, 8])
    // One table still knows the lane as ended: its mark waits like any other.
    let mixed = [state([a: .ended(8)]), state([:])]
    #expect(sequences(memory.deletable(listing, states: mixed, delay: .zero, now: at(1)), a) == [7])
  }

  @Test("a quarantined segment is kept")
  func quarantined() {
    var memory = memory()
    var kept = state([a: .ended(3)])
    kept.quarantine = [QuarantineEntry(segment: SegmentID(lane: a, sequence: 1), reason: .unreadable("x"))]
    let listing = LaneListing(lanes: [lane(a, segments: 1...2, end: 3)])
    _ = memory.deletable(listing, states: [kept, state([a: .ended(3)])], delay: .zero, now: at(0))
    #expect(
      sequences(
        memory.deletable(listing, states: [kept, state([a: .ended(3)])], delay: .zero, now: at(1000)), a) == [0, 2, 3])
  }

  @Test("a fingerprint object goes once a state has named it and no longer does")
  func namedFingerprints() {
    var memory = memory()
    #expect(memory.deletableFingerprints(["x", "y"], state([:], fingerprints: ["x"]), now: at(0)) == [])
    #expect(memory.deletableFingerprints(["x", "y"], state([:], fingerprints: []), now: at(1)) == ["x"])
  }

  @Test("one that no state named waits until no plan can name it any more, and for a commit after that")
  func orphanedFingerprints() {
    var memory = memory()
    #expect(memory.deletableFingerprints(["y"], state([:], generation: 5), now: at(0)) == [])
    #expect(memory.deletableFingerprints(["y"], state([:], generation: 6), now: at(7200)) == [])
    #expect(memory.deletableFingerprints(["y"], state([:], generation: 7), now: at(7201)) == [])
    #expect(memory.deletableFingerprints(["y"], state([:], generation: 7), now: at(9000)) == [])
    #expect(memory.deletableFingerprints(["y"], state([:], generation: 8), now: at(9001)) == ["y"])
  }

  @Test("a file that no snapshot names waits likewise, and a look at which it is named begins its wait anew")
  func orphanedFiles() {
    var memory = memory()
    let (x, y) = (ObjectKey(trusted: "data/x"), ObjectKey(trusted: "data/y"))
    #expect(memory.deletableFiles([x, y], generation: 5, now: at(0)) == [])
    #expect(memory.hasOrphans)
    #expect(!memory.awaitsCommit(state([:], generation: 5)))
    // y is named now: the commit that brought it was under way.
    #expect(memory.deletableFiles([x], generation: 6, now: at(7201)) == [])
    #expect(memory.awaitsCommit(state([:], generation: 6)))
    #expect(memory.deletableFiles([x, y], generation: 6, now: at(7300)) == [])
    #expect(!memory.awaitsCommit(state([:], generation: 7)))
    #expect(memory.deletableFiles([x, y], generation: 7, now: at(7301)) == [x])
    #expect(memory.deletableFiles([y], generation: 7, now: at(7302)) == [])
    #expect(memory.deletableFiles([], generation: 7, now: at(7303)) == [])
    #expect(!memory.hasOrphans)
  }

  @Test(
    "only names that this program gives are swept",
    arguments: [
      ("t/data/tenant_id=a/0a1b2c3d-0000-4000-8000-00000000000a.parquet", true),
      ("t/metadata/0a1b2c3d-0000-4000-8000-00000000000a-m0.avro", true),
      ("t/metadata/0a1b2c3d-0000-4000-8000-00000000000a-m12.avro", true),
      ("t/metadata/snap-77-1-0a1b2c3d-0000-4000-8000-00000000000a.avro", true),
      ("t/data/00000-0-0a1b2c3d-0000-4000-8000-00000000000a.parquet", false),
      ("t/data/0A1B2C3D-0000-4000-8000-00000000000A.parquet", false),
      ("t/metadata/0a1b2c3d-0000-4000-8000-00000000000a-m.avro", false),
      ("t/metadata/00003-0a1b2c3d-0000-4000-8000-00000000000a.metadata.json", false),
      ("t/metadata/snap-.avro", false), ("t/data/.parquet", false), ("x", false),
    ])
  func ours(key: String, isOurs: Bool) { #expect(DataFilePlaces.isOurs(ObjectKey(trusted: key)) == isOurs) }
}
