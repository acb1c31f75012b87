import LakeModel
import LakePorts
import LakeWAL
import Testing

@Suite struct LaneStateMachineTests {
  private typealias Machine = LaneStateMachine
  private let one = LaneID(high: 0, low: 1)
  private let two = LaneID(high: 0, low: 2)
  private let deadline = ClockInstant(nanoseconds: 30_000_000_000)

  private func at(_ seconds: Int64) -> ClockInstant { ClockInstant(nanoseconds: seconds * 1_000_000_000) }
  private func id(_ lane: LaneID, _ sequence: Int) -> SegmentID { SegmentID(lane: lane, sequence: sequence) }

  /// A machine with lane one open, its first segment in hand.
  private func putting() -> LaneStateMachine {
    var machine = Machine(retriesMax: 2)
    #expect(machine.begin(freshLane: one, deadline: deadline, now: at(0)) == .putOpening(one))
    #expect(machine.openingAnswered(.written, now: at(1)) == .put(id(one, 1)))
    return machine
  }

  @Test("a lane is opened, then segments follow one after another")
  func happy() {
    var machine = putting()
    #expect(machine.openEnd == nil)
    #expect(machine.putAnswered(.written, now: at(2)) == .finish(.durable(id(one, 1))))
    #expect(machine.openEnd == id(one, 2))
    #expect(machine.openedAt == at(1))
    #expect(machine.begin(freshLane: two, deadline: deadline, now: at(3)) == .put(id(one, 2)))
    #expect(machine.putAnswered(.written, now: at(4)) == .finish(.durable(id(one, 2))))
    machine.leaveLane()
    #expect(machine.openEnd == nil)
    #expect(machine.begin(freshLane: two, deadline: deadline, now: at(5)) == .putOpening(two))
  }

  @Test("a lane that was quiet is left: it may have been ended and forgotten")
  func quietLane() {
    var machine = putting()
    // The put was begun at 1, so that the next must be by 31.
    #expect(machine.putAnswered(.written, now: at(20)) == .finish(.durable(id(one, 1))))
    #expect(machine.begin(freshLane: two, deadline: at(61), now: at(31)) == .put(id(one, 2)))
    #expect(machine.putAnswered(.written, now: at(32)) == .finish(.durable(id(one, 2))))
    #expect(machine.begin(freshLane: two, deadline: at(92), now: at(62)) == .putOpening(two))
    #expect(machine.takeLeft() == id(one, 3))
    #expect(machine.takeLeft() == nil)
  }

  @Test("a lane is left when the answer came after the deadline")
  func lateAnswer() {
    var machine = putting()
    #expect(machine.putAnswered(.written, now: at(30)) == .finish(.durable(id(one, 1))))
    #expect(machine.openEnd == nil)
    #expect(machine.takeLeft() == id(one, 2))
    var other = Machine(retriesMax: 2)
    _ = other.begin(freshLane: one, deadline: deadline, now: at(0))
    guard case .finish(.notWritten) = other.openingAnswered(.written, now: at(30)) else {
      Issue.record("not finished")
      return
    }
    #expect(other.takeLeft() == id(one, 1))
  }

  @Test(
    "an opening is tried once: whatever is not written leads to another lane",
    arguments: [
      LaneStateMachine.PutResult.unknown, .exists, .failed("busy", isFinal: false),
    ])
  func openingOnce(result: LaneStateMachine.PutResult) {
    var machine = Machine(retriesMax: 2)
    _ = machine.begin(freshLane: one, deadline: deadline, now: at(0))
    #expect(machine.openingAnswered(result, now: at(1)) == .rest(.milliseconds(50)))
    #expect(machine.rested(freshLane: two, now: at(2)) == .putOpening(two))
    #expect(machine.openingAnswered(.written, now: at(2)) == .put(id(two, 1)))
  }

  @Test("openings that never come to stand end at the deadline, nothing written")
  func openingDeadline() {
    var machine = Machine(retriesMax: 2)
    _ = machine.begin(freshLane: one, deadline: deadline, now: at(0))
    guard case .finish(.notWritten) = machine.openingAnswered(.unknown, now: at(30)) else {
      Issue.record("not finished")
      return
    }
    #expect(machine.begin(freshLane: two, deadline: deadline, now: at(0)) == .putOpening(two))
  }

  @Test("an unknown outcome is tried again: the same place until it is known")
  func unknownThenOurs() {
    var machine = putting()
    #expect(machine.putAnswered(.unknown, now: at(2)) == .rest(.milliseconds(50)))
    #expect(machine.rested(freshLane: two, now: at(2)) == .put(id(one, 1)))
    #expect(machine.putAnswered(.exists, now: at(3)) == .readBack(id(one, 1)))
    #expect(machine.readBackAnswered(.ours, now: at(4)) == .finish(.durable(id(one, 1))))
    #expect(machine.openEnd == id(one, 2))
  }

  @Test("a tombstone read back proves nothing; the lane is left and the rows go nowhere else")
  func tombstone() {
    var machine = putting()
    #expect(machine.putAnswered(.exists, now: at(2)) == .readBack(id(one, 1)))
    #expect(machine.readBackAnswered(.tombstone, now: at(3)) == .finish(.unknown))
    #expect(machine.begin(freshLane: two, deadline: deadline, now: at(3)) == .putOpening(two))
  }

