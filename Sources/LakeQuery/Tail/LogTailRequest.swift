package import LakeModel

/// A log query that goes on: what is there, then what comes.
package struct LogTailRequest: Sendable {
  package var tenant: TenantID
  /// LogQL text of a log query.
  package var query: String
  /// Rows with an earlier time are left out, whenever they come.
  package var start: Timestamp
  /// Entries of what is there at the beginning: the newest. 0: none.
  package var history: Int
  package var isCategorized: Bool

  package init(tenant: TenantID, query: String, start: Timestamp, history: Int, isCategorized: Bool = false) {
    self.tenant = tenant
    self.query = query
    self.start = start
    self.history = history
    self.isCategorized = isCategorized
  }
}

/// One step of a tail.
package struct LogTailStep: Sendable {
  /// Entries that became visible since the step before, each stream's oldest first.
  package var streams: [LogStream]
  /// More is there already: ask again at once.
  package var hasMore: Bool
  /// What a careful reader should know, such as quarantined segments (SHF-5).
  package var warnings: [String]
}
