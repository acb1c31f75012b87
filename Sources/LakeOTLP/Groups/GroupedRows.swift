import LakeModel

/// What fills a signal's columns from an export request: resources, in them scopes, in them items (log records, spans, metrics).
///
/// The three requests share their shape and field numbers: field 1 of the request repeats the resources' groups, field 2 of those the
/// scopes' groups, field 2 of these the items.
protocol GroupedRows: ~Copyable {
  var context: DecodeContext { get }
  var rowCount: Int { get }

  /// Reads what a resource's or a scope's group says beside its items.
  mutating func readGroup(_ message: RawBytes) throws(WireError) -> GroupWire
  mutating func beginResource(_ resource: GroupWire) throws(WireError)
  /// - Parameter rows: at least as many as the scope's items become.
  mutating func beginScope(_ scope: GroupWire, rows: Int) throws(WireError)
  mutating func endScope(rows: Int)
  /// How many rows the items of a scope's group become, at most.
  static func rowsMax(_ scope: GroupWire, of message: RawBytes) throws(WireError) -> Int
  mutating func readItem(_ message: RawBytes) throws(WireError)
}

extension GroupedRows where Self: ~Copyable {
  static func rowsMax(_ scope: GroupWire, of message: RawBytes) throws(WireError) -> Int { scope.itemCount }

  /// Reads a whole request.
  ///
  /// A group's fields may come in any order, so each group is passed over twice: first for what its rows have in common, then for the rows.
  mutating func read(_ request: RawBytes) throws(WireError) {
    var reader = ProtoReader(request)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      if tag == 0x0A {
        try readResourceGroup(try reader.bytes())
      } else {
        try reader.skip(tag, known: 0b10)
      }
    }
  }

  private mutating func readResourceGroup(_ message: RawBytes) throws(WireError) {
    try beginResource(try readGroup(message))
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      if tag == 0x12 {
        try readScopeGroup(try reader.bytes())
      } else {
        try reader.skip(tag, known: 0)
      }
    }
  }

  private mutating func readScopeGroup(_ message: RawBytes) throws(WireError) {
    let scope = try readGroup(message)
    let rows = try Self.rowsMax(scope, of: message)
    guard rowCount + rows <= context.limits.recordsMax else { throw WireError(.manyRecords, at: message.start) }
    try beginScope(scope, rows: rows)
    let before = rowCount
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      if tag == 0x12 {
        try readItem(try reader.bytes())
      } else {
        try reader.skip(tag, known: 0)
      }
    }
    endScope(rows: rowCount - before)
  }
}
