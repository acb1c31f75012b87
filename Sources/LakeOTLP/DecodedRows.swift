package import LakeSchema

/// The rows of one request, all of one tenant, in request order.
package struct DecodedRows: Sendable {
  /// Rows of the signal's table, without rejected records.
  package var batch: ColumnBatch
  package var recordCount: Int { batch.count }
  /// Records left out: the partial success. The same on every replica and every repeat (WAL-7).
  package var rejectedCount: Int
  /// The same by reason, for metrics; reasons that did not occur may be missing.
  package var rejections: [Rejection]
  /// What the limits of the tenant changed.
  package var excess = Excess()
  /// At most a handful of sentences, for the partial success's error message.
  package var rejectionReasons: [String]
  /// Some record brought no time of its own: the request has no fingerprint (DUP-2).
  package var hasRecordWithoutTime: Bool

  package init(
    batch: ColumnBatch, rejectedCount: Int = 0, rejections: [Rejection] = [], rejectionReasons: [String] = [],
    hasRecordWithoutTime: Bool = false
  ) {
    self.batch = batch
    self.rejectedCount = rejectedCount
    self.rejections = rejections
    self.rejectionReasons = rejectionReasons
    self.hasRecordWithoutTime = hasRecordWithoutTime
  }
}

extension DecodedRows {
  /// The same with what the limits of the tenant did before.
  func trimmed(_ excess: Excess, _ limits: RecordLimits) -> DecodedRows {
    var rows = self
    rows.excess = excess
    rows.rejections += excess.rejections
    rows.rejectedCount += excess.rejections.reduce(0) { $0 + $1.count }
    rows.rejectionReasons += excess.reasons(limits)
    return rows
  }
}

/// Why records were left out, and how many.
package struct Rejection: Hashable, Sendable {
  package enum Reason: String, Sendable {
    case noTraceID = "no_trace_id"
    case noSpanID = "no_span_id"
    case invalidEntry = "invalid_entry"
    case manyAttributes = "too_many_attributes"
    case longAttribute = "attribute_too_long"
    case longBody = "body_too_long"
  }
  package let reason: Reason
  package var count: Int

  package init(_ reason: Reason, _ count: Int) {
    self.reason = reason
    self.count = count
  }
}

package typealias DecodedLogs = DecodedRows
