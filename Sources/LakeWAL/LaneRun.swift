package import LakeModel

/// The unbroken run of a lane beyond what a table has taken (RDR-2, SHF-3).
package struct LaneRun: Hashable, Sendable {
  package let lane: LaneID
  /// The first sequence that the table has not taken.
  package let start: Int
  /// Segments from `start` on, ascending.
  package let segments: [LaneListing.Entry]
  /// Sequences below a standing object at which nothing stands (SHF-6).
  package let missing: [Range<Int>]
  /// Where the tombstone lies, if the lane has ended.
  package let end: Int?

  /// The sequence after the last segment: where the lane's next object goes, or its tombstone lies.
  package var next: Int { end ?? segments.last.map { $0.sequence + 1 } ?? start }

  /// - Parameter position: what the table's state says of the lane; nil when it says nothing.
  /// - Returns: nil for a lane that has ended in the state, and for one with neither entry nor opening (void).
  package init?(
    _ lane: LaneListing.Lane, position: LanePosition?, countsVoid: Bool = false, startsAtZero: Bool = false
  ) {
    switch position {
    case .ended: return nil
    case .next(let next): start = next
    case nil:
      // RDR-2: a lane unknown to the state counts from its opening on.
      guard lane.hasOpening || countsVoid || startsAtZero else { return nil }
      start = startsAtZero ? 0 : 1
    }
    self.lane = lane.id
    var segments: [LaneListing.Entry] = []
    var missing: [Range<Int>] = []
    var end: Int?
    var expected = start
    for entry in lane.entries where entry.sequence >= start {
      if entry.sequence > expected { missing.append(expected..<entry.sequence) }
      expected = entry.sequence + 1
      if entry.isTombstone {
        end = entry.sequence
        // WAL-6: it ends the lane for good, whatever stands behind it.
        break
      }
      segments.append(entry)
    }
    self.segments = segments
    self.missing = missing
    self.end = end
  }

  private init(_ run: LaneRun, segments: [LaneListing.Entry], end: Int?) {
    lane = run.lane
    start = run.start
    missing = run.missing
    self.segments = segments
    self.end = end
  }

  /// The run up to the first segment that is not `taken`.
  package func prefix(while taken: (LaneListing.Entry) -> Bool) -> LaneRun {
    let kept = segments.prefix(while: taken)
    return kept.count == segments.count ? self : LaneRun(self, segments: Array(kept), end: nil)
  }
}
