package import LakeModel

/// ExportLogsServiceRequest -> rows of the logs table. The mapping is in README.md.
package enum LogsDecoder {
  /// Decodes a whole, decompressed body. An empty protobuf body is a request without records.
  package static func decode(
    _ body: Bytes, encoding: OTLPEncoding, context: DecodeContext
  ) throws(OTLPError) -> DecodedLogs {
    var builder = LogsBuilder(context: context, door: .otlp, bodyBytes: min(body.count, RequestBody.bytesMax))
    let excess = try RequestBody.withProtobuf(body, encoding: encoding, signal: .logs, context: context) {
      (request) throws(WireError) in
      try builder.read(request)
    }
    let hasRecordWithoutTime = builder.hasRecordWithoutTime
    return DecodedLogs(
      batch: builder.finish(), rejectedCount: 0, rejectionReasons: [], hasRecordWithoutTime: hasRecordWithoutTime
    )
    .trimmed(excess, context.recordLimits)
  }
}
