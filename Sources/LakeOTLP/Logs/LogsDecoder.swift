package import LakeModel
package import LakeSchema

/// The rows of one logs request.
package struct DecodedLogs: Sendable {
  /// Rows of `LakeTable.logs` in request order, without rejected records.
  package var batch: ColumnBatch
  package var recordCount: Int { batch.count }
  /// Records left out: the partial success. The same on every replica and every repeat (WAL-7).
  package var rejectedCount: Int
  /// At most a handful of sentences, for the partial success's error message.
  package var rejectionReasons: [String]
  /// Some record brought neither a time nor an observed time: the request has no fingerprint (DUP-2).
  package var hasRecordWithoutTime: Bool

  package init(batch: ColumnBatch, rejectedCount: Int, rejectionReasons: [String], hasRecordWithoutTime: Bool) {
    self.batch = batch
    self.rejectedCount = rejectedCount
    self.rejectionReasons = rejectionReasons
    self.hasRecordWithoutTime = hasRecordWithoutTime
  }
}

/// ExportLogsServiceRequest -> rows of the logs table. The mapping is in README.md.
package enum LogsDecoder {
  /// Decodes a whole, decompressed body. An empty protobuf body is a request without records.
  package static func decode(
    _ body: Bytes, encoding: OTLPEncoding, context: DecodeContext
  ) throws(OTLPError) -> DecodedLogs {
    var builder = LogsBuilder(context: context, door: .otlp, bodyBytes: min(body.count, RequestBody.bytesMax))
    try RequestBody.withProtobuf(body, encoding: encoding, message: .logsRequest, limits: context.limits) {
      (request) throws(WireError) in
      try LogsWire.read(request, into: &builder)
    }
    let hasRecordWithoutTime = builder.hasRecordWithoutTime
    return DecodedLogs(
      batch: builder.finish(), rejectedCount: 0, rejectionReasons: [], hasRecordWithoutTime: hasRecordWithoutTime)
  }
}
