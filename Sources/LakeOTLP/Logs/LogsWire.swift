/// Walks an ExportLogsServiceRequest into a `LogsBuilder`.
///
/// A group's fields may come in any order, so each group is passed over twice: first for what its rows have in common, then for the rows.
enum LogsWire {
  static func read(_ body: RawBytes, into builder: inout LogsBuilder) throws(WireError) {
    var reader = ProtoReader(body)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      if tag == 0x0A {
        try readResourceLogs(try reader.bytes(), into: &builder)
      } else {
        try reader.skip(tag, known: 0b10)
      }
    }
  }

  private static func readResourceLogs(_ message: RawBytes, into builder: inout LogsBuilder) throws(WireError) {
    let common = try GroupWire.read(message, arena: &builder.arena)
    try builder.group.beginResource(
      common.shared, schemaURL: common.schemaURL, attributes: &builder.attributes, arena: &builder.arena)
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      if tag == 0x12 {
        try readScopeLogs(try reader.bytes(), into: &builder)
      } else {
        try reader.skip(tag, known: 0)
      }
    }
  }

  private static func readScopeLogs(_ message: RawBytes, into builder: inout LogsBuilder) throws(WireError) {
    let common = try GroupWire.read(message, arena: &builder.arena)
    guard builder.rowCount + common.rowCount <= builder.context.limits.recordsMax else {
      throw WireError(.manyRecords, at: message.start)
    }
    try builder.group.beginScope(
      common.shared, schemaURL: common.schemaURL, rows: common.rowCount, attributes: &builder.attributes,
      arena: &builder.arena)
    builder.reserve(rows: common.rowCount)
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      if tag == 0x12 {
        try readRecord(try reader.bytes(), into: &builder)
      } else {
        try reader.skip(tag, known: 0)
      }
    }
    builder.group.endScope(rows: common.rowCount)
  }

  private static let recordFields: UInt64 = 0b1_1111_1110_1110

  private static func readRecord(_ message: RawBytes, into builder: inout LogsBuilder) throws(WireError) {
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
