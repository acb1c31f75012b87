import LakeModel
import LakePorts
import Synchronization

/// The row groups of a tail's segments that hold rows that count, of one tenant and all days.
struct SortedTail: Sendable {
  var rowGroups: [WALRowGroup] = []
  var segmentCount: Int
  var repeatCount = 0
  /// Sentences about segments that cannot be read.
  var damaged: [String]
  let notes = TailNotes()

  init(segmentCount: Int, damaged: [String]) {
    self.segmentCount = segmentCount
    self.damaged = damaged
  }

  /// About what its segments take in memory, and what a reader notes of its row groups.
  fileprivate var memoryBytes: Int {
    var bytes = rowGroups.count * 4096
    var last: SegmentID?
    for group in rowGroups where group.segment.id != last {
      last = group.segment.id
      bytes += group.segment.memoryBytes
    }
    return bytes
  }
}

/// What a reader made of a tail's row groups. Kept as long as they are, so only what follows from them belongs here.
package final class TailNotes: Sendable {
  private let made = Mutex<(any Sendable)?>(nil)

  package init() {}

  /// What was made before, or what `make` gives. - Precondition: of one type for each tail.
  package func value<Value: Sendable>(_ make: () -> Value) -> Value {
    if let value = made.withLock({ $0 as? Value }) { return value }
    let value = make()
    made.withLock { $0 = value }
    return value
  }
}

/// The tails that were looked at last.
///
/// What counts of a tail follows from the runs that a listing showed and the state that was confirmed after it, and from objects that
/// never change: for the same runs and state nothing is looked up again. The listing and the confirmation are never spared (RDR-1).
final class KeptTails: Sendable {
  private struct Kept: Sendable {
    let tenant: TenantID?
    let metadataLocation: String
    let runs: [LaneRun]
    let tail: SortedTail
  }
  /// Latest first.
  private let kept = Mutex<[Kept]>([])
  private static let countMax = 4
  /// Of the segments of one tail; most are held by the cache of footers anyway.
  private static let bytesMax = 32 << 20

  func tail(of tenant: TenantID?, in known: QueuedTable, _ runs: [LaneRun]) -> SortedTail? {
    kept.withLock { kept in
      guard
        let place = kept.firstIndex(where: {
          $0.tenant == tenant && $0.metadataLocation == known.table.metadataLocation && $0.runs == runs
        })
      else { return nil }
      if place > 0 { kept.insert(kept.remove(at: place), at: 0) }
      return kept[0].tail
    }
  }

  /// A tail with segments that cannot be read is looked at again each time (SHF-5).
  func keep(_ tail: SortedTail, of tenant: TenantID?, in known: QueuedTable, _ runs: [LaneRun]) {
    let location = known.table.metadataLocation
    guard tail.damaged.isEmpty, !location.isEmpty, tail.memoryBytes <= KeptTails.bytesMax else { return }
    kept.withLock { kept in
      kept.removeAll { $0.tenant == tenant }
      kept.insert(Kept(tenant: tenant, metadataLocation: location, runs: runs, tail: tail), at: 0)
      if kept.count > KeptTails.countMax { kept.removeLast() }
    }
  }
}
