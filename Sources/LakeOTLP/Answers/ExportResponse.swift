package import LakeModel

/// The signals of OTLP, as its services name them.
package enum OTLPSignal: Hashable, Sendable {
  case logs, traces, metrics

  /// The member that counts rejected records, in JSON.
  var rejectedName: StaticString {
    switch self {
    case .logs: "rejectedLogRecords"
    case .traces: "rejectedSpans"
    case .metrics: "rejectedDataPoints"
    }
  }
}

/// Bodies of ExportLogsServiceResponse, ExportTraceServiceResponse and ExportMetricsServiceResponse.
package enum ExportResponse {
  /// Full success (`rejected` 0 and no message) leaves the partial success empty: `0A 00`, or `{"partialSuccess":{}}`, as the
  /// recorded receiver answers.
  package static func encode(
    _ signal: OTLPSignal, rejected: Int = 0, message: String = "", encoding: OTLPEncoding
  ) -> Bytes {
    var message = message
    return message.withUTF8 { text in
      let text = text.baseAddress.map { RawBytes($0, text.count) } ?? .none
      switch encoding {
      case .protobuf: return protobuf(rejected: rejected, message: text)
      case .json: return json(signal, rejected: rejected, message: text)
      }
    }
  }

  private static func protobuf(rejected: Int, message: RawBytes) -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: message.count + 32)
    let start = out.beginMessage(1)
    if rejected != 0 { out.field(1, varint: UInt64(bitPattern: Int64(rejected))) }
    if !message.isEmpty { out.field(2, bytes: message) }
    out.endMessage(start)
    return Bytes(out.finish())
  }

  private static func json(_ signal: OTLPSignal, rejected: Int, message: RawBytes) -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: message.count + 96)
    out.append("{\"partialSuccess\":{")
    if rejected != 0 {
      out.append("\"")
      out.append(signal.rejectedName)
      out.append("\":\"")
      NumberText.append(Int64(rejected), to: &out)
      out.append("\"")
    }
    if !message.isEmpty {
      out.append(rejected != 0 ? ",\"errorMessage\":" : "\"errorMessage\":")
      out.quoted(message)
    }
    out.append("}}")
    return Bytes(out.finish())
  }
}
