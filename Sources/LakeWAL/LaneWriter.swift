package import LakeModel
package import LakePorts

/// Writes the segments of one lane after another, one put in flight (WAL-1, WAL-2, WAL-4, WAL-6).
///
/// Used by one task; a call that begins while another is under way is our own mistake.
package actor LaneWriter {
  private let ports: Ports
  private let layout: QueueLayout
  private let topic: Topic
  private var machine: LaneStateMachine
  /// Lanes given up with an unknown end, or left because they were quiet; ended when there is time, so that the shift need not wait for them.
  private var abandoned: [SegmentID] = []

  package init(ports: Ports, settings: QueueSettings, topic: Topic) {
    self.ports = ports
    self.topic = topic
    layout = QueueLayout(settings)
    machine = LaneStateMachine(
      retriesMax: settings.writeRetriesMax, quietMax: settings.ackDelayMax, planted: ports.planted)
  }

  /// When the open lane was opened; nil while none is.
  package var openedAt: ClockInstant? { machine.openedAt }

  /// Writes one segment and says what became of it.
  ///
  /// - Parameter deadline: when nobody waits for it any more; until then an unknown outcome is tried to be known.
  package func write(_ segment: EncodedSegment, deadline: ClockInstant) async -> LaneStateMachine.Outcome {
    var action = machine.begin(freshLane: ports.random.laneID(), deadline: deadline, now: now(deadline))
    var inHand: SegmentID?
    defer { if let left = machine.takeLeft() { abandoned.append(left) } }
    while true {
      if let left = machine.takeLeft() {
        ports.journal.note(.debug, "wal.lane.left", [("segment", "\(left)")])
        abandoned.append(left)
      }
      switch action {
      case .putOpening(let lane):
        let result = await put(SegmentID(lane: lane, sequence: 0), LaneMark.opening)
        if result != .written { ports.journal.note(.debug, "wal.opening.failed", [("lane", "\(lane)")]) }
        action = machine.openingAnswered(result, now: now(deadline))
      case .put(let id):
        inHand = id
        let result = await put(id, segment.bytes)
        note(result, id)
        action = machine.putAnswered(result, now: now(deadline))
      case .readBack(let id):
        let result = await readBack(id, ours: segment.metadata.contentID)
        note(result, id)
        action = machine.readBackAnswered(result, now: now(deadline))
      case .rest(let duration):
        await rest(duration)
        action = machine.rested(freshLane: ports.random.laneID(), now: now(deadline))
      case .finish(let outcome):
        if outcome == .unknown {
          ports.journal.note(.debug, "wal.write.unknown", [("segment", inHand.map { "\($0)" } ?? "")])
          if let inHand, machine.openEnd == nil { abandoned.append(inHand) }
        }
        return outcome
      }
    }
  }

  private func note(_ result: LaneStateMachine.PutResult, _ id: SegmentID) {
    switch result {
    case .written: break
    case .exists: ports.journal.note(.debug, "wal.put.exists", [("segment", "\(id)")])
    case .unknown: ports.journal.note(.debug, "wal.put.unknown", [("segment", "\(id)")])
    case .failed(let why, _): ports.journal.note(.debug, "wal.put.failed", [("segment", "\(id)"), ("why", why)])
    }
  }

  private func note(_ result: LaneStateMachine.ReadBack, _ id: SegmentID) {
    switch result {
    case .ours: ports.journal.note(.debug, "wal.readback.ours", [("segment", "\(id)")])
    case .tombstone: ports.journal.note(.debug, "wal.readback.tombstone", [("segment", "\(id)")])
    case .other: ports.journal.note(.warning, "wal.readback.other", [("segment", "\(id)")])
    case .nothing: ports.journal.note(.debug, "wal.readback.nothing", [("segment", "\(id)")])
    case .unreadable: ports.journal.note(.debug, "wal.readback.unreadable", [("segment", "\(id)")])
    }
  }

  /// Ends the open lane for good (WAL-6). The outcome matters to nobody: a lane that could not be ended is ended by the
  /// shift.
  package func endLane() async {
    guard let end = machine.openEnd else { return }
    machine.leaveLane()
    await putTombstone(end)
  }

  /// Ends the lanes that were given up with a segment of unknown fate, so that the shift need not wait for them to idle.
  package func endAbandoned() async {
    let ends = abandoned
    abandoned = []
    for end in ends { await putTombstone(end) }
  }

  private func putTombstone(_ end: SegmentID) async {
    // On a condition, so that a segment of ours that is still on its way and lands first is not lost.
    let condition: PutCondition = ports.hasPlanted(.sealUnconditionally) ? .none : .ifAbsent
    for _ in 0..<LaneWriter.endAttemptsMax where !Task.isCancelled {
      let result = await put(end, LaneMark.tombstone, condition)
      ports.journal.note(.debug, "wal.lane.end", [("segment", "\(end)"), ("result", "\(result)")])
      guard case .unknown = result else { return }
    }
  }

  private static let endAttemptsMax = 2

  /// A cancelled writer is at its deadline: what is unknown stays unknown.
  private func now(_ deadline: ClockInstant) -> ClockInstant { Task.isCancelled ? deadline : ports.clock.now }

  private func put(_ id: SegmentID, _ bytes: Bytes, _ condition: PutCondition = .ifAbsent) async
    -> LaneStateMachine.PutResult
  {
    do throws(ObjectStoreError) {
      _ = try await ports.store.put(layout.key(topic, id), bytes, condition: condition)
      return .written
    } catch {
      switch error {
      case .preconditionFailed: return .exists
      case .outcomeUnknown, .cancelled, .corrupt: return .unknown
      case .unavailable, .throttled: return .failed("\(error)", isFinal: false)
      case .denied, .notFound, .rangeNotSatisfiable: return .failed("\(error)", isFinal: true)
      }
    }
  }

  private func readBack(_ id: SegmentID, ours: ContentID) async -> LaneStateMachine.ReadBack {
    do throws(ObjectStoreError) {
      let object = try await ports.store.get(layout.key(topic, id))
      if object.bytes == LaneMark.tombstone { return .tombstone }
      // Bytes that are no segment of this version are somebody else's: the rows go nowhere else.
      guard let metadata = try? OpenSegment(whole: object.bytes, id: id, key: object.info.key).metadata else {
        return .other
      }
      return metadata.contentID == ours ? .ours : .other
    } catch {
      if case .notFound = error { return .nothing }
      return .unreadable
    }
  }

  private func rest(_ duration: Duration) async {
    // Up to half as long again, so that writers that failed together do not return together.
    let jitter = duration * ports.random.uniform(0..<512) / 1024
    try? await ports.clock.sleep(for: duration + jitter)
  }
}
