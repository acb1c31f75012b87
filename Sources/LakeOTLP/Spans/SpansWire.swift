import LakeModel

/// Reads a Span into a row of `SpansBuilder`.
enum SpansWire {
  private static let spanFields: UInt64 = 0b1_1111_1111_1111_1110

  static func readSpan(_ message: RawBytes, into builder: inout SpansBuilder) throws(WireError) {
    var fields = SpanFields()
    var status: RawBytes?
    builder.attributes.beginRow(entriesMax: message.count / 2)
    builder.events.begin()
    builder.links.begin()
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x0A: fields.traceID = try reader.bytes()
      case 0x12: fields.spanID = try reader.bytes()
      case 0x1A: fields.traceState = try reader.bytes()
      case 0x22: fields.parentSpanID = try reader.bytes()
      case 0x2A: fields.name = try reader.bytes()
      case 0x30: fields.kind = Int32(truncatingIfNeeded: try reader.varint())
      case 0x39: fields.start = try reader.fixed64()
      case 0x41: fields.end = try reader.fixed64()
      case 0x4A: try readAttribute(try reader.bytes(), into: &builder)
      case 0x50: fields.droppedAttributes = UInt32(truncatingIfNeeded: try reader.varint())
      case 0x5A: builder.events.note(try reader.bytes())
      case 0x60: fields.droppedEvents = UInt32(truncatingIfNeeded: try reader.varint())
      case 0x6A: builder.links.note(try reader.bytes())
      case 0x70: fields.droppedLinks = UInt32(truncatingIfNeeded: try reader.varint())
      case 0x7A:
        let piece = try reader.bytes()
        if let first = status { status = try builder.arena.join(first, piece) } else { status = piece }
      case 0x85: fields.flags = try reader.fixed32()
      default: try reader.skip(tag, known: spanFields)
      }
    }
    if let status { try readStatus(status, into: &fields) }
    try builder.endSpan(fields, message: message)
  }

  private static func readStatus(_ message: RawBytes, into fields: inout SpanFields) throws(WireError) {
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x12: fields.statusMessage = try reader.bytes()
      case 0x18: fields.statusCode = Int32(truncatingIfNeeded: try reader.varint())
      default: try reader.skip(tag, known: 0b1100)
      }
    }
  }

  @inline(__always)
  private static func readAttribute(_ message: RawBytes, into builder: inout SpansBuilder) throws(WireError) {
    if let pair = KeyValueWire.readUsual(message) {
      return try builder.attributes.entry(key: pair.key, value: pair.value, arena: &builder.arena)
    }
    let pair = try KeyValueWire.read(message, arena: &builder.arena)
    try builder.attributes.entry(key: pair.key, value: pair.value, arena: &builder.arena)
  }
}

extension SpansBuilder: GroupedRows {
  mutating func withGroups<Result>(
    _ body: (inout GroupBuilder, inout AttributesBuilder, inout Arena) throws(WireError) -> Result
  ) throws(WireError) -> Result { try body(&group, &attributes, &arena) }

  mutating func readItem(_ message: RawBytes) throws(WireError) { try SpansWire.readSpan(message, into: &self) }
}
