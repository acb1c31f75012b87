package import LakeModel
package import LakeSchema

/// Rows of the logs table -> ExportLogsServiceRequest: the decoder's inverse up to the normal form of README.md.
package enum LogsEncoder {
  /// Rows in any order, also read back from a table; equal resources and scopes are grouped in order of first sight.
  /// - Throws: `.malformed` when `resource`, `scope` or `otlp_extra` do not hold what the decoder writes.
  package static func encode(_ batch: ColumnBatch, encoding: OTLPEncoding) throws(OTLPError) -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: batch.count * 128 + 64)
    let row = LogRowReader(batch)
    try GroupReader(batch).appendRequest(count: batch.count, to: &out) {
      (rows: [Int], out: inout BufferBuilder<UInt8>) throws(OTLPError) in
      for index in rows {
        let record = out.beginMessage(2)
        try row.append(index, to: &out)
        out.endMessage(record)
      }
    }
    return try RequestBody.encoded(out, as: .logsRequest, encoding)
  }
}

/// One row, back to a LogRecord.
private struct LogRowReader {
  private let times: TimeReader
  private let observedTimes: TimeReader
  private let severityNumber: NumberReader?
  private let severityText: TextReader?
  private let severityDerived: NumberReader?
  private let body: TextReader?
  private let bodyKind: TextReader?
  private let attributes: AttributesReader?
  private let dropped: NumberReader?
  private let flags: NumberReader?
  private let traceID: TextReader?
  private let spanID: TextReader?
  private let eventName: TextReader?
  private let extra: TextReader?

  init(_ batch: ColumnBatch) {
    times = TimeReader(batch.column("timestamp"), nanos: batch.column("timestamp_nanos"))
    observedTimes = TimeReader(batch.column("observed_timestamp"), nanos: batch.column("observed_timestamp_nanos"))
    severityNumber = NumberReader(batch.column("severity_number"))
    severityText = TextReader(batch.column("severity_text"))
    severityDerived = NumberReader(batch.column("severity_derived"))
    body = TextReader(batch.column("body"))
    bodyKind = TextReader(batch.column("body_kind"))
    attributes = AttributesReader(
      batch.column("attributes"), shapes: batch.column("attributes_shape"), column: "attributes")
    dropped = NumberReader(batch.column("dropped_attributes_count"))
    flags = NumberReader(batch.column("flags"))
    traceID = TextReader(batch.column("trace_id"))
    spanID = TextReader(batch.column("span_id"))
    eventName = TextReader(batch.column("event_name"))
    extra = TextReader(batch.column("otlp_extra"))
  }

  func append(_ row: Int, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    let stored = try extra?[row].map { (text) throws(OTLPError) in
      try StoredJSON(text, place: "row \(row), otlp_extra")
    }
    if let bytes = try stored?.base64("bytes") { return out.append(RawBytes(bytes.unsafeBase, bytes.count)) }
    if let time = times[row] { out.field(1, fixed64: time) }
    if let number = severityNumber?.int(row), number != 0 { out.field(2, varint: UInt64(bitPattern: number)) }
    if severityDerived?.int(row) != 1, let text = severityText?[row] { out.field(3, bytes: text) }
    try appendBody(row, to: &out)
    if try stored?.append(list: "attributes", of: .keyValue, field: 6, to: &out) != true {
      try attributes?.appendOwn(row, field: 6, to: &out)
    }
    if let count = dropped?.int(row), count != 0 { out.field(7, varint: UInt64(UInt32(truncatingIfNeeded: count))) }
    if let bits = flags?.int(row), bits != 0 { out.field(8, fixed32: UInt32(truncatingIfNeeded: bits)) }
    try appendID(traceID?[row], field: 9, stored, "traceId", to: &out)
    try appendID(spanID?[row], field: 10, stored, "spanId", to: &out)
    if let time = observedTimes[row] { out.field(11, fixed64: time) }
    if let name = eventName?[row] { out.field(12, bytes: name) }
  }

  private func appendBody(_ row: Int, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    guard let text = body?[row] else { return }
    let start = out.beginMessage(5)
    if bodyKind?[row] == nil {
      out.field(1, bytes: text)
    } else {
      try StoredJSON(text, place: "row \(row), body").append(.anyValue, to: &out)
    }
    out.endMessage(start)
  }

  private func appendID(
    _ id: RawBytes?, field: UInt32, _ stored: StoredJSON?, _ name: String, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) {
    if let id { return out.field(field, bytes: id) }
    guard let odd = try stored?.hex(name) else { return }
    out.field(field, bytes: RawBytes(odd.unsafeBase, odd.count))
  }
}

/// A time from its two columns; nil when the record brought none.
struct TimeReader {
  private let micros: NumberReader?
  private let nanos: NumberReader?

  init(_ micros: Column?, nanos: Column?) {
    self.micros = NumberReader(micros)
    self.nanos = NumberReader(nanos)
  }

  subscript(row: Int) -> UInt64? {
    guard let whole = micros?.int(row), let rest = nanos?.int(row), whole >= 0, rest >= 0 else { return nil }
    return UInt64(whole) &* 1000 &+ UInt64(rest)
  }
}
