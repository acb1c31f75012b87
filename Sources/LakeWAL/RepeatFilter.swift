/// Decides which requests of a run of segments count, the same way for shift and readers (DUP-4, RDR-3).
///
/// Segments are offered in ascending order of (lane, sequence): of copies not committed the first is taken.
package struct RepeatFilter: Sendable {
  private let committed: Set<Fingerprint>
  private var taken: Set<Fingerprint> = []
  private let dropsCommitted: Bool
  private let dropsTaken: Bool

  package init(committed: Set<Fingerprint>, dropsCommitted: Bool = true, dropsTaken: Bool = true) {
    self.committed = committed
    self.dropsCommitted = dropsCommitted
    self.dropsTaken = dropsTaken
  }

  /// Numbers of the requests whose rows do not count, ascending.
  ///
  /// - Parameter excluded: requests that are left out for another reason; a copy elsewhere may be taken instead.
  package mutating func dropped(of segment: SegmentMetadata, excluding excluded: Set<Int> = []) -> [Int] {
    var dropped: [Int] = []
    for (number, request) in segment.requests.enumerated() {
      guard let fingerprint = request.fingerprint, !excluded.contains(number) else { continue }
      if dropsCommitted && committed.contains(fingerprint) {
        dropped.append(number)
      } else if !taken.insert(fingerprint).inserted && dropsTaken {
        dropped.append(number)
      }
    }
    return dropped
  }
}
