import LakeModel

/// Reads a Metric into rows of `MetricsBuilder`, one for each of its data points.
enum MetricsWire {
  /// Data points in all metrics of a scope, of every member of their oneofs: at least as many as rows will come.
  static func countPoints(_ message: RawBytes) throws(WireError) -> Int {
    var count = 0
    var scope = ProtoReader(message)
    while !scope.isAtEnd {
      let tag = try scope.tag()
      guard tag == 0x12 else {
        try scope.skip(tag, known: 0)
        continue
      }
      var metric = ProtoReader(try scope.bytes())
      while !metric.isAtEnd {
        let tag = try metric.tag()
        guard tag & 7 == 2, MetricType(rawValue: tag >> 3) != nil else {
          try metric.skip(tag, known: 0)
          continue
        }
        var data = ProtoReader(try metric.bytes())
        while !data.isAtEnd {
          let tag = try data.tag()
          if tag == 0x0A { count += 1 }
          try data.skip(tag, known: 0)
        }
      }
    }
    return count
  }

  static func readMetric(_ message: RawBytes, into builder: inout MetricsBuilder) throws(WireError) {
    var fields = MetricFields()
    var data: RawBytes?
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x0A: fields.name = try reader.bytes()
      case 0x12: fields.description = try reader.bytes()
      case 0x1A: fields.unit = try reader.bytes()
      case 0x2A, 0x3A, 0x4A, 0x52, 0x5A:
        let piece = try reader.bytes()
        let type = MetricType(rawValue: tag >> 3)!
        // Of a oneof the last member counts; the same member again continues it.
        data =
          try fields.type == type
          ? data.map { (first) throws(WireError) in try builder.arena.join(first, piece) } ?? piece : piece
        fields.type = type
      default: try reader.skip(tag, known: 0b1_1110_1010_1110 & ~(1 << 12))
      }
    }
    guard let data else { return }
    try readData(data, &fields, metric: message, into: &builder)
  }

  private static func readData(
    _ data: RawBytes, _ fields: inout MetricFields, metric: RawBytes, into builder: inout MetricsBuilder
  ) throws(WireError) {
    var scan = ProtoReader(data)
    while !scan.isAtEnd {
      let tag = try scan.tag()
      switch (tag, fields.type) {
      case (0x10, .sum), (0x10, .histogram), (0x10, .exponentialHistogram):
        fields.temporality = Int32(truncatingIfNeeded: try scan.varint())
      case (0x18, .sum): fields.isMonotonic = try scan.varint() != 0
      default: try scan.skip(tag, known: 0)
      }
    }
    builder.beginMetric(fields)
    var reader = ProtoReader(data)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      guard tag == 0x0A else {
        try reader.skip(tag, known: 0b10)
        continue
      }
      let point = try reader.bytes()
      builder.attributes.beginRow(entriesMax: point.count / 2)
      builder.exemplars.begin()
      switch fields.type {
      case .gauge, .sum: try PointWire.readNumber(point, type: fields.type, into: &builder)
      case .histogram: try PointWire.readHistogram(point, into: &builder)
      case .exponentialHistogram: try PointWire.readExponential(point, into: &builder)
      case .summary: try PointWire.readSummary(point, into: &builder)
      }
    }
    try builder.endMetric(fields, message: metric)
  }

  /// The fields of a Metric without its data: name, description, unit, metadata.
  static func appendHead(of message: RawBytes, to out: inout BufferBuilder<UInt8>) throws(WireError) {
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let start = reader.next
      let tag = try reader.tag()
      try reader.skip(tag, known: 0)
      if [1, 2, 3, 12].contains(tag >> 3) { out.append(RawBytes(start, reader.next - start)) }
    }
  }
}

extension MetricsBuilder: GroupedRows {
  mutating func withGroups<Result>(
    _ body: (inout GroupBuilder, inout AttributesBuilder, inout Arena) throws(WireError) -> Result
  ) throws(WireError) -> Result { try body(&group, &attributes, &arena) }

  static func rowsMax(_ scope: GroupWire, of message: RawBytes) throws(WireError) -> Int {
    try MetricsWire.countPoints(message)
  }

  mutating func readItem(_ message: RawBytes) throws(WireError) { try MetricsWire.readMetric(message, into: &self) }
}
