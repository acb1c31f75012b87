/// What a ResourceLogs, ScopeLogs (or their likes of the other signals) says beside its items: fields 1 and 3; the items are field 2.
struct GroupWire {
  /// The resource or scope.
  var shared = RawBytes.none
  var schemaURL = RawBytes.none
  var itemCount = 0

  static func read(_ message: RawBytes, arena: inout Arena) throws(WireError) -> GroupWire {
    var group = GroupWire()
    var hasShared = false
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x0A:
        let piece = try reader.bytes()
        group.shared = hasShared ? try arena.join(group.shared, piece) : piece
        hasShared = true
      case 0x12:
        _ = try reader.bytes()
        group.itemCount += 1
      case 0x1A: group.schemaURL = try reader.bytes()
      default: try reader.skip(tag, known: 0b1110)
      }
    }
    return group
  }
}
