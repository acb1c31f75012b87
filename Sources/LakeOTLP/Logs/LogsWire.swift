/// Reads a LogRecord into a row of `LogsBuilder`.
enum LogsWire {
  private static let recordFields: UInt64 = 0b1_1111_1110_1110

  static func readRecord(_ message: RawBytes, into builder: inout LogsBuilder) throws(WireError) {
    var fields = LogFields()
    var bodyMessage: RawBytes?
    builder.attributes.beginRow(entriesMax: message.count / 2)  // an attribute takes at least a tag and a length
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x09: fields.time = try reader.fixed64()
      case 0x10: fields.severityNumber = Int32(truncatingIfNeeded: try reader.varint())
      case 0x1A: fields.severityText = try reader.bytes()
      case 0x2A:
        let piece = try reader.bytes()
        if let first = bodyMessage {
          bodyMessage = try builder.arena.join(first, piece)
        } else {
          bodyMessage = piece
        }
      case 0x32: try readAttribute(try reader.bytes(), into: &builder)
      case 0x38: fields.dropped = UInt32(truncatingIfNeeded: try reader.varint())
      case 0x45: fields.flags = try reader.fixed32()
      case 0x4A: fields.traceID = try reader.bytes()
      case 0x52: fields.spanID = try reader.bytes()
      case 0x59: fields.observed = try reader.fixed64()
      case 0x62: fields.eventName = try reader.bytes()
      default: try reader.skip(tag, known: recordFields)
      }
    }
    if let bodyMessage { fields.body = try AnyValueWire.read(bodyMessage, arena: &builder.arena) }
    try builder.endRecord(fields, message: message)
  }

  @inline(__always)
  private static func readAttribute(_ message: RawBytes, into builder: inout LogsBuilder) throws(WireError) {
    if let pair = KeyValueWire.readUsual(message) {
      return try builder.attributes.entry(key: pair.key, value: pair.value, arena: &builder.arena)
    }
    try readUnusualAttribute(message, into: &builder)
  }

  @inline(never)
  private static func readUnusualAttribute(_ message: RawBytes, into builder: inout LogsBuilder) throws(WireError) {
    let pair = try KeyValueWire.read(message, arena: &builder.arena)
    try builder.attributes.entry(key: pair.key, value: pair.value, arena: &builder.arena)
  }
}

extension LogsBuilder: GroupedRows {
  mutating func withGroups<Result>(
    _ body: (inout GroupBuilder, inout AttributesBuilder, inout Arena) throws(WireError) -> Result
  ) throws(WireError) -> Result { try body(&group, &attributes, &arena) }

  mutating func readItem(_ message: RawBytes) throws(WireError) { try LogsWire.readRecord(message, into: &self) }
}
