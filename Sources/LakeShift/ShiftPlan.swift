package import LakeSchema
package import LakeWAL

/// What one shift does: the files it makes and the state that its commit sets (SHF-3).
package struct ShiftPlan: Sendable {
  /// Valid on this generation only.
  package let generation: Int
  package let tasks: [ShiftTask]
  /// The state after the commit, without the fingerprint object of this plan.
  package let nextState: QueueState
  /// Quarantined before this plan.
  package let knownQuarantine: Set<QuarantineEntry>
  /// Of the requests whose rows the tasks bring, ascending. They make one fingerprint object.
  package let fingerprints: [Fingerprint]
  /// Segments whose rows the plan takes or finds to be repeats.
  package let segmentCount: Int
  package let rowCount: Int
  package let repeatCount: Int
  /// Whether limits left something for the next plan.
  package let isCut: Bool

  /// A commit is due for more than tidiness: rows, repeats or damage.
  package var takesSegments: Bool { segmentCount > 0 }
}

/// Row groups of one partition that become one sorted run of data files.
package struct ShiftTask: Sendable {
  package let key: PartitionKey
  /// Ascending by segment.
  package let sources: [WALRowGroup]

  package init(key: PartitionKey, sources: [WALRowGroup]) {
    self.key = key
    self.sources = sources
  }

  package var rowCount: Int { sources.reduce(0) { $0 + $1.rowCount } }
}

/// What reading a segment's footer came to.
package enum SegmentFinding: Sendable {
  case readable(OpenSegment)
  /// Twice, read past every cache (SHF-5).
  case damaged(String)
  /// A read error or a newer format: the lane stops here for this plan.
  case stopped(String)
}
