package import LakeModel

/// The signals of OTLP, as its services name them.
package enum OTLPSignal: Hashable, Sendable {
  case logs, traces, metrics
}

/// Bodies of ExportLogsServiceResponse, ExportTraceServiceResponse and ExportMetricsServiceResponse.
package enum ExportResponse {
  /// Full success (`rejected` 0 and no message) leaves the partial success empty: `0A 00`, or `{"partialSuccess":{}}`, as the
  /// recorded receiver answers.
  package static func encode(
    _ signal: OTLPSignal, rejected: Int = 0, message: String = "", encoding: OTLPEncoding
  ) -> Bytes {
    preconditionFailure("landing next")
  }
}

/// Bodies of `google.rpc.Status`, the answer to a refused request.
package enum StatusResponse {
  /// - Parameters:
  ///   - code: a gRPC status code (3 INVALID_ARGUMENT, 8 RESOURCE_EXHAUSTED, 13 INTERNAL, 14 UNAVAILABLE).
  ///   - retryDelay: adds a `google.rpc.RetryInfo` detail.
  package static func encode(code: Int, message: String, retryDelay: Duration? = nil, encoding: OTLPEncoding) -> Bytes {
    preconditionFailure("landing next")
  }
}
