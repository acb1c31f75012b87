package import LakeSchema

/// Gathers the metrics of one data file from the batches that go into it.
///
///     var collector = MetricsCollector(schema: schema, modes: MetricsModes(schema: schema, properties: properties, sortOrder: order))
///     collector.add(batch)                                // for each row group
///     let metrics = collector.finish(columnSizes: sizes)  // bytes on disk by leaf field id, from the Parquet footer
package struct MetricsCollector: ~Copyable {
  package init(schema: Schema, modes: MetricsModes) { preconditionFailure("not yet") }
  package mutating func add(_ batch: ColumnBatch) { preconditionFailure("not yet") }
  package consuming func finish(columnSizes: [Int: Int64]) -> FileMetrics { preconditionFailure("not yet") }
}

/// Which metrics are kept of a column: the table properties `write.metadata.metrics.*`.
package struct MetricsModes: Sendable {
  package enum Mode: Hashable, Sendable {
    case none, counts, full
    /// Bounds of at most so many characters or bytes.
    case truncate(Int)
  }
  package let byFieldID: [Int: Mode]

  package init(schema: Schema, properties: [String: String], sortOrder: SortOrder?) { preconditionFailure("not yet") }
}
