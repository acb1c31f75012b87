package import LakeModel

/// The answer of a LogQL query, shaped so that a surface writes it out without a `String` per row.
package struct LogQueryResult: Sendable {
  package enum Data: Sendable {
    /// Log queries. Streams in the order of their first entry in the query's direction.
    case streams([LogStream])
    /// Metric queries over a range, in ascending order of labels, or in the order that `sort` asks for.
    case matrix([SampleSeries])
    /// Metric queries at an instant; same order.
    case vector([VectorSample])
    /// Numbers without labels, at the instant asked for.
    case scalar(Double)
  }

  package var data: Data
  package var statistics: QueryStatistics
  /// What a careful reader of the answer should know, such as quarantined segments (SHF-5).
  package var warnings: [String]

  package init(data: Data, statistics: QueryStatistics, warnings: [String] = []) {
    self.data = data
    self.statistics = statistics
    self.warnings = warnings
  }
}

/// Entries with equal labels.
package struct LogStream: Sendable {
  /// All labels; with `LogQueryRequest.isCategorized` only the stream's own.
  package var labels: LabelSet
  /// Nanoseconds since the epoch, in the query's direction.
  package var times: [UInt64]
  /// The lines: a `.bytes` column without absent values, one value per entry.
  package var lines: Column
  /// With `isCategorized`: one per entry; otherwise empty.
  package var metadata: [EntryMetadata]

  package init(labels: LabelSet, times: [UInt64], lines: Column, metadata: [EntryMetadata] = []) {
    self.labels = labels
    self.times = times
    self.lines = lines
    self.metadata = metadata
  }

  package var count: Int { times.count }
}

/// What an entry carries beyond its stream's labels.
package struct EntryMetadata: Sendable, Hashable {
  package var structured: LabelSet
  /// Labels that the query's parsers and formatters made.
  package var parsed: LabelSet

  package init(structured: LabelSet, parsed: LabelSet) {
    self.structured = structured
    self.parsed = parsed
  }
}

/// One line of a chart.
package struct SampleSeries: Sendable {
  package var labels: LabelSet
  /// Ascending.
  package var times: [Timestamp]
  package var values: [Double]

  package init(labels: LabelSet, times: [Timestamp], values: [Double]) {
    self.labels = labels
    self.times = times
    self.values = values
  }
}

package struct VectorSample: Sendable {
  package var labels: LabelSet
  package var time: Timestamp
  package var value: Double

  package init(labels: LabelSet, time: Timestamp, value: Double) {
    self.labels = labels
    self.time = time
    self.value = value
  }
}

/// Totals of `index/stats`.
package struct LogIndexStatistics: Sendable, Hashable {
  package var streams = 0
  /// Row groups that hold rows of the selection.
  package var chunks = 0
  package var entries = 0
  /// Bytes of lines.
  package var bytes = 0
  package init() {}
}
