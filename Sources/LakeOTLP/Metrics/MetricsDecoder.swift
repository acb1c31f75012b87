package import LakeModel

/// ExportMetricsServiceRequest -> rows of the metrics table, one a data point. The mapping is in README.md.
package enum MetricsDecoder {
  /// Decodes a whole, decompressed body.
  package static func decode(
    _ body: Bytes, encoding: OTLPEncoding, context: DecodeContext
  ) throws(OTLPError) -> DecodedRows {
    var builder = MetricsBuilder(context: context, bodyBytes: min(body.count, RequestBody.bytesMax))
    let excess = try RequestBody.withProtobuf(body, encoding: encoding, signal: .metrics, context: context) {
      (request) throws(WireError) in
      try builder.read(request)
    }
    let hasRecordWithoutTime = builder.hasRecordWithoutTime
    return DecodedRows(batch: builder.finish(), hasRecordWithoutTime: hasRecordWithoutTime)
      .trimmed(excess, context.recordLimits)
  }
}
