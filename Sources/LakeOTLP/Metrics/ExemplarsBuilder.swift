import LakeModel

/// Builds the nested column `exemplars`.
struct ExemplarsBuilder: ~Copyable {
  private var noted = NotedMessages()
  private var items: ItemAttributes
  private var offsets = BufferBuilder<UInt32>(capacity: 256)
  private var timestamp = OptionalColumn<Int64>()
  private var timestampNanos = OptionalColumn<Int32>()
  private var valueDouble = OptionalColumn<Double>()
  private var valueInt = OptionalColumn<Int64>()
  private var traceID = IDColumn(width: IDs.traceBytes)
  private var spanID = IDColumn(width: IDs.spanBytes)

  init(limits: DecodeLimits, seed: UInt64) {
    items = ItemAttributes(limits: limits, seed: seed)
    offsets.append(0)
  }

  mutating func begin() { noted.begin() }
  mutating func note(_ message: RawBytes) { noted.note(message) }

  /// Ends the row. - Returns: false when invalid UTF-8 was repaired.
  mutating func endRow(arena: inout Arena) throws(WireError) -> Bool {
    var isValid = true
    let count = noted.messages.count
    if count > 0 {
      timestamp.reserve(count)
      timestampNanos.reserve(count)
      valueDouble.reserve(count)
      valueInt.reserve(count)
      traceID.reserve(count)
      spanID.reserve(count)
      for index in 0..<count {
        if try !read(noted.messages.base[index], arena: &arena) { isValid = false }
      }
    }
    offsets.append(UInt32(items.count))
    return isValid
  }

  private mutating func read(_ message: RawBytes, arena: inout Arena) throws(WireError) -> Bool {
    var time: UInt64 = 0
    var value = PointValue.none
    var trace = RawBytes.none
    var span = RawBytes.none
    try items.begin(messageBytes: message.count)
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x11: time = try reader.fixed64()
      case 0x19: value = .double(Double(bitPattern: try reader.fixed64()))
      case 0x31: value = .int(Int64(bitPattern: try reader.fixed64()))
      case 0x22: span = try reader.bytes()
      case 0x2A: trace = try reader.bytes()
      case 0x3A: try items.entry(try reader.bytes(), arena: &arena)
      default: try reader.skip(tag, known: 0b1111_1100)
      }
    }
    timestamp.push(time: time, nanos: &timestampNanos)
    value.push(double: &valueDouble, int: &valueInt)
    let oddTrace = traceID.push(trace) ? RawBytes.none : trace
    let oddSpan = spanID.push(span) ? RawBytes.none : span
    return try items.end(message, field: 7, traceID: oddTrace, spanID: oddSpan)
  }

  consuming func column() -> Column {
    let rows = offsets.count - 1
    let count = items.count
    let (map, shapes, extra) = items.columns()
    let structure = Column(
      .structure([
        timestamp.column(), valueDouble.column(), valueInt.column(), spanID.column(), traceID.column(), map,
        timestampNanos.column(), shapes, extra,
      ]), count: count)
    return Column(.list(offsets: offsets.finish(), element: structure), count: rows)
  }
}

/// The value of a number point or exemplar: a oneof.
enum PointValue {
  case none
  case double(Double)
  case int(Int64)

  @inline(__always)
  func push(double doubles: inout OptionalColumn<Double>, int ints: inout OptionalColumn<Int64>) {
    switch self {
    case .none:
      doubles.pushAbsent()
      ints.pushAbsent()
    case .double(let value):
      doubles.push(value)
      ints.pushAbsent()
    case .int(let value):
      doubles.pushAbsent()
      ints.push(value)
    }
  }
}
