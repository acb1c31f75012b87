/// Limits and sizes of the query engine; the defaults are Loki's where Loki has the limit.
package struct QuerySettings: Sendable {
  /// Entries of a log query that names no limit.
  package var entriesDefault = 100
  /// Most entries a log query may ask for.
  package var entriesMax = 5000
  /// Most series of a metric query's answer.
  package var seriesMax = 10_000
  /// Most evaluations of a range query.
  package var pointsMax = 11_000
  /// Longest time range of a query.
  package var rangeMax: Duration = .seconds(721 * 3600)
  package var timeout: Duration = .seconds(60)
  /// Bytes one query may hold at once.
  package var memoryMax = 1 << 30
  /// Bytes of footers, metadata and decoded pages kept between queries. Results are never kept.
  package var cacheBytesMax = 1 << 30
  /// Row groups of one query scanned at once.
  package var parallelism = 2
  /// Whether queries read the WAL beyond what the table has taken.
  package var readsWAL = true
  /// How often RDR-1 starts again when the table changed meanwhile.
  package var snapshotAttemptsMax = 5

  package init() {}
}
