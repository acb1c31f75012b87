import LakeModel

/// The four messages of data points.
enum PointWire {
  static func readNumber(
    _ message: RawBytes, type: MetricType, into builder: inout MetricsBuilder
  ) throws(WireError) {
    var fields = PointFields()
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x11: fields.start = try reader.fixed64()
      case 0x19: fields.time = try reader.fixed64()
      case 0x21: fields.value = .double(Double(bitPattern: try reader.fixed64()))
      case 0x2A: builder.exemplars.note(try reader.bytes())
      case 0x31: fields.value = .int(Int64(bitPattern: try reader.fixed64()))
      case 0x3A: try readAttribute(try reader.bytes(), into: &builder)
      case 0x40: fields.flags = UInt32(truncatingIfNeeded: try reader.varint())
      default: try reader.skip(tag, known: 0b1_1111_1100)
      }
    }
    try builder.endPoint(fields, type: type, message: message, attributesField: 7)
  }

  static func readHistogram(_ message: RawBytes, into builder: inout MetricsBuilder) throws(WireError) {
    var fields = PointFields()
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x11: fields.start = try reader.fixed64()
      case 0x19: fields.time = try reader.fixed64()
      case 0x21: fields.count = try reader.fixed64()
      case 0x29: fields.sum = Double(bitPattern: try reader.fixed64())
      case 0x31: builder.bucketCounts.add(Int64(bitPattern: try reader.fixed64()))
      case 0x32:
        var packed = ProtoReader(try reader.bytes())
        while !packed.isAtEnd { builder.bucketCounts.add(Int64(bitPattern: try packed.fixed64())) }
      case 0x39: builder.explicitBounds.add(Double(bitPattern: try reader.fixed64()))
      case 0x3A:
        var packed = ProtoReader(try reader.bytes())
        while !packed.isAtEnd { builder.explicitBounds.add(Double(bitPattern: try packed.fixed64())) }
      case 0x42: builder.exemplars.note(try reader.bytes())
      case 0x4A: try readAttribute(try reader.bytes(), into: &builder)
      case 0x50: fields.flags = UInt32(truncatingIfNeeded: try reader.varint())
      case 0x59: fields.min = Double(bitPattern: try reader.fixed64())
      case 0x61: fields.max = Double(bitPattern: try reader.fixed64())
      default: try reader.skip(tag, known: 0b1_1111_1111_1100)
      }
    }
    try builder.endPoint(fields, type: .histogram, message: message, attributesField: 9)
  }

  static func readExponential(_ message: RawBytes, into builder: inout MetricsBuilder) throws(WireError) {
    var fields = PointFields()
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x0A: try readAttribute(try reader.bytes(), into: &builder)
      case 0x11: fields.start = try reader.fixed64()
      case 0x19: fields.time = try reader.fixed64()
      case 0x21: fields.count = try reader.fixed64()
      case 0x29: fields.sum = Double(bitPattern: try reader.fixed64())
      case 0x30: fields.scale = zigzag(try reader.varint())
      case 0x39: fields.zeroCount = try reader.fixed64()
      case 0x42: try readBuckets(try reader.bytes(), offset: &fields.positiveOffset, counts: &builder.positiveCounts)
      case 0x4A: try readBuckets(try reader.bytes(), offset: &fields.negativeOffset, counts: &builder.negativeCounts)
      case 0x50: fields.flags = UInt32(truncatingIfNeeded: try reader.varint())
      case 0x5A: builder.exemplars.note(try reader.bytes())
      case 0x61: fields.min = Double(bitPattern: try reader.fixed64())
      case 0x69: fields.max = Double(bitPattern: try reader.fixed64())
      case 0x71: fields.zeroThreshold = Double(bitPattern: try reader.fixed64())
      default: try reader.skip(tag, known: 0b111_1111_1111_1110)
      }
    }
    try builder.endPoint(fields, type: .exponentialHistogram, message: message, attributesField: 1)
  }

  /// Buckets in pieces add up, as protobuf has it.
  private static func readBuckets(
    _ message: RawBytes, offset: inout Int32, counts: inout ListColumn<Int64>
  ) throws(WireError) {
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x08: offset = zigzag(try reader.varint())
      case 0x10: counts.add(Int64(bitPattern: try reader.varint()))
      case 0x12:
        var packed = ProtoReader(try reader.bytes())
        while !packed.isAtEnd { counts.add(Int64(bitPattern: try packed.varint())) }
      default: try reader.skip(tag, known: 0b110)
      }
    }
  }

  static func readSummary(_ message: RawBytes, into builder: inout MetricsBuilder) throws(WireError) {
    var fields = PointFields()
    fields.sum = 0
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x11: fields.start = try reader.fixed64()
      case 0x19: fields.time = try reader.fixed64()
      case 0x21: fields.count = try reader.fixed64()
      case 0x29: fields.sum = Double(bitPattern: try reader.fixed64())
      case 0x32: try readQuantile(try reader.bytes(), into: &builder)
      case 0x3A: try readAttribute(try reader.bytes(), into: &builder)
      case 0x40: fields.flags = UInt32(truncatingIfNeeded: try reader.varint())
      default: try reader.skip(tag, known: 0b1_1111_1100)
      }
    }
    try builder.endPoint(fields, type: .summary, message: message, attributesField: 7)
  }

  private static func readQuantile(_ message: RawBytes, into builder: inout MetricsBuilder) throws(WireError) {
    var quantile: UInt64 = 0
    var value: UInt64 = 0
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x09: quantile = try reader.fixed64()
      case 0x11: value = try reader.fixed64()
      default: try reader.skip(tag, known: 0b110)
      }
    }
    builder.quantiles.add(Double(bitPattern: quantile))
    builder.quantileValues.append(Double(bitPattern: value))
  }

  private static func zigzag(_ value: UInt64) -> Int32 {
    let bits = UInt32(truncatingIfNeeded: value)
    return Int32(bitPattern: (bits >> 1) ^ (0 &- (bits & 1)))
  }

  @inline(__always)
  private static func readAttribute(_ message: RawBytes, into builder: inout MetricsBuilder) throws(WireError) {
    if let pair = KeyValueWire.readUsual(message) {
      return try builder.attributes.entry(key: pair.key, value: pair.value, arena: &builder.arena)
    }
    let pair = try KeyValueWire.read(message, arena: &builder.arena)
    try builder.attributes.entry(key: pair.key, value: pair.value, arena: &builder.arena)
  }
}
