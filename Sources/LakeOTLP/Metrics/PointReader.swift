import LakeModel
import LakeSchema

/// One row of the metrics table, back to a data point.
struct PointReader {
  private let times: TimeReader
  private let starts: TimeReader
  private let valueDouble: NumberReader?
  private let valueInt: NumberReader?
  private let count: NumberReader?
  private let sum: NumberReader?
  private let min: NumberReader?
  private let max: NumberReader?
  private let bucketCounts: NumberListReader?
  private let explicitBounds: NumberListReader?
  private let scale: NumberReader?
  private let zeroCount: NumberReader?
  private let zeroThreshold: NumberReader?
  private let positiveOffset: NumberReader?
  private let positiveCounts: NumberListReader?
  private let negativeOffset: NumberReader?
  private let negativeCounts: NumberListReader?
  private let quantiles: QuantileReader?
  private let flags: NumberReader?
  private let attributes: AttributesReader?
  private let exemplars: ExemplarReader?
  private let extra: TextReader?

  init(_ batch: ColumnBatch) {
    times = TimeReader(batch.column("timestamp"), nanos: batch.column("timestamp_nanos"))
    starts = TimeReader(batch.column("start_timestamp"), nanos: batch.column("start_timestamp_nanos"))
    valueDouble = NumberReader(batch.column("value_double"))
    valueInt = NumberReader(batch.column("value_int"))
    count = NumberReader(batch.column("count"))
    sum = NumberReader(batch.column("sum"))
    min = NumberReader(batch.column("min"))
    max = NumberReader(batch.column("max"))
    bucketCounts = NumberListReader(batch.column("bucket_counts"))
    explicitBounds = NumberListReader(batch.column("explicit_bounds"))
    scale = NumberReader(batch.column("scale"))
    zeroCount = NumberReader(batch.column("zero_count"))
    zeroThreshold = NumberReader(batch.column("zero_threshold"))
    positiveOffset = NumberReader(batch.column("positive_offset"))
    positiveCounts = NumberListReader(batch.column("positive_bucket_counts"))
    negativeOffset = NumberReader(batch.column("negative_offset"))
    negativeCounts = NumberListReader(batch.column("negative_bucket_counts"))
    quantiles = QuantileReader(batch.column("quantile_values"))
    flags = NumberReader(batch.column("flags"))
    attributes = AttributesReader(
      batch.column("attributes"), shapes: batch.column("attributes_shape"), column: "attributes")
    exemplars = ExemplarReader(batch.column("exemplars"))
    extra = TextReader(batch.column("otlp_extra"))
  }

  func append(_ row: Int, type: MetricType, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    let stored = try extra?[row].map { (text) throws(OTLPError) in
      try StoredJSON(text, place: "row \(row), otlp_extra")
    }
    if let bytes = try stored?.base64("bytes") { return out.append(RawBytes(bytes.unsafeBase, bytes.count)) }
    if let time = starts[row] { out.field(2, fixed64: time) }
    if let time = times[row] { out.field(3, fixed64: time) }
    switch type {
    case .gauge, .sum: try appendNumber(row, stored, to: &out)
    case .histogram: try appendHistogram(row, stored, to: &out)
    case .exponentialHistogram: try appendExponential(row, stored, to: &out)
    case .summary: try appendSummary(row, stored, to: &out)
    }
  }

  private func appendAttributes(
    _ row: Int, field: UInt32, _ stored: StoredJSON?, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) {
    if try stored?.append(list: "attributes", of: .keyValue, field: field, to: &out) == true { return }
    try attributes?.appendOwn(row, field: field, to: &out)
  }

  private func appendNumber(
    _ row: Int, _ stored: StoredJSON?, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) {
    if let value = valueDouble?.double(row) { out.field(4, fixed64: value.bitPattern) }
    if let value = valueInt?.int(row) { out.field(6, fixed64: UInt64(bitPattern: value)) }
    try exemplars?.append(row, field: 5, to: &out)
    try appendAttributes(row, field: 7, stored, to: &out)
    out.bits(8, flags?.int(row))
  }

  private func appendHistogram(
    _ row: Int, _ stored: StoredJSON?, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) {
    appendCount(row, to: &out)
    if let value = sum?.double(row) { out.field(5, fixed64: value.bitPattern) }
    bucketCounts?.appendFixed(row, field: 6, to: &out)
    explicitBounds?.appendFixed(row, field: 7, to: &out)
    try exemplars?.append(row, field: 8, to: &out)
    try appendAttributes(row, field: 9, stored, to: &out)
    out.bits(10, flags?.int(row))
    if let value = min?.double(row) { out.field(11, fixed64: value.bitPattern) }
    if let value = max?.double(row) { out.field(12, fixed64: value.bitPattern) }
  }

  private func appendExponential(
    _ row: Int, _ stored: StoredJSON?, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) {
    try appendAttributes(row, field: 1, stored, to: &out)
    appendCount(row, to: &out)
    if let value = sum?.double(row) { out.field(5, fixed64: value.bitPattern) }
    out.zigzag(6, scale?.int(row))
    if let value = zeroCount?.int(row), value != 0 { out.field(7, fixed64: UInt64(bitPattern: value)) }
    appendBuckets(row, field: 8, positiveOffset, positiveCounts, to: &out)
    appendBuckets(row, field: 9, negativeOffset, negativeCounts, to: &out)
    out.bits(10, flags?.int(row))
    try exemplars?.append(row, field: 11, to: &out)
    if let value = min?.double(row) { out.field(12, fixed64: value.bitPattern) }
    if let value = max?.double(row) { out.field(13, fixed64: value.bitPattern) }
    if let value = zeroThreshold?.double(row), value.bitPattern != 0 { out.field(14, fixed64: value.bitPattern) }
  }

