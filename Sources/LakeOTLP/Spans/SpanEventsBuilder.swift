import LakeModel

/// The messages of one span's events (or links), noted while the span is read and decoded once it is known to be good.
struct NotedMessages: ~Copyable {
  private(set) var messages = BufferBuilder<RawBytes>()

  mutating func begin() { messages.count = 0 }
  mutating func note(_ message: RawBytes) { messages.append(message) }
}

/// Builds the nested column `events`.
struct SpanEventsBuilder: ~Copyable {
  private var noted = NotedMessages()
  private var items: ItemAttributes
  private var offsets = BufferBuilder<UInt32>(capacity: 256)
  private var timestamp = OptionalColumn<Int64>()
  private var timestampNanos = OptionalColumn<Int32>()
  private var name: TextColumnBuilder
  private var dropped = BufferBuilder<Int32>()

  init(limits: DecodeLimits, seed: UInt64) {
    items = ItemAttributes(limits: limits, seed: seed)
    name = TextColumnBuilder(seed: seed)
    offsets.append(0)
  }

  mutating func begin() { noted.begin() }
  mutating func note(_ message: RawBytes) { noted.note(message) }

  /// Ends the row. - Returns: false when invalid UTF-8 was repaired.
  mutating func endRow(arena: inout Arena) throws(WireError) -> Bool {
    var isValid = true
    let count = noted.messages.count
    timestamp.reserve(count)
    timestampNanos.reserve(count)
    _ = dropped.reserve(count)
    for index in 0..<count {
      if try !read(noted.messages.base[index], arena: &arena) { isValid = false }
    }
    offsets.append(UInt32(items.count))
    return isValid
  }

  private mutating func read(_ message: RawBytes, arena: inout Arena) throws(WireError) -> Bool {
    var time: UInt64 = 0
    var eventName = RawBytes.none
    var droppedCount: UInt32 = 0
    try items.begin(messageBytes: message.count)
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x09: time = try reader.fixed64()
      case 0x12: eventName = try reader.bytes()
      case 0x1A: try items.entry(try reader.bytes(), arena: &arena)
      case 0x20: droppedCount = UInt32(truncatingIfNeeded: try reader.varint())
      default: try reader.skip(tag, known: 0b1_1110)
      }
    }
    timestamp.push(time: time, nanos: &timestampNanos)
    dropped.push(Int32(bitPattern: droppedCount))
    let isNameValid = name.append(eventName)
    return try items.end(message, field: 3) && isNameValid
  }

  consuming func column() -> Column {
    let rows = offsets.count - 1
    let count = items.count
    let (map, shapes, extra) = items.columns()
    let structure = Column(
      .structure([
        timestamp.column(), name.column(), map, Column(.int32(dropped.finish()), count: count),
        timestampNanos.column(), shapes, extra,
      ]), count: count)
    return Column(.list(offsets: offsets.finish(), element: structure), count: rows)
  }
}

extension OptionalColumn<Int64> {
  /// A time and its remainder; 0 is none.
  @inline(__always)
  mutating func push(time: UInt64, nanos: inout OptionalColumn<Int32>) {
    guard time != 0 else {
      pushAbsent()
      nanos.pushAbsent()
      return
    }
    let (micros, rest) = time.quotientAndRemainder(dividingBy: 1000)
    push(Int64(truncatingIfNeeded: micros))
    nanos.push(Int32(truncatingIfNeeded: rest))
  }
}
