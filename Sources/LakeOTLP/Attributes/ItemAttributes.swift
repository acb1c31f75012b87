import LakeModel

/// Attributes of things inside a row - events, links, exemplars - with what their map cannot hold.
struct ItemAttributes: ~Copyable {
  private let limits: DecodeLimits
  private(set) var attributes: AttributesBuilder
  private(set) var extra = RareBytesColumn()

  init(limits: DecodeLimits, seed: UInt64) {
    self.limits = limits
    attributes = AttributesBuilder(limits: limits, seed: seed, bodyBytes: 0)
  }

  var count: Int { attributes.rowCount }

  mutating func begin(messageBytes: Int) throws(WireError) {
    guard count < limits.recordsMax else { throw WireError(.manyRecords, at: nil) }
    try attributes.reserve(rows: 1)
    attributes.beginRow(entriesMax: messageBytes / 2)
  }

  @inline(__always)
  mutating func entry(_ message: RawBytes, arena: inout Arena) throws(WireError) {
    if let pair = KeyValueWire.readUsual(message) {
      return try attributes.entry(key: pair.key, value: pair.value, arena: &arena)
    }
    let pair = try KeyValueWire.read(message, arena: &arena)
    try attributes.entry(key: pair.key, value: pair.value, arena: &arena)
  }

  /// Ends an item. - Parameters:
  ///   - field: the field of the item's message that holds its attributes.
  ///   - ids: ids that are none.
  /// - Returns: false when invalid UTF-8 was repaired.
  mutating func end(
    _ message: RawBytes, field: UInt32, traceID: RawBytes = .none, spanID: RawBytes = .none
  ) throws(WireError) -> Bool {
    let row = attributes.rowCount
    try attributes.endRow()
    let keepsAttributes = attributes.hasRepeatedKey || attributes.hasInexactValue
    if keepsAttributes || !traceID.isEmpty || !spanID.isEmpty {
      var writer = ExtraWriter(limits: limits)
      writer.member("traceId", hex: traceID)
      writer.member("spanId", hex: spanID)
      if keepsAttributes { try writer.member("attributes", field: field, message: message) }
      writer.finish(into: &extra, row: row)
      guard extra.data.count <= limits.columnBytesMax else { throw WireError(.bigColumn, at: message.start) }
    }
    return !attributes.hasRepairedText
  }

  /// Map, shapes, extra.
  consuming func columns() -> (Column, Column, Column) {
    let count = attributes.rowCount
    let extra = extra.column(count: count)
    let (map, shapes) = attributes.columns()
    return (map, shapes, extra)
  }
}
