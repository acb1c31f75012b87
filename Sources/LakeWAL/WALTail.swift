package import LakeModel
package import LakeParquet
package import LakePorts
package import LakeSchema

/// What a reader wants of the tail.
package struct WALScope: Sendable {
  /// nil: all, for the shift; a query always names one.
  package var tenant: TenantID?
  /// Days of `timestamp`, both ends included; nil: all.
  package var days: ClosedRange<Int32>?

  package init(tenant: TenantID, days: ClosedRange<Int32>? = nil) {
    self.tenant = tenant
    self.days = days
  }

  package static let everything = WALScope()

  private init() {}

  package func includes(_ key: PartitionKey) -> Bool {
    (tenant == nil || key.tenant == tenant) && (days?.contains(key.day) ?? true)
  }
}

/// A table as the catalog has it, and what it has taken from the lanes, parsed once.
package struct QueuedTable: Sendable {
  package let table: TableState
  package let state: QueueState

  package init(_ table: TableState) throws(WALError) {
    self.table = table
    state = try QueueState(of: table.metadata)
  }
}

/// A table's state and the rows beyond it, at one moment (RDR-1, RDR-2).
package struct WALTail: Sendable {
  /// S, confirmed after the lanes were listed: read the snapshot from here and nowhere else.
  package let known: QueuedTable
  package var table: TableState { known.table }
  package var state: QueueState { known.state }
  /// Row groups of the scope that hold rows that count, ascending by segment.
  package let rowGroups: [WALRowGroup]
  /// For what follows from `rowGroups`; the same while they are.
  package let notes: TailNotes
  /// For each lane with a run beyond the state: the sequence after its last segment. The view holds everything below.
  package let reach: [LaneID: Int]
  /// What may be missing from any answer: quarantined or damaged segments (SHF-5, SHF-6). Sentences for people.
  package let warnings: [String]
  package let statistics: WALStatistics

  package init(
    known: QueuedTable, rowGroups: [WALRowGroup], warnings: [String], statistics: WALStatistics,
    reach: [LaneID: Int] = [:], notes: TailNotes = TailNotes()
  ) {
    self.notes = notes
    self.reach = reach
    self.known = known
    self.rowGroups = rowGroups
    self.warnings = warnings
    self.statistics = statistics
  }

  /// Rows that count. Known from the footers alone.
  package var rowCount: Int { rowGroups.reduce(0) { $0 + $1.rowCount } }
}

/// One row group of the tail, repeats already taken out (RDR-3).
package struct WALRowGroup: Sendable {
  package let segment: OpenSegment
  /// Its index in the segment's file.
  package let index: Int
  package let key: PartitionKey
  /// Rows that count: exact, for counting without reading.
  package let rowCount: Int
  /// Requests whose rows do not count, ascending. While it is empty, every shortcut from the row group's statistics holds.
  package let droppedRequests: [Int]

  package init(segment: OpenSegment, index: Int, key: PartitionKey, rowCount: Int, droppedRequests: [Int]) {
    self.segment = segment
    self.index = index
    self.key = key
    self.rowCount = rowCount
    self.droppedRequests = droppedRequests
  }

  /// Column statistics for pruning. Bounds hold for the rows that count too; counts only while nothing is dropped.
  package var rowGroup: RowGroup { segment.file.rowGroups[index] }
}

package struct WALStatistics: Hashable, Sendable {
  package var laneCount = 0
  package var segmentCount = 0
  package var repeatCount = 0
  /// How often the view was taken anew because the table moved (RDR-1, RDR-4).
  package var restartCount = 0

  package init() {}
}
