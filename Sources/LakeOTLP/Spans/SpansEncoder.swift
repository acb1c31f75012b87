package import LakeModel
package import LakeSchema

/// Rows of the spans table -> ExportTraceServiceRequest: the decoder's inverse up to the normal form of README.md.
package enum SpansEncoder {
  /// Rows in any order, also read back from a table; equal resources and scopes are grouped in order of first sight.
  /// - Throws: `.malformed` when `resource`, `scope` or `otlp_extra` do not hold what the decoder writes.
  package static func encode(_ batch: ColumnBatch, encoding: OTLPEncoding) throws(OTLPError) -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: batch.count * 128 + 64)
    let row = SpanRowReader(batch)
    try GroupReader(batch).appendRequest(count: batch.count, to: &out) {
      (rows: [Int], out: inout BufferBuilder<UInt8>) throws(OTLPError) in
      for index in rows {
        let span = out.beginMessage(2)
        try row.append(index, to: &out)
        out.endMessage(span)
      }
    }
    return try RequestBody.encoded(out, as: .tracesRequest, encoding)
  }
}

/// One row, back to a Span.
private struct SpanRowReader {
  private let traceID: TextReader?
  private let spanID: TextReader?
  private let parentSpanID: TextReader?
  private let traceState: TextReader?
  private let name: TextReader?
  private let kind: NumberReader?
  private let starts: TimeReader
  private let ends: TimeReader
  private let statusCode: NumberReader?
  private let statusMessage: TextReader?
  private let flags: NumberReader?
  private let droppedAttributes: NumberReader?
  private let droppedEvents: NumberReader?
  private let droppedLinks: NumberReader?
  private let attributes: AttributesReader?
  private let events: SpanEventReader?
  private let links: SpanLinkReader?
  private let extra: TextReader?

  init(_ batch: ColumnBatch) {
    traceID = TextReader(batch.column("trace_id"))
    spanID = TextReader(batch.column("span_id"))
    parentSpanID = TextReader(batch.column("parent_span_id"))
    traceState = TextReader(batch.column("trace_state"))
    name = TextReader(batch.column("name"))
    kind = NumberReader(batch.column("kind"))
    starts = TimeReader(batch.column("timestamp"), nanos: batch.column("timestamp_nanos"))
    ends = TimeReader(batch.column("end_timestamp"), nanos: batch.column("end_timestamp_nanos"))
    statusCode = NumberReader(batch.column("status_code"))
    statusMessage = TextReader(batch.column("status_message"))
    flags = NumberReader(batch.column("flags"))
    droppedAttributes = NumberReader(batch.column("dropped_attributes_count"))
    droppedEvents = NumberReader(batch.column("dropped_events_count"))
    droppedLinks = NumberReader(batch.column("dropped_links_count"))
    attributes = AttributesReader(
      batch.column("attributes"), shapes: batch.column("attributes_shape"), column: "attributes")
    events = SpanEventReader(batch.column("events"))
    links = SpanLinkReader(batch.column("links"))
    extra = TextReader(batch.column("otlp_extra"))
  }

  func append(_ row: Int, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    let stored = try extra?[row].map { (text) throws(OTLPError) in
      try StoredJSON(text, place: "row \(row), otlp_extra")
    }
    if let bytes = try stored?.base64("bytes") { return out.append(RawBytes(bytes.unsafeBase, bytes.count)) }
    if let id = traceID?[row] { out.field(1, bytes: id) }
    if let id = spanID?[row] { out.field(2, bytes: id) }
    if let state = traceState?[row] { out.field(3, bytes: state) }
    try out.id(4, parentSpanID?[row], stored, "parentSpanId")
    if let name = name?[row], !name.isEmpty { out.field(5, bytes: name) }
    out.number(6, kind?.int(row))
    if let time = starts[row] { out.field(7, fixed64: time) }
    if let time = ends[row] { out.field(8, fixed64: time) }
    if try stored?.append(list: "attributes", of: .keyValue, field: 9, to: &out) != true {
      try attributes?.appendOwn(row, field: 9, to: &out)
    }
    out.bits(10, droppedAttributes?.int(row))
    try events?.append(row, field: 11, to: &out)
    out.bits(12, droppedEvents?.int(row))
    try links?.append(row, field: 13, to: &out)
    out.bits(14, droppedLinks?.int(row))
    appendStatus(row, to: &out)
    if let bits = flags?.int(row), bits != 0 { out.field(16, fixed32: UInt32(truncatingIfNeeded: bits)) }
  }

  private func appendStatus(_ row: Int, to out: inout BufferBuilder<UInt8>) {
    let fieldStart = out.count
    let status = out.beginMessage(15)
    if let message = statusMessage?[row] { out.field(2, bytes: message) }
    out.number(3, statusCode?.int(row))
    out.endMessage(status, droppingEmptyFrom: fieldStart)
  }
}

