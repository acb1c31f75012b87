package import LakeModel
package import LakeSchema

/// How far a table has taken a lane.
package enum LanePosition: Hashable, Sendable {
  /// Everything below this sequence is in the table (or in quarantine).
  case next(Int)
  /// The lane's tombstone lies at this sequence, and everything below it is in the table.
  case ended(Int)

  package var hasEnded: Bool {
    if case .ended = self { true } else { false }
  }

  /// Whether the table no longer needs the object at `sequence`.
  package func isPast(_ sequence: Int) -> Bool {
    switch self {
    case .next(let next): sequence < next
    case .ended: true
    }
  }
}

/// What a table has taken from the lanes of its topic: the table property `icegate.queue.state` (SHF-2).
///
/// It changes only together with a new snapshot, one generation at a time.
package struct QueueState: Hashable, Sendable {
  package static let property = "icegate.queue.state"
  package static let generationProperty = "icegate.queue.generation"

  /// An object that lists the fingerprints of one commit's requests (DUP-4).
  package struct FingerprintObject: Hashable, Sendable {
    package let name: String
    /// The generation that this commit made.
    package let generation: Int
    package let requestCount: Int

    package init(name: String, generation: Int, requestCount: Int) {
      self.name = name
      self.generation = generation
      self.requestCount = requestCount
    }
  }

  /// 0: nothing was ever shifted.
  package var generation = 0
  package var lanes: [LaneID: LanePosition] = [:]
  /// Ascending by generation.
  package var fingerprints: [FingerprintObject] = []
  /// Ascending by segment.
  package var quarantine: [QuarantineEntry] = []

  package init() {}

  /// The state of a table as its metadata says.
  ///
  /// - Throws: `.stateMalformed` when the property cannot be read; `.stateLost` when snapshots tell of a later generation
  ///   than the property does: somebody took it away or put an old one back, and going on would repeat rows.
  package init(of table: TableMetadata) throws(WALError) {
    if let text = table.properties[QueueState.property] { self = try QueueState(json: text) }
    var highest = 0
    for snapshot in table.snapshots {
      guard let told = snapshot.summary[QueueState.generationProperty].flatMap({ Int($0) }) else { continue }
      highest = max(highest, told)
    }
    guard highest <= generation else { throw .stateLost(found: generation, expected: highest) }
  }
}

/// Something in the queue that could not be taken into the table (SHF-5, SHF-6). An operator decides about it.
package struct QuarantineEntry: Hashable, Comparable, Sendable {
  package enum Reason: Hashable, Sendable {
    /// Nothing lies below a standing segment.
    case missing
    /// The whole segment cannot be read.
    case unreadable(String)
    /// These row groups cannot be read; requests with rows in them were left out whole.
    case unreadableRowGroups([BadRowGroup], String)
  }

  package struct BadRowGroup: Hashable, Sendable {
    package let index: Int
    package let key: PartitionKey

    package init(index: Int, key: PartitionKey) {
      self.index = index
      self.key = key
    }
  }

  package let segment: SegmentID
  package let reason: Reason

  package init(segment: SegmentID, reason: Reason) {
    self.segment = segment
    self.reason = reason
  }

  package static func < (a: QuarantineEntry, b: QuarantineEntry) -> Bool { a.segment < b.segment }

  /// Whether rows of this tenant may be missing from the table because of it.
  package func mayConcern(_ tenant: TenantID) -> Bool {
    switch reason {
    case .missing, .unreadable: true
    // Requests were left out whole, and a request is of one tenant.
    case .unreadableRowGroups(let groups, _): groups.contains { $0.key.tenant == tenant }
    }
  }
}
