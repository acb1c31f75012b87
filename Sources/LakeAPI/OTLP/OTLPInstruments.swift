import LakeModel
import LakeOTLP
import LakePorts

/// What the OTLP doors tell the metrics port.
struct OTLPInstruments: Sendable {
  enum Transport: String, CaseIterable, Sendable { case http, grpc }

  private struct Door: Sendable {
    let seconds: Histogram
    let bytes: Counter
  }

  private let registry: MetricsRegistry
  private let doors: [OTLPSignal: [Transport: Door]]

  init(_ registry: MetricsRegistry) {
    self.registry = registry
    var doors: [OTLPSignal: [Transport: Door]] = [:]
    for signal in OTLPSignal.all {
      for transport in Transport.allCases {
        let labels = [("signal", signal.text), ("transport", transport.rawValue)]
        doors[signal, default: [:]][transport] = Door(
          seconds: registry.histogram(
            "icegate_otlp_request_seconds", help: "From the end of a request to its answer.",
            bounds: Histogram.latencyBounds, labels: labels),
          bytes: registry.counter(
            "icegate_otlp_request_bytes_total", help: "Bytes of requests, decompressed.", labels: labels))
      }
    }
    self.doors = doors
  }

  func countBytes(_ bytes: Int, _ signal: OTLPSignal, _ transport: Transport) {
    doors[signal]?[transport]?.bytes.add(bytes)
  }

  /// - Parameter status: as HTTP says it, or the name of gRPC's code.
  func countAnswer(_ status: String, after delay: Duration, _ signal: OTLPSignal, _ transport: Transport) {
    doors[signal]?[transport]?.seconds.observe(Double(delay.nanoseconds) / 1e9)
    registry.counter(
      "icegate_otlp_requests_total", help: "Requests by how they were answered.",
      labels: [("signal", signal.text), ("status", status), ("transport", transport.rawValue)]
    ).add()
  }

  /// Records of acknowledged requests that were left out.
  func countRejections(_ rejections: [Rejection], _ signal: OTLPSignal) {
    for rejection in rejections where rejection.count > 0 {
      registry.counter(
        "icegate_ingest_rejected_records_total", help: "Records left out of acknowledged requests, by reason.",
        labels: [("reason", rejection.reason.rawValue), ("topic", signal.topic.rawValue)]
      ).add(rejection.count)
    }
  }
}

extension OTLPSignal {
  /// As labels of metrics say it.
  var text: String {
    switch self {
    case .logs: "logs"
    case .traces: "traces"
    case .metrics: "metrics"
    }
  }
}
