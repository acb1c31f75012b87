import LakeModel
package import LakePorts

/// What an ingestor tells the metrics port, by topic.
package struct IngestInstruments: Sendable {
  package struct OfTopic: Sendable {
    let acknowledged: Counter
    let deduplicated: Counter
    let failed: Counter
    let refused: Counter
    let rows: Counter
    let segments: Counter
    let segmentBytes: Counter
    let acknowledgeSeconds: Histogram
  }

  let bytesHeld: Gauge
  private let topics: [Topic: OfTopic]

  package init(_ registry: MetricsRegistry) {
    bytesHeld = registry.gauge(
      "icegate_ingest_queue_bytes", help: "Memory of requests that wait or are being written.")
    var topics: [Topic: OfTopic] = [:]
    for topic in Topic.allCases {
      let label = [("topic", topic.rawValue)]
      func requests(_ outcome: String) -> Counter {
        registry.counter(
          "icegate_ingest_requests_total", help: "Requests by topic and what became of them.",
          labels: label + [("outcome", outcome)])
      }
      topics[topic] = OfTopic(
        acknowledged: requests("acknowledged"), deduplicated: requests("deduplicated"), failed: requests("failed"),
        refused: requests("refused"),
        rows: registry.counter("icegate_ingest_rows_total", help: "Rows of acknowledged requests.", labels: label),
        segments: registry.counter("icegate_wal_segments_written_total", help: "Segments written.", labels: label),
        segmentBytes: registry.counter(
          "icegate_wal_segment_bytes_written_total", help: "Bytes of segments written.", labels: label),
        acknowledgeSeconds: registry.histogram(
          "icegate_ingest_acknowledge_seconds", help: "From receipt to acknowledgement.",
          bounds: Histogram.latencyBounds, labels: label))
    }
    self.topics = topics
  }

  func of(_ topic: Topic) -> OfTopic { topics[topic]! }
}
