import LakeModel
import LakePorts

/// What the Loki port tells the metrics port.
struct LokiInstruments: Sendable {
  private let registry: MetricsRegistry
  private let queueSeconds: Histogram
  let tails: Gauge

  /// Paths below `/loki/api/v1/` by their first word; others are `other`, so that clients cannot make series.
  private static let routes: Set<String> = [
    "query_range", "query", "labels", "label", "series", "index", "detected_labels", "detected_fields",
    "detected_field",
    "patterns", "format_query", "explain",
  ]

  init(_ registry: MetricsRegistry) {
    self.registry = registry
    queueSeconds = registry.histogram(
      "icegate_query_queue_seconds", help: "How long reads waited for their turn.", bounds: Histogram.latencyBounds)
    tails = registry.gauge("icegate_tails", help: "Tails that are open.")
  }

  static let prefix = "/loki/api/v1/"

  func countRead(_ path: String, _ status: Int, queued: Duration, elapsed: Duration) {
    let word = path.dropFirst(LokiInstruments.prefix.count).prefix { $0 != "/" }
    let route = LokiInstruments.routes.contains(String(word)) ? String(word) : "other"
    queueSeconds.observe(Double(queued.nanoseconds) / 1e9)
    registry.histogram(
      "icegate_query_seconds", help: "From the end of a read to its answer, waiting included.",
      bounds: Histogram.latencyBounds, labels: [("api", "loki"), ("route", route)]
    ).observe(Double(elapsed.nanoseconds) / 1e9)
    registry.counter(
      "icegate_query_requests_total", help: "Reads by how they were answered.",
      labels: [("api", "loki"), ("route", route), ("status", String(status))]
    ).add()
  }
}

/// What the answer of the running request says about itself.
enum LokiRequestContext {
  /// How long it waited for its turn.
  @TaskLocal static var queued = Duration.zero
}