extension BufferBuilder where Element == UInt8 {
  /// A signed varint field, left out for 0.
  mutating func number(_ field: UInt32, _ value: Int64?) {
    if let value, value != 0 { self.field(field, varint: UInt64(bitPattern: value)) }
  }

  /// An unsigned 32-bit field whose column holds its bits, left out for 0.
  mutating func bits(_ field: UInt32, _ value: Int64?) {
    if let value, value != 0 { self.field(field, varint: UInt64(UInt32(truncatingIfNeeded: value))) }
  }

  /// An id, or what was kept of one that is none.
  mutating func id(_ field: UInt32, _ id: RawBytes?, _ stored: StoredJSON?, _ name: String) throws(OTLPError) {
    if let id { return self.field(field, bytes: id) }
    guard let odd = try stored?.hex(name) else { return }
    self.field(field, bytes: RawBytes(odd.unsafeBase, odd.count))
  }
}

/// Fields of a list's structures by name, from the table's schema.
struct StructureReader {
  let ranges: RangeReader
  private let columns: [String: Column]

  init?(_ list: Column?, names: [String]) {
    guard let list, let ranges = RangeReader(list), case .list(_, let element) = list.values,
      case .structure(let children) = element.values, children.count <= names.count
    else { return nil }
    self.ranges = ranges
    columns = Dictionary(uniqueKeysWithValues: zip(names, children))
  }

  subscript(name: String) -> Column? { columns[name] }
}

private struct SpanEventReader {
  private let ranges: RangeReader
  private let times: TimeReader
  private let name: TextReader?
  private let attributes: AttributesReader?
  private let dropped: NumberReader?
  private let extra: TextReader?

  init?(_ column: Column?) {
    guard let fields = StructureReader(column, names: NestedFields.names(of: "events")) else { return nil }
    ranges = fields.ranges
    times = TimeReader(fields["timestamp"], nanos: fields["timestamp_nanos"])
    name = TextReader(fields["name"])
    attributes = AttributesReader(
      fields["attributes"], shapes: fields["attributes_shape"], column: "events.attributes")
    dropped = NumberReader(fields["dropped_attributes_count"])
    extra = TextReader(fields["otlp_extra"])
  }

  func append(_ row: Int, field: UInt32, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    guard let range = ranges[row] else { return }
    for item in range {
      let stored = try extra?[item].map { (text) throws(OTLPError) in
        try StoredJSON(text, place: "event \(item), otlp_extra")
      }
      let event = out.beginMessage(field)
      if let time = times[item] { out.field(1, fixed64: time) }
      if let name = name?[item], !name.isEmpty { out.field(2, bytes: name) }
      if try stored?.append(list: "attributes", of: .keyValue, field: 3, to: &out) != true {
        try attributes?.appendOwn(item, field: 3, to: &out)
      }
      out.bits(4, dropped?.int(item))
      out.endMessage(event)
    }
  }
}

private struct SpanLinkReader {
  private let ranges: RangeReader
  private let traceID: TextReader?
  private let spanID: TextReader?
  private let traceState: TextReader?
  private let attributes: AttributesReader?
  private let dropped: NumberReader?
  private let flags: NumberReader?
  private let extra: TextReader?

  init?(_ column: Column?) {
    guard let fields = StructureReader(column, names: NestedFields.names(of: "links")) else { return nil }
    ranges = fields.ranges
    traceID = TextReader(fields["trace_id"])
    spanID = TextReader(fields["span_id"])
    traceState = TextReader(fields["trace_state"])
    attributes = AttributesReader(
      fields["attributes"], shapes: fields["attributes_shape"], column: "links.attributes")
    dropped = NumberReader(fields["dropped_attributes_count"])
    flags = NumberReader(fields["flags"])
    extra = TextReader(fields["otlp_extra"])
  }

  func append(_ row: Int, field: UInt32, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    guard let range = ranges[row] else { return }
    for item in range {
      let stored = try extra?[item].map { (text) throws(OTLPError) in
        try StoredJSON(text, place: "link \(item), otlp_extra")
      }
      let link = out.beginMessage(field)
      try out.id(1, traceID?[item], stored, "traceId")
      try out.id(2, spanID?[item], stored, "spanId")
      if let state = traceState?[item] { out.field(3, bytes: state) }
      if try stored?.append(list: "attributes", of: .keyValue, field: 4, to: &out) != true {
        try attributes?.appendOwn(item, field: 4, to: &out)
      }
      out.bits(5, dropped?.int(item))
      if let bits = flags?.int(item), bits != 0 { out.field(6, fixed32: UInt32(truncatingIfNeeded: bits)) }
      out.endMessage(link)
    }
  }
}

/// Names of the fields inside the structures of a list column, in the order of the table's schema.
enum NestedFields {
  static func names(of column: String, in table: LakeTable = .spans) -> [String] {
    guard let index = table.schema.index(of: column), case .list(_, let element, _) = table.schema.fields[index].type
    else { return [] }
    return element.children.map(\.name)
  }
}
