/// One line as a server gave it.
package struct LogEntry: Sendable, Hashable {
  package typealias Labels = [String: String]

  /// Nanoseconds since the epoch.
  package var time: UInt64
  /// Of the stream.
  package var labels: Labels
  /// Structured metadata, and what the query's parsers made.
  package var metadata: Labels
  package var parsed: Labels
  package var line: String

  package init(time: UInt64, labels: Labels, metadata: Labels = [:], parsed: Labels = [:], line: String) {
    self.time = time
    self.labels = labels
    self.metadata = metadata
    self.parsed = parsed
    self.line = line
  }

  /// Everything that has a name, the innermost level first.
  package subscript(_ name: String) -> String? { parsed[name] ?? metadata[name] ?? labels[name] }
}

/// One series of a metric query.
package struct MetricSeries: Sendable, Hashable {
  package var labels: [String: String]
  /// Seconds since the epoch, and the value as the server wrote it.
  package var samples: [(time: Double, value: String)]

  package static func == (a: MetricSeries, b: MetricSeries) -> Bool {
    a.labels == b.labels && a.samples.elementsEqual(b.samples) { $0.time == $1.time && $0.value == $1.value }
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(labels) }
}
