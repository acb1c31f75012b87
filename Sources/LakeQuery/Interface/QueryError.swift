/// Why a query has no answer.
package enum QueryError: Error, Hashable, Sendable {
  /// The query or a parameter is wrong (status 400): Loki's message.
  case invalid(String)
  /// A limit of the tenant or of the server was met (status 400 in Loki): the message names limit and value.
  case limitExceeded(String)
  /// The query would need more memory than it may have.
  case memoryExceeded(String)
  /// The query took longer than it may.
  case timeout(Duration)
  /// The client went away.
  case cancelled
  /// Store or catalog cannot answer now, or changed too often while we looked (RDR-1); worth another try.
  case unavailable(String)
  /// Stored bytes cannot be read; the answer would miss rows.
  case corrupt(String)
  /// An object that the view named is gone; the engine looks again by itself (RDR-4), so this is seen only when that
  /// happened too often.
  case vanished(String)

  /// The answer would have more series than `limit`.
  static func manySeries(limit: Int) -> QueryError {
    .limitExceeded(
      "maximum number of series (\(limit)) reached for a single query; "
        + "consider reducing query cardinality by adding more specific stream selectors, reducing the time range, "
        + "or aggregating results with functions like sum(), count() or topk()")
  }
}
