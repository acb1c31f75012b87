import LakeModel

/// What fills a signal's columns from an export request: resources, in them scopes, in them items (log records, spans, metrics).
///
/// The three requests share their shape and field numbers: field 1 of the request repeats the resources' groups, field 2 of those the
/// scopes' groups, field 2 of these the items.
protocol GroupedRows: ~Copyable {
  var context: DecodeContext { get }
  var rowCount: Int { get }

  /// Lends what holds the groups' share of the rows.
  mutating func withGroups<Result>(
    _ body: (inout GroupBuilder, inout AttributesBuilder, inout Arena) throws(WireError) -> Result
  ) throws(WireError) -> Result
  /// Makes room for the rows of a scope.
  mutating func reserve(rows: Int)
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
    try withGroups { (group, attributes, arena) throws(WireError) in
      let resource = try GroupWire.read(message, arena: &arena)
      try group.beginResource(
        resource.shared, schemaURL: resource.schemaURL, attributes: &attributes, arena: &arena)
    }
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
    let scope = try withGroups { (_, _, arena) throws(WireError) in try GroupWire.read(message, arena: &arena) }
    let rows = try Self.rowsMax(scope, of: message)
    guard rowCount + rows <= context.limits.recordsMax else { throw WireError(.manyRecords, at: message.start) }
    try withGroups { (group, attributes, arena) throws(WireError) in
      try group.beginScope(
        scope.shared, schemaURL: scope.schemaURL, rows: rows, attributes: &attributes, arena: &arena)
    }
    reserve(rows: rows)
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
    let added = rowCount - before
    try withGroups { (group, _, _) throws(WireError) in group.endScope(rows: added) }
  }
}
