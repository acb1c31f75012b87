package import LakeModel

/// A LogQL query as a surface asks it: who, what, when. Texts are parsed here; see `QueryError.invalid`.
package struct LogQueryRequest: Sendable {
  package enum Span: Sendable, Hashable {
    /// One evaluation. Log queries are refused (`QueryError.invalid`), as Loki does.
    case instant(at: Timestamp)
    /// Log queries: entries in `start ..< end` (both ends as Loki has them: start included, end not); metric queries:
    /// evaluations at `start`, `start + step`, ... up to and including `end`.
    ///
    /// - Parameters:
    ///   - step: positive, for metric queries; ignored for log queries.
    ///   - interval: log queries: entries of a stream closer than this to the one before are left out; zero keeps all.
    case range(start: Timestamp, end: Timestamp, step: Duration, interval: Duration)
  }

  package enum Direction: Sendable, Hashable { case forward, backward }

  package var tenant: TenantID
  /// LogQL text.
  package var query: String
  package var span: Span
  package var direction: Direction
  /// Most entries of a log query; 0 means the default.
  package var limit: Int
  /// Whether the answer tells stream labels, structured metadata and parsed labels apart
  /// (`X-Loki-Response-Encoding-Flags: categorize-labels`).
  package var isCategorized: Bool

  package init(
    tenant: TenantID, query: String, span: Span, direction: Direction = .backward, limit: Int = 0,
    isCategorized: Bool = false
  ) {
    self.tenant = tenant
    self.query = query
    self.span = span
    self.direction = direction
    self.limit = limit
    self.isCategorized = isCategorized
  }
}

/// What is asked about labels: in which rows to look.
package struct LabelsRequest: Sendable {
  package var tenant: TenantID
  package var start: Timestamp
  package var end: Timestamp
  /// Stream selectors (LogQL text); rows of any of them count. Empty: every row of the tenant.
  package var selectors: [String]

  package init(tenant: TenantID, start: Timestamp, end: Timestamp, selectors: [String] = []) {
    self.tenant = tenant
    self.start = start
    self.end = end
    self.selectors = selectors
  }
}

/// What is asked of `index/volume` and `index/volume_range`.
package struct VolumeRequest: Sendable {
  package enum Grouping: Sendable, Hashable { case series, labels }
  package var tenant: TenantID
  /// A stream selector.
  package var query: String
  package var start: Timestamp
  package var end: Timestamp
  /// nil: one value for the whole range (`index/volume`).
  package var step: Duration?
  package var limit: Int
  package var targetLabels: [String]
  package var grouping: Grouping

  package init(
    tenant: TenantID, query: String, start: Timestamp, end: Timestamp, step: Duration? = nil, limit: Int = 100,
    targetLabels: [String] = [], grouping: Grouping = .series
  ) {
    self.tenant = tenant
    self.query = query
    self.start = start
    self.end = end
    self.step = step
    self.limit = limit
    self.targetLabels = targetLabels
    self.grouping = grouping
  }
}
