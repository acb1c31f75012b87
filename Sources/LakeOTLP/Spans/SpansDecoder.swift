package import LakeModel

/// ExportTraceServiceRequest -> rows of the spans table. The mapping is in README.md.
package enum SpansDecoder {
  /// Decodes a whole, decompressed body. Spans without a valid trace or span id are left out and counted.
  package static func decode(
    _ body: Bytes, encoding: OTLPEncoding, context: DecodeContext
  ) throws(OTLPError) -> DecodedRows {
    var builder = SpansBuilder(context: context, bodyBytes: min(body.count, RequestBody.bytesMax))
    let excess = try RequestBody.withProtobuf(body, encoding: encoding, signal: .traces, context: context) {
      (request) throws(WireError) in
      try builder.read(request)
    }
    let rejections = builder.rejections
    let hasRecordWithoutTime = builder.hasRecordWithoutTime
    return DecodedRows(
      batch: builder.finish(), rejectedCount: rejections.count, rejections: rejections.counts,
      rejectionReasons: rejections.reasons, hasRecordWithoutTime: hasRecordWithoutTime
    )
    .trimmed(excess, context.recordLimits)
  }
}

/// Why spans were left out.
struct SpanRejections {
  var withoutTraceID = 0
  var withoutSpanID = 0

  var count: Int { withoutTraceID + withoutSpanID }

  var counts: [Rejection] { [Rejection(.noTraceID, withoutTraceID), Rejection(.noSpanID, withoutSpanID)] }

  var reasons: [String] {
    var reasons: [String] = []
    if withoutTraceID > 0 {
      reasons.append("\(spans(withoutTraceID)) without a valid trace id (16 bytes, not all zero)")
    }
    if withoutSpanID > 0 { reasons.append("\(spans(withoutSpanID)) without a valid span id (8 bytes, not all zero)") }
    return reasons
  }

  private func spans(_ count: Int) -> String { count == 1 ? "1 span" : "\(count) spans" }
}
