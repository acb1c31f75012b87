import LakeModel
import LakeWAL

/// How far a tail has come: pure bookkeeping, no I/O.
///
/// A row is in the WAL first and in the table later, where nothing tells it from others. So the cursor stands in the lanes;
/// and as long as the table has not taken what was delivered, it remembers that by content, for the case that the table
/// takes it together with segments that the tail has never seen.
struct TailCursor: Sendable {
  /// A place in a lane: everything before this row group of this segment is done.
  struct Place: Comparable, Hashable {
    var sequence: Int
    var group: Int

    static func < (a: Place, b: Place) -> Bool { (a.sequence, a.group) < (b.sequence, b.group) }
  }

  /// Rows delivered and not yet in the table that are remembered one by one; a tail that delivers more forgets them, and
  /// fails if it ever needs them.
  static let rowsMax = 1_000_000

  /// The state that the table had at the last view.
  private(set) var state: QueueState
  private var places: [LaneID: Place] = [:]
  private var rows: [SegmentID: [RowHash]] = [:]
  private var forgotten: Set<SegmentID> = []
  private var rowCount = 0
  private var requests: [Fingerprint: SegmentID] = [:]
  /// Those that `requests` names.
  private var segments: [SegmentID: OpenSegment] = [:]

  init(state: QueueState) { self.state = state }

  /// Whether everything that `next` has taken and `state` had not was delivered from the lanes.
  func covers(_ next: QueueState) -> Bool {
    if next.generation == state.generation { return true }
    for (lane, position) in next.lanes {
      let taken: Int
      switch position {
      case .next(let sequence), .ended(let sequence): taken = sequence
      }
      if done(lane) < taken { return false }
    }
    // A lane that was forgotten meanwhile may have gone on before.
    return state.lanes.allSatisfy { lane, position in position.hasEnded || next.lanes[lane] != nil }
  }

  /// Everything below this sequence of a lane is done.
  private func done(_ lane: LaneID) -> Int {
    let before: Int
    switch state.lanes[lane] {
    case .next(let sequence), .ended(let sequence): before = sequence
    case nil: before = 1  // the opening holds no rows
    }
    return max(before, places[lane]?.sequence ?? 0)
  }

  /// The row group is still to be delivered.
  func isNew(_ group: WALRowGroup) -> Bool { isNew(group.segment.id, group.index) }

  private func isNew(_ id: SegmentID, _ group: Int) -> Bool {
    guard let place = places[id.lane] else { return true }
    return Place(sequence: id.sequence, group: group) >= place
  }

  /// What was delivered of requests whose other copy the table has taken (DUP-4): their rows are in the table now, and
  /// will not come there from the segment that they were delivered from.
  ///
  /// - Parameter committed: what the table has taken since `state`.
  func takenElsewhere(_ committed: Set<Fingerprint>, in next: QueueState, of tenant: TenantID) -> [WALRowGroup] {
    var numbers: [SegmentID: Set<Int>] = [:]
    for (fingerprint, id) in requests where committed.contains(fingerprint) && !isTaken(id, in: next) {
      guard let number = segments[id]?.metadata.requests.firstIndex(where: { $0.fingerprint == fingerprint }) else {
        continue
      }
      numbers[id, default: []].insert(number)
    }
    return numbers.keys.sorted().flatMap { id in
      let segment = segments[id]!
      let others = segment.metadata.requests.indices.filter { !numbers[id]!.contains($0) }
      return segment.rowGroups(in: WALScope(tenant: tenant), dropping: others).filter { !isNew(id, $0.index) }
    }
  }

  /// Rows of a segment are accounted for, and its requests with them: they are forgotten.
  mutating func forget(_ fingerprints: Set<Fingerprint>, _ hashes: [SegmentID: [RowHash]]) {
    for (id, gone) in hashes {
      guard let held = rows[id] else { continue }
      var counts: [RowHash: Int] = [:]
      for hash in gone { counts[hash, default: 0] += 1 }
      let left = held.filter { hash in
        guard let count = counts[hash], count > 0 else { return true }
        counts[hash] = count - 1
        return false
      }
      rows[id] = left
      rowCount -= held.count - left.count
    }
    requests = requests.filter { !fingerprints.contains($0.key) }
  }

  private func isTaken(_ id: SegmentID, in next: QueueState) -> Bool {
    switch next.lanes[id.lane] {
    case let position?: position.isPast(id.sequence)
    case nil: state.lanes[id.lane] != nil
    }
  }

  /// Requests of the segment that were delivered from another one (DUP-4).
  func repeats(in segment: OpenSegment) -> [Int] {
    segment.metadata.requests.indices.filter { index in
      guard let fingerprint = segment.metadata.requests[index].fingerprint, let known = requests[fingerprint] else {
        return false
      }
      return known != segment.id
    }
  }

  /// A row group was delivered, or had nothing to deliver.
  mutating func deliver(_ group: WALRowGroup, dropping: [Int], _ hashes: [RowHash]) {
    let id = group.segment.id
    places[id.lane] = Place(sequence: id.sequence, group: group.index + 1)
    let gone = Set(group.droppedRequests + dropping)
    for (index, request) in group.segment.metadata.requests.enumerated() where !gone.contains(index) {
      guard let fingerprint = request.fingerprint, request.shares.contains(where: { $0.rowGroup == group.index })
      else { continue }
      requests[fingerprint] = id
      segments[id] = group.segment
    }
    if hashes.isEmpty { return }
    guard rowCount + hashes.count <= TailCursor.rowsMax else {
      forgotten.insert(id)
      return
    }
    rowCount += hashes.count
    rows[id, default: []] += hashes
  }

  /// Everything that a view holds of the lanes is done.
  mutating func finish(_ reach: [LaneID: Int]) {
    for (lane, next) in reach {
      places[lane] = max(places[lane] ?? Place(sequence: 0, group: 0), Place(sequence: next, group: 0))
    }
  }

  /// Takes the table's new state.
  ///
  /// - Returns: what was delivered of the segments that the table has taken now; nil when that is not known any more.
  mutating func advance(to next: QueueState) -> [RowHash]? {
    func isTaken(_ id: SegmentID) -> Bool { self.isTaken(id, in: next) }
    var taken: [RowHash] = []
    for (id, hashes) in rows where isTaken(id) {
      taken += hashes
      rows[id] = nil
    }
    rowCount -= taken.count
    let isKnown = !forgotten.contains(where: isTaken)
    forgotten = forgotten.filter { !isTaken($0) }
    requests = requests.filter { !isTaken($0.value) }
    let named = Set(requests.values)
    segments = segments.filter { named.contains($0.key) }
    places = places.filter { lane, _ in next.lanes[lane] != nil || state.lanes[lane] == nil }
    state = next
    return isKnown ? taken : nil
  }
}

/// 128 bits of what a row became: time, labels, line.
struct RowHash: Hashable, Sendable {
  let high: UInt64
  let low: UInt64
}
