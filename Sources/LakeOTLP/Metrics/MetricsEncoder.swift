package import LakeModel
package import LakeSchema

/// Rows of the metrics table -> ExportMetricsServiceRequest: the decoder's inverse up to the normal form of README.md.
package enum MetricsEncoder {
  /// Rows in any order, also read back from a table; equal resources, scopes and metrics are grouped in order of first sight.
  /// - Throws: `.malformed` when a column of text does not hold what the decoder writes.
  package static func encode(_ batch: ColumnBatch, encoding: OTLPEncoding) throws(OTLPError) -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: batch.count * 96 + 64)
    let metrics = MetricReader(batch)
    let points = PointReader(batch)
    try GroupReader(batch).appendRequest(count: batch.count, to: &out) {
      (rows: [Int], out: inout BufferBuilder<UInt8>) throws(OTLPError) in
      for group in metrics.groups(of: rows) {
        let type = try metrics.type(group[0])
        let metric = out.beginMessage(2)
        try metrics.appendHead(group[0], to: &out)
        let data = out.beginMessage(type.rawValue)
        for row in group {
          let point = out.beginMessage(1)
          try points.append(row, type: type, to: &out)
          out.endMessage(point)
        }
        try metrics.appendTail(group[0], type: type, to: &out)
        out.endMessage(data)
        out.endMessage(metric)
      }
    }
    return try RequestBody.encoded(out, as: .metricsRequest, encoding)
  }
}

/// What points of one metric have in common.
private struct MetricReader {
  private let name: TextReader?
  private let type: TextReader?
  private let description: TextReader?
  private let unit: TextReader?
  private let temporality: TextReader?
  private let monotonic: NumberReader?
  private let metric: TextReader?

  init(_ batch: ColumnBatch) {
    name = TextReader(batch.column("metric_name"))
    type = TextReader(batch.column("metric_type"))
    description = TextReader(batch.column("description"))
    unit = TextReader(batch.column("unit"))
    temporality = TextReader(batch.column("aggregation_temporality"))
    monotonic = NumberReader(batch.column("is_monotonic"))
    metric = TextReader(batch.column("metric"))
  }

  /// Rows of equal metrics together, in order of first sight.
  func groups(of rows: [Int]) -> [[Int]] {
    var table = ByteTable(seed: 0x5851_F42D_4C95_7F2D)
    var groups: [[Int]] = []
    var key = BufferBuilder<UInt8>()
    for row in rows {
      key.count = 0
      for text in [name, type, description, unit, temporality, metric] {
        key.varint(UInt64(text?[row]?.count ?? 0))
        if let bytes = text?[row] { key.append(bytes) }
      }
      key.append(monotonic?.int(row) == 1 ? 1 : 0)
      let group = Int(table.index(of: key.written))
      if group == groups.count { groups.append([]) }
      groups[group].append(row)
    }
    return groups
  }

  func type(_ row: Int) throws(OTLPError) -> MetricType {
    guard let text = type?[row], let type = MetricType.named(text) else {
      throw .malformed(location: "row \(row), metric_type", what: "unknown type")
    }
    return type
  }

  func appendHead(_ row: Int, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    let stored = try metric?[row].map { (text) throws(OTLPError) in try StoredJSON(text, place: "row \(row), metric") }
    if let bytes = try stored?.base64("bytes") { return out.append(RawBytes(bytes.unsafeBase, bytes.count)) }
    if let name = name?[row], !name.isEmpty { out.field(1, bytes: name) }
    if let description = description?[row] { out.field(2, bytes: description) }
    if let unit = unit?[row] { out.field(3, bytes: unit) }
    _ = try stored?.append(list: "metadata", of: .keyValue, field: 12, to: &out)
  }

  func appendTail(_ row: Int, type: MetricType, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    if type.hasTemporality, let text = temporality?[row] {
      guard let value = Temporality.value(of: text.text) else {
        throw .malformed(location: "row \(row), aggregation_temporality", what: "unknown temporality")
      }
      out.number(2, Int64(value))
    }
    if type == .sum, monotonic?.int(row) == 1 { out.field(3, varint: 1) }
  }
}