  private func appendBuckets(
    _ row: Int, field: UInt32, _ offset: NumberReader?, _ counts: NumberListReader?,
    to out: inout BufferBuilder<UInt8>
  ) {
    let fieldStart = out.count
    let buckets = out.beginMessage(field)
    out.zigzag(1, offset?.int(row))
    counts?.appendVarints(row, field: 2, to: &out)
    out.endMessage(buckets, droppingEmptyFrom: fieldStart)
  }

  private func appendSummary(
    _ row: Int, _ stored: StoredJSON?, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) {
    appendCount(row, to: &out)
    if let value = sum?.double(row), value.bitPattern != 0 { out.field(5, fixed64: value.bitPattern) }
    quantiles?.append(row, field: 6, to: &out)
    try appendAttributes(row, field: 7, stored, to: &out)
    out.bits(8, flags?.int(row))
  }

  private func appendCount(_ row: Int, to out: inout BufferBuilder<UInt8>) {
    if let value = count?.int(row), value != 0 { out.field(4, fixed64: UInt64(bitPattern: value)) }
  }
}

extension BufferBuilder where Element == UInt8 {
  /// A zigzag field of 32 bits, left out for 0.
  mutating func zigzag(_ field: UInt32, _ value: Int64?) {
    guard let value, value != 0 else { return }
    let narrow = Int32(truncatingIfNeeded: value)
    self.field(field, varint: UInt64(UInt32(bitPattern: (narrow << 1) ^ (narrow >> 31))))
  }
}

/// Lists of numbers by row, written packed.
private struct NumberListReader {
  private let ranges: RangeReader
  private let values: Column.Values

  init?(_ column: Column?) {
    guard let column, let ranges = RangeReader(column), case .list(_, let element) = column.values else { return nil }
    self.ranges = ranges
    values = element.values
  }

  func appendFixed(_ row: Int, field: UInt32, to out: inout BufferBuilder<UInt8>) {
    guard let range = ranges[row], !range.isEmpty else { return }
    let list = out.beginMessage(field)
    for index in range {
      switch values {
      case .int64(let numbers): withUnsafeBytes(of: numbers[index].littleEndian) { out.append($0) }
      case .double(let numbers): withUnsafeBytes(of: numbers[index].bitPattern.littleEndian) { out.append($0) }
      default: break
      }
    }
    out.endMessage(list)
  }

  func appendVarints(_ row: Int, field: UInt32, to out: inout BufferBuilder<UInt8>) {
    guard let range = ranges[row], !range.isEmpty, case .int64(let numbers) = values else { return }
    let list = out.beginMessage(field)
    for index in range { out.varint(UInt64(bitPattern: numbers[index])) }
    out.endMessage(list)
  }
}

private struct QuantileReader {
  private let ranges: RangeReader
  private let quantile: NumberReader?
  private let value: NumberReader?

  init?(_ column: Column?) {
    guard let fields = StructureReader(column, names: NestedFields.names(of: "quantile_values", in: .metrics)) else {
      return nil
    }
    ranges = fields.ranges
    quantile = NumberReader(fields["quantile"])
    value = NumberReader(fields["value"])
  }

  func append(_ row: Int, field: UInt32, to out: inout BufferBuilder<UInt8>) {
    guard let range = ranges[row] else { return }
    for item in range {
      let pair = out.beginMessage(field)
      if let bits = quantile?.double(item)?.bitPattern, bits != 0 { out.field(1, fixed64: bits) }
      if let bits = value?.double(item)?.bitPattern, bits != 0 { out.field(2, fixed64: bits) }
      out.endMessage(pair)
    }
  }
}

private struct ExemplarReader {
  private let ranges: RangeReader
  private let times: TimeReader
  private let valueDouble: NumberReader?
  private let valueInt: NumberReader?
  private let spanID: TextReader?
  private let traceID: TextReader?
  private let attributes: AttributesReader?
  private let extra: TextReader?

  init?(_ column: Column?) {
    guard let fields = StructureReader(column, names: NestedFields.names(of: "exemplars", in: .metrics)) else {
      return nil
    }
    ranges = fields.ranges
    times = TimeReader(fields["timestamp"], nanos: fields["timestamp_nanos"])
    valueDouble = NumberReader(fields["value_double"])
    valueInt = NumberReader(fields["value_int"])
    spanID = TextReader(fields["span_id"])
    traceID = TextReader(fields["trace_id"])
    attributes = AttributesReader(
      fields["attributes"], shapes: fields["attributes_shape"], column: "exemplars.attributes")
    extra = TextReader(fields["otlp_extra"])
  }

  func append(_ row: Int, field: UInt32, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    guard let range = ranges[row] else { return }
    for item in range {
      let stored = try extra?[item].map { (text) throws(OTLPError) in
        try StoredJSON(text, place: "exemplar \(item), otlp_extra")
      }
      let exemplar = out.beginMessage(field)
      if let time = times[item] { out.field(2, fixed64: time) }
      if let value = valueDouble?.double(item) { out.field(3, fixed64: value.bitPattern) }
      try out.id(4, spanID?[item], stored, "spanId")
      try out.id(5, traceID?[item], stored, "traceId")
      if let value = valueInt?.int(item) { out.field(6, fixed64: UInt64(bitPattern: value)) }
      if try stored?.append(list: "attributes", of: .keyValue, field: 7, to: &out) != true {
        try attributes?.appendOwn(item, field: 7, to: &out)
      }
      out.endMessage(exemplar)
    }
  }
}
