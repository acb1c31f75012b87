package import LakeModel
package import LakePorts

/// Decides what a lane's writer does next; the writer carries it out and reports back.
///
/// One segment at a time is offered (WAL-2). The machine says when its fate is known: durable, certainly not written, or
/// unknown for good. Source: README.md, "The writer's states".
package struct LaneStateMachine: Sendable {
  /// What is to be done for the segment at hand.
  package enum Action: Hashable, Sendable {
    /// Create the opening of this lane; report to `openingAnswered`.
    case putOpening(LaneID)
    /// Create the segment; report to `putAnswered`.
    case put(SegmentID)
    /// Read what stands there and compare content ids; report to `readBackAnswered`.
    case readBack(SegmentID)
    /// Wait, then call `rested`.
    case rest(Duration)
    case finish(Outcome)
  }

  package enum Outcome: Hashable, Sendable {
    case durable(SegmentID)
    /// Certainly in no lane: the store refuses or cannot be reached.
    case notWritten(String)
    /// It may stand, may have stood or may yet appear; its rows go nowhere else (WAL-4).
    case unknown
    /// To be written into another lane: said by planted defects only.
    case elsewhere
  }

  package enum PutResult: Hashable, Sendable {
    case written
    /// Something is there.
    case exists
    case unknown
    /// Certainly not carried out; `isFinal` when another attempt cannot help.
    case failed(String, isFinal: Bool)
  }

  package enum ReadBack: Hashable, Sendable {
    case ours, tombstone, other, nothing, unreadable
  }

  private enum State: Hashable {
    case closed
    case opening(LaneID)
    case open(LaneID, next: Int)
    /// `mayStand`: some attempt was not certainly in vain. One that was answered 412 counts: what stood there may have been ours,
    /// when something between us and the store sends a request twice.
    case putting(SegmentID, mayStand: Bool)
    case readingBack(SegmentID)
    case resting(Rest)
  }

  private enum Rest: Hashable {
    case beforeOpening
    case beforePut(SegmentID, mayStand: Bool)
    case beforeReadBack(SegmentID)
  }

  private var state = State.closed
  private var opened = ClockInstant(nanoseconds: 0)
  private var deadline = ClockInstant(nanoseconds: 0)
  private var failures = 0
  private var unknowns = 0
  private let retriesMax: Int
  private let quietMax: Duration
  private let planted: PlantedDefect?
  /// When the put of the object in hand was begun, ...
  private var begun = ClockInstant(nanoseconds: 0)
  /// ... and that of the last object of the lane that is known to stand.
  private var standing = ClockInstant(nanoseconds: 0)
  private var left: SegmentID?

  /// - Parameter quietMax: `ackDelayMax`: a lane that was quiet for longer may have been ended, and the tombstone be gone
  ///   again (DEL-1): nothing goes into it any more. Source: README.md, "Quiet lanes".
  package init(retriesMax: Int, quietMax: Duration = .seconds(30), planted: PlantedDefect? = nil) {
    self.retriesMax = retriesMax
    self.quietMax = quietMax
    self.planted = planted
  }

  /// The end of a lane that was left without a tombstone; told once.
  package mutating func takeLeft() -> SegmentID? {
    defer { left = nil }
    return left
  }

  /// Where the next segment or the tombstone goes; nil while no lane is open.
  package var openEnd: SegmentID? {
    if case .open(let lane, let next) = state { SegmentID(lane: lane, sequence: next) } else { nil }
  }

  /// When the open lane was opened.
  package var openedAt: ClockInstant? { openEnd == nil ? nil : opened }

  /// Takes a segment in hand.
  ///
  /// - Parameters:
  ///   - freshLane: an id never used before, taken if a lane must be opened (WAL-1).
  ///   - deadline: when nobody waits for the segment any more.
  package mutating func begin(freshLane: LaneID, deadline: ClockInstant, now: ClockInstant) -> Action {
    self.deadline = deadline
    failures = 0
    unknowns = 0
    switch state {
    case .open(let lane, let next):
      let end = SegmentID(lane: lane, sequence: next)
      if standing.advanced(by: quietMax) >= now || planted == .writeIntoQuietLane {
        begun = now
        return put(end, mayStand: false)
      }
      left = end
      return open(freshLane, now)
    case .closed: return open(freshLane, now)
    default: preconditionFailure("a segment is in hand already")
    }
  }

  package mutating func openingAnswered(_ result: PutResult, now: ClockInstant) -> Action {
    guard case .opening(let lane) = state else { preconditionFailure("no opening in flight") }
    switch result {
    case .written:
      guard now < deadline else {
        left = SegmentID(lane: lane, sequence: 1)
        return giveBack(.beforeOpening, "no time left")
      }
      opened = now
      standing = begun
      begun = now
      return put(SegmentID(lane: lane, sequence: 1), mayStand: false)
    // WAL-1: tried once; whatever became of it, no row goes into that lane.
    case .exists, .unknown:
      unknowns += 1
      return restOrFail(.beforeOpening, "the lane's opening has no known outcome", now)
    case .failed(let message, let isFinal): return failed(message, isFinal: isFinal, .beforeOpening, now)
    }
  }

  package mutating func putAnswered(_ result: PutResult, now: ClockInstant) -> Action {
    guard case .putting(let id, let mayStand) = state else { preconditionFailure("no put in flight") }
    switch result {
    case .written: return durable(id, now)
    case .exists:
      if planted == .treatExistingAsMine { return durable(id, now) }
      if planted == .skipReadBack { return close(.elsewhere) }
      // WAL-4: 412 says that something is there, not whose it is.
      state = .readingBack(id)
      return .readBack(id)
    case .unknown:
      if planted == .retryElsewhere { return close(.elsewhere) }
      if planted == .overlapPuts {
        state = .open(id.lane, next: id.sequence + 1)
        return .finish(.unknown)
      }
      return unknown(.beforePut(id, mayStand: true), now)
    case .failed(let message, let isFinal):
      if mayStand { return unknown(.beforePut(id, mayStand: true), now) }
      return failed(message, isFinal: isFinal, .beforePut(id, mayStand: false), now)
    }
  }

  package mutating func readBackAnswered(_ result: ReadBack, now: ClockInstant) -> Action {
    guard case .readingBack(let id) = state else { preconditionFailure("no read back in flight") }
    switch result {
    case .ours: return durable(id, now)
    // WAL-4: a tombstone proves nothing. Our segment may have stood here, been shifted and been deleted before a tombstone that
    // was on its way all that time took its place. Source: README.md, "Late tombstones".
    case .tombstone: return close(planted == .trustTombstone ? .elsewhere : .unknown)
    case .other: return close(.unknown)
    // What was there has been deleted since: the same bytes again.
    case .nothing: return unknown(.beforePut(id, mayStand: true), now)
    case .unreadable: return unknown(.beforeReadBack(id), now)
    }
  }

  package mutating func rested(freshLane: LaneID, now: ClockInstant) -> Action {
    guard case .resting(let rest) = state else { preconditionFailure("not resting") }
    let isOver = now >= deadline
    switch rest {
    case .beforeOpening: return isOver ? giveBack(rest, "no time left") : open(freshLane, now)
    case .beforePut(let id, let mayStand):
      if !isOver { return put(id, mayStand: mayStand) }
      // WAL-5: nothing enters a lane that late.
      return mayStand ? close(.unknown) : giveBack(rest, "no time left")
    case .beforeReadBack(let id):
      if isOver { return close(.unknown) }
      state = .readingBack(id)
      return .readBack(id)
    }
  }

  /// The lane is to be ended, or was: no segment follows.
  package mutating func leaveLane() {
    switch state {
    case .open, .closed: state = .closed
    default: preconditionFailure("a segment is in hand")
    }
  }

  // MARK: steps

  private mutating func open(_ lane: LaneID, _ now: ClockInstant) -> Action {
    opened = now
    begun = now
    if planted == .skipLaneOpening {
      return put(SegmentID(lane: lane, sequence: 0), mayStand: false)
    }
    state = .opening(lane)
    return .putOpening(lane)
  }

  private mutating func put(_ id: SegmentID, mayStand: Bool) -> Action {
    state = .putting(id, mayStand: mayStand)
    return .put(id)
  }

  private mutating func durable(_ id: SegmentID, _ now: ClockInstant) -> Action {
    // WAL-2: the next sequence starts now that this one is known to be ours.
    state = .open(id.lane, next: id.sequence + 1)
    standing = begun
    // An answer that came so late may be about a lane that was ended and forgotten meanwhile: nothing follows there.
    if now >= deadline && planted != .writeIntoQuietLane {
      left = openEnd
      state = .closed
    }
    return .finish(.durable(id))
  }

  private mutating func close(_ outcome: Outcome) -> Action {
    state = .closed
    return .finish(outcome)
  }

  private mutating func failed(_ message: String, isFinal: Bool, _ rest: Rest, _ now: ClockInstant) -> Action {
    failures += 1
    if isFinal || failures > retriesMax { return giveBack(rest, message) }
    return restOrFail(rest, message, now)
  }

  /// Nothing was written: the segment goes back, the lane stays as it was.
  private mutating func giveBack(_ rest: Rest, _ message: String) -> Action {
    if case .beforePut(let id, _) = rest {
      state = id.sequence == 0 ? .closed : .open(id.lane, next: id.sequence)
    } else {
      state = .closed
    }
    return .finish(.notWritten(message))
  }

  private mutating func restOrFail(_ rest: Rest, _ message: String, _ now: ClockInstant) -> Action {
    guard now < deadline else { return giveBack(rest, message) }
    state = .resting(rest)
    return .rest(LaneStateMachine.restTime(attempts: failures + unknowns))
  }

  private mutating func unknown(_ rest: Rest, _ now: ClockInstant) -> Action {
    unknowns += 1
    // WAL-4: unknown for good; the lane is given up, the rows go nowhere else.
    guard now < deadline else { return close(.unknown) }
    state = .resting(rest)
    return .rest(LaneStateMachine.restTime(attempts: failures + unknowns))
  }

  /// 50 ms, doubling, at most 2 s.
  static func restTime(attempts: Int) -> Duration { .milliseconds(min(2000, 50 << min(attempts - 1, 6))) }
}