  @Test("what stood there and is gone may have been ours: the place is not given to another segment")
  func goneForGood() {
    var machine = putting()
    _ = machine.putAnswered(.exists, now: at(2))
    _ = machine.readBackAnswered(.nothing, now: at(29))
    #expect(machine.rested(freshLane: two, now: at(31)) == .finish(.unknown))
    #expect(machine.openEnd == nil)
    machine = putting()
    _ = machine.putAnswered(.exists, now: at(2))
    _ = machine.readBackAnswered(.nothing, now: at(3))
    _ = machine.rested(freshLane: two, now: at(3))
    #expect(machine.putAnswered(.failed("no", isFinal: true), now: at(30)) == .finish(.unknown))
    #expect(machine.openEnd == nil)
  }

  @Test("somebody else's bytes mean that the lane is given up and nothing is known")
  func foreign() {
    var machine = putting()
    _ = machine.putAnswered(.exists, now: at(2))
    #expect(machine.readBackAnswered(.other, now: at(3)) == .finish(.unknown))
    #expect(machine.openEnd == nil)
  }

  @Test("what was there and is deleted by now is put again")
  func vanished() {
    var machine = putting()
    _ = machine.putAnswered(.exists, now: at(2))
    #expect(machine.readBackAnswered(.nothing, now: at(3)) == .rest(.milliseconds(50)))
    #expect(machine.rested(freshLane: two, now: at(2)) == .put(id(one, 1)))
  }

  @Test("a read back that fails is repeated, not guessed")
  func readBackFails() {
    var machine = putting()
    _ = machine.putAnswered(.exists, now: at(2))
    #expect(machine.readBackAnswered(.unreadable, now: at(3)) == .rest(.milliseconds(50)))
    #expect(machine.rested(freshLane: two, now: at(2)) == .readBack(id(one, 1)))
    #expect(machine.readBackAnswered(.unreadable, now: at(30)) == .finish(.unknown))
  }

  @Test("unknown until nobody waits any more is unknown for good")
  func unknownForGood() {
    var machine = putting()
    #expect(machine.putAnswered(.unknown, now: at(29)) == .rest(.milliseconds(50)))
    _ = machine.rested(freshLane: two, now: at(2))
    #expect(machine.putAnswered(.unknown, now: at(30)) == .finish(.unknown))
    #expect(machine.begin(freshLane: two, deadline: deadline, now: at(0)) == .putOpening(two))
  }

  @Test("a deadline that passes during a rest ends the attempt")
  func deadlineWhileResting() {
    var machine = putting()
    _ = machine.putAnswered(.unknown, now: at(29))
    #expect(machine.rested(freshLane: two, now: at(31)) == .finish(.unknown))
    machine = putting()
    _ = machine.putAnswered(.failed("busy", isFinal: false), now: at(29))
    #expect(machine.rested(freshLane: two, now: at(31)) == .finish(.notWritten("no time left")))
    #expect(machine.openEnd == id(one, 1))
  }

  @Test("certain failures are counted, then the segment goes back and the lane stays")
  func certainFailures() {
    var machine = putting()
    for _ in 0..<2 {
      guard case .rest = machine.putAnswered(.failed("busy", isFinal: false), now: at(2)) else {
        Issue.record("did not rest")
        return
      }
      #expect(machine.rested(freshLane: two, now: at(2)) == .put(id(one, 1)))
    }
    #expect(
      machine.putAnswered(.failed("busy", isFinal: false), now: at(3)) == .finish(.notWritten("busy")))
    #expect(machine.openEnd == id(one, 1))
    #expect(machine.begin(freshLane: two, deadline: deadline, now: at(4)) == .put(id(one, 1)))
    #expect(machine.putAnswered(.failed("no", isFinal: true), now: at(4)) == .finish(.notWritten("no")))
  }

  @Test("a certain failure after an unknown outcome says nothing about the first attempt")
  func failureAfterUnknown() {
    var machine = putting()
    _ = machine.putAnswered(.unknown, now: at(2))
    _ = machine.rested(freshLane: two, now: at(2))
    for second in 3..<20 as Range<Int64> {
      guard case .rest = machine.putAnswered(.failed("no", isFinal: true), now: at(second)) else {
        Issue.record("finished at \(second)")
        return
      }
      _ = machine.rested(freshLane: two, now: at(2))
    }
    #expect(machine.putAnswered(.failed("no", isFinal: true), now: at(30)) == .finish(.unknown))
  }

  @Test("planted defects are what they say")
  func planted() {
    func answer(_ defect: PlantedDefect, _ result: LaneStateMachine.PutResult) -> LaneStateMachine.Action {
      var machine = Machine(retriesMax: 2, planted: defect)
      _ = machine.begin(freshLane: one, deadline: deadline, now: at(0))
      _ = machine.openingAnswered(.written, now: at(0))
      return machine.putAnswered(result, now: at(1))
    }
    #expect(answer(.treatExistingAsMine, .exists) == .finish(.durable(id(one, 1))))
    #expect(answer(.skipReadBack, .exists) == .finish(.elsewhere))
    #expect(answer(.retryElsewhere, .unknown) == .finish(.elsewhere))
    #expect(answer(.overlapPuts, .unknown) == .finish(.unknown))
    var machine = Machine(retriesMax: 2, planted: .skipLaneOpening)
    #expect(machine.begin(freshLane: one, deadline: deadline, now: at(0)) == .put(id(one, 0)))
  }
}
