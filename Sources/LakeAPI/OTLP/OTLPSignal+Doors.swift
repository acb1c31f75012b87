import LakeModel
package import LakeOTLP

/// Where requests of a signal come in, what reads them, and where their rows go.
extension OTLPSignal {
  package static let all: [OTLPSignal] = [.logs, .traces, .metrics]

  /// The path of OTLP/HTTP.
  var path: String {
    switch self {
    case .logs: "/v1/logs"
    case .traces: "/v1/traces"
    case .metrics: "/v1/metrics"
    }
  }

  /// The full name of the gRPC service, whose only method is `Export`.
  var serviceName: String {
    switch self {
    case .logs: "opentelemetry.proto.collector.logs.v1.LogsService"
    case .traces: "opentelemetry.proto.collector.trace.v1.TraceService"
    case .metrics: "opentelemetry.proto.collector.metrics.v1.MetricsService"
    }
  }

  /// What fingerprints know the door by (DUP-1): HTTP and gRPC are one door. Never changes once released.
  var door: StaticString {
    switch self {
    case .logs: "otlp/logs"
    case .traces: "otlp/traces"
    case .metrics: "otlp/metrics"
    }
  }

  var topic: Topic {
    switch self {
    case .logs: .logs
    case .traces: .spans
    case .metrics: .metrics
    }
  }

  func decode(_ body: Bytes, encoding: OTLPEncoding, context: DecodeContext) throws(OTLPError) -> DecodedRows {
    switch self {
    case .logs: try LogsDecoder.decode(body, encoding: encoding, context: context)
    case .traces: try SpansDecoder.decode(body, encoding: encoding, context: context)
    case .metrics: try MetricsDecoder.decode(body, encoding: encoding, context: context)
    }
  }
}
