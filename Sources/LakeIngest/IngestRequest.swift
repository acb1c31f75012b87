package import LakeModel
package import LakeSchema
package import LakeWAL

/// The rows of one request for one topic. A batch of several signals is one request per topic (WAL-3).
package struct IngestRequest: Sendable {
  package let topic: Topic
  /// Rows of the topic's table, all of one tenant and account. May be empty: then nothing is written.
  package let rows: ColumnBatch
  package let identity: RequestIdentity

  package init(topic: Topic, rows: ColumnBatch, identity: RequestIdentity) {
    self.topic = topic
    self.rows = rows
    self.identity = identity
  }
}

/// The request's rows are durable.
package struct IngestReceipt: Hashable, Sendable {
  /// It was a repeat of a request that is durable already: `X-IceGate-Deduplicated: true` (DUP-3).
  package let isDeduplicated: Bool

  package init(isDeduplicated: Bool) { self.isDeduplicated = isDeduplicated }
}

/// Why a request is not acknowledged. None of these says that its rows will never be seen: a repeat is safe (DUP-1).
package enum IngestError: Error, Hashable, Sendable {
  /// 413: it does not fit into one segment (WAL-3).
  case tooLarge(bytes: Int, limit: Int)
  /// 503 at once: too much is waiting (WAL-7).
  case queueFull
  /// 503: not known durable within `ackDelayMax` (WAL-5).
  case notAcknowledged(String)
  /// 503: the process has used up the memory it may have.
  case shortOfMemory
  /// 429: the tenant has sent more than it may.
  case rateLimited(retryAfter: Duration)
  /// 413: the records lie in too many days.
  case manyDays(limit: Int)
  /// 503: the process is going down.
  case draining
  /// 422: the `Idempotency-Key` came with another body before (DUP-1).
  case keyReused
  /// The rows are not of the topic's table: our own mistake.
  case unfit(String)
}
