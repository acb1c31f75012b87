import LakeModel

/// Builds the nested column `links`.
struct SpanLinksBuilder: ~Copyable {
  private var noted = NotedMessages()
  private var items: ItemAttributes
  private var offsets = BufferBuilder<UInt32>(capacity: 256)
  private var traceID = IDColumn(width: IDs.traceBytes)
  private var spanID = IDColumn(width: IDs.spanBytes)
  private var traceState: TextColumnBuilder
  private var dropped = BufferBuilder<Int32>()
  private var flags = BufferBuilder<Int32>()

  init(limits: DecodeLimits, seed: UInt64) {
    items = ItemAttributes(limits: limits, seed: seed)
    traceState = TextColumnBuilder(seed: seed)
    offsets.append(0)
  }

  mutating func begin() { noted.begin() }
  mutating func note(_ message: RawBytes) { noted.note(message) }

  /// Ends the row. - Returns: false when invalid UTF-8 was repaired.
  mutating func endRow(arena: inout Arena) throws(WireError) -> Bool {
    var isValid = true
    let count = noted.messages.count
    traceID.reserve(count)
    spanID.reserve(count)
    _ = dropped.reserve(count)
    _ = flags.reserve(count)
    for index in 0..<count {
      if try !read(noted.messages.base[index], arena: &arena) { isValid = false }
    }
    offsets.append(UInt32(items.count))
    return isValid
  }

  private mutating func read(_ message: RawBytes, arena: inout Arena) throws(WireError) -> Bool {
    var trace = RawBytes.none
    var span = RawBytes.none
    var state = RawBytes.none
    var droppedCount: UInt32 = 0
    var flagBits: UInt32 = 0
    try items.begin(messageBytes: message.count)
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x0A: trace = try reader.bytes()
      case 0x12: span = try reader.bytes()
      case 0x1A: state = try reader.bytes()
      case 0x22: try items.entry(try reader.bytes(), arena: &arena)
      case 0x28: droppedCount = UInt32(truncatingIfNeeded: try reader.varint())
      case 0x35: flagBits = try reader.fixed32()
      default: try reader.skip(tag, known: 0b111_1110)
      }
    }
    dropped.push(Int32(bitPattern: droppedCount))
    flags.push(Int32(bitPattern: flagBits))
    var isValid = true
    if state.isEmpty { traceState.appendAbsent() } else { isValid = traceState.append(state) }
    let oddTrace = traceID.push(trace) ? RawBytes.none : trace
    let oddSpan = spanID.push(span) ? RawBytes.none : span
    return try items.end(message, field: 4, traceID: oddTrace, spanID: oddSpan) && isValid
  }

  consuming func column() -> Column {
    let rows = offsets.count - 1
    let count = items.count
    let (map, shapes, extra) = items.columns()
    let structure = Column(
      .structure([
        traceID.column(), spanID.column(), traceState.column(), map, Column(.int32(dropped.finish()), count: count),
        Column(.int32(flags.finish()), count: count), shapes, extra,
      ]), count: count)
    return Column(.list(offsets: offsets.finish(), element: structure), count: rows)
  }
}
