import LakeModel

/// Brings a request in protobuf within the limits of its tenant before it is decoded: requests within them are only looked at.
///
/// Texts that are too long keep their beginning and get a mark. What cannot be cut - long keys, bytes, lists and maps - is left out like
/// the attributes beyond the number allowed, of which the first stay. With `reject`, records with anything of that are left out, and all
/// records of a resource or scope that has it. A resource, scope or body that comes in pieces is put together first: each piece may be within
/// the limits, and the whole far beyond.
struct RequestTrimmer {
  private let limits: RecordLimits
  private let shape: MessageShape
  private(set) var excess = Excess()

  static let mark: StaticString = "…[truncated]"

  init(limits: RecordLimits, signal: OTLPSignal) {
    self.limits = limits
    shape = MessageShape.of(signal)
  }

  /// - Returns: the request without what is too much; nil when nothing is.
  mutating func trim(_ request: RawBytes) throws(WireError) -> Bytes? {
    guard !limits.areNone, try firstFault(in: request, shape, entersGroups: true) != nil else { return nil }
    var out = BufferBuilder<UInt8>(capacity: request.count)
    try rewrite(request, shape, to: &out)
    return Bytes(out.finish())
  }

  private enum Fault { case manyAttributes, longAttribute, longBody, inPieces }

  // MARK: looking

  /// What of a message, or of those below it, goes over a limit.
  private func firstFault(
    in message: RawBytes, _ shape: MessageShape, entersGroups: Bool
  ) throws(WireError) -> Fault? {
    var count = 0
    var hasSingular = false
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      guard tag & 7 == 2 else {
        try reader.skip(tag, known: 0)
        continue
      }
      let (field, value) = (tag >> 3, try reader.bytes())
      // No message has more than one such field.
      if shape.isSingular(field) {
        if hasSingular { return .inPieces }
        hasSingular = true
      }
      if field == shape.attributes {
        count += 1
        if let most = limits.attributesMax, count > most { return .manyAttributes }
        if let most = limits.attributeBytesMax, value.count > most, try isLong(pair: value, most) {
          return .longAttribute
        }
      } else if field == shape.body {
        if let most = limits.bodyBytesMax, value.count > most, try AnyValueSize(value).bytes > most { return .longBody }
      } else if let child = shape.child(field), entersGroups || !(child.isRecord || child.holdsRecords) {
        if let fault = try firstFault(in: value, child, entersGroups: entersGroups) { return fault }
      }
    }
    return nil
  }

  private func isLong(pair: RawBytes, _ most: Int) throws(WireError) -> Bool {
    let parts = try PairParts(pair)
    if parts.key.count > most { return true }
    if parts.valuePieces > 1 { return parts.valueBytes > most }
    return try AnyValueSize(parts.value).bytes > most
  }

  // MARK: changing

  private mutating func rewrite(
    _ message: RawBytes, _ shape: MessageShape, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    var count = 0
    var dropped: UInt64 = 0
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let start = reader.next
      let tag = try reader.tag()
      let field = tag >> 3
      if tag & 7 == 0, field == shape.dropped {
        dropped = UInt64(UInt32(truncatingIfNeeded: try reader.varint()))
        continue
      }
      guard tag & 7 == 2 else {
        try reader.skip(tag, known: 0)
        out.append(RawBytes(start, reader.next - start))
        continue
      }
      let value = try reader.bytes()
      let whole = RawBytes(start, reader.next - start)
      if field == shape.attributes {
        count += 1
        if let most = limits.attributesMax, count > most {
          dropAttribute()
        } else {
          try attribute(value, field, whole, to: &out)
        }
      } else if field == shape.body {
        try body(value, field, whole, to: &out)
      } else if let child = shape.child(field) {
        try nested(value, field, child, to: &out)
      } else {
        out.append(whole)
      }
    }
    if let field = shape.dropped {
      dropped += droppedHere
      if dropped > 0 { out.field(field, varint: min(dropped, UInt64(UInt32.max))) }
    }
  }

  private mutating func dropAttribute() {
    excess.droppedAttributes += 1
    droppedHere += 1
  }

  /// Attributes left out of the message that is being written.
  private var droppedHere: UInt64 = 0

  private mutating func nested(
    _ message: RawBytes, _ field: UInt32, _ shape: MessageShape, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    guard let whole = try putTogether(message, shape) else { return try nestedWhole(message, field, shape, to: &out) }
    defer { withExtendedLifetime(whole.storage) {} }
    try nestedWhole(RawBytes(whole.unsafeBase.assumingMemoryBound(to: UInt8.self), whole.count), field, shape, to: &out)
  }

  /// The message with the pieces of its resource, scope or body laid end to end where the first stands, which to protobuf is the same.
  /// - Returns: nil when nothing is in pieces.
  private func putTogether(_ message: RawBytes, _ shape: MessageShape) throws(WireError) -> Bytes? {
    var pieces: [RawBytes] = []
    var fieldInPieces: UInt32 = 0
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      guard tag & 7 == 2, shape.isSingular(tag >> 3) else {
        try reader.skip(tag, known: 0)
        continue
      }
      fieldInPieces = tag >> 3
      pieces.append(try reader.bytes())
    }
    guard pieces.count > 1 else { return nil }
    var out = BufferBuilder<UInt8>(capacity: message.count)
    var isWritten = false
    reader = ProtoReader(message)
    while !reader.isAtEnd {
      let start = reader.next
      let tag = try reader.tag()
      try reader.skip(tag, known: 0)
      guard tag & 7 == 2, tag >> 3 == fieldInPieces else {
        out.append(RawBytes(start, reader.next - start))
        continue
      }
      if isWritten { continue }
      isWritten = true
      let begin = out.beginMessage(fieldInPieces)
      for piece in pieces { out.append(piece) }
      out.endMessage(begin)
    }
    return Bytes(out.finish())
  }

  private mutating func nestedWhole(
    _ message: RawBytes, _ field: UInt32, _ shape: MessageShape, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    if limits.onExcess == .reject {
      if shape.isRecord, let fault = try firstFault(in: message, shape, entersGroups: true) {
        return reject(fault, count: 1)
      }
      // What a resource or scope has too much of is too much of each of its records.
      if !shape.isRecord, let fault = try firstFault(in: message, shape, entersGroups: false) {
        return reject(fault, count: try records(in: message, shape))
      }
    }
    let outer = droppedHere
    droppedHere = 0
    let start = out.beginMessage(field)
    try rewrite(message, shape, to: &out)
    out.endMessage(start)
    droppedHere = outer
  }

  private mutating func reject(_ fault: Fault, count: Int) {
    switch fault {
    case .manyAttributes, .inPieces: excess.manyAttributes += count
    case .longAttribute: excess.longAttribute += count
    case .longBody: excess.longBody += count
    }
  }

  private func records(in message: RawBytes, _ shape: MessageShape) throws(WireError) -> Int {
    if shape.isRecord { return 1 }
    var count = 0
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      guard tag & 7 == 2 else {
        try reader.skip(tag, known: 0)
        continue
      }
      let value = try reader.bytes()
      if let child = shape.child(tag >> 3) { count += try records(in: value, child) }
    }
    return count
  }

  private mutating func attribute(
    _ pair: RawBytes, _ field: UInt32, _ whole: RawBytes, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    guard let most = limits.attributeBytesMax, pair.count > most, try isLong(pair: pair, most) else {
      return out.append(whole)
    }
    let parts = try PairParts(pair)
    if parts.valuePieces > 1 { return dropAttribute() }
    let value = try AnyValueSize(parts.value)
    guard parts.key.count <= most, let text = value.text else {
      return dropAttribute()
    }
    excess.cutAttributes += 1
    let start = out.beginMessage(field)
    if !parts.key.isEmpty { out.field(1, bytes: parts.key) }
    let any = out.beginMessage(2)
    cut(text, to: most, into: &out)
    out.endMessage(any)
    out.endMessage(start)
  }

  private mutating func body(
    _ message: RawBytes, _ field: UInt32, _ whole: RawBytes, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    guard let most = limits.bodyBytesMax, message.count > most else { return out.append(whole) }
    let value = try AnyValueSize(message)
    guard value.bytes > most else { return out.append(whole) }
    excess.cutBodies += 1
    let any = out.beginMessage(field)
    cut(value.text ?? .none, to: most, into: &out)
    out.endMessage(any)
  }

  /// The beginning of a text, at most `most` bytes with the mark; without it when not even that fits.
  private func cut(_ text: RawBytes, to most: Int, into out: inout BufferBuilder<UInt8>) {
    let mark = RawBytes(RequestTrimmer.mark)
    var kept = most >= mark.count ? most - mark.count : most
    kept = min(kept, text.count)
    // Not inside a character.
    while kept > 0, kept < text.count, text.start[kept] & 0xC0 == 0x80 { kept -= 1 }
    let field = out.beginMessage(1)
    out.append(RawBytes(text.start, kept))
    if most >= mark.count { out.append(mark) }
    out.endMessage(field)
  }
}

/// Key and value of a KeyValue message; of repeated fields the last.
private struct PairParts {
  var key = RawBytes.none
  var value = RawBytes.none
  /// A value in pieces counts for all their bytes.
  var valuePieces = 0
  var valueBytes = 0

  init(_ pair: RawBytes) throws(WireError) {
    var reader = ProtoReader(pair)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x0A: key = try reader.bytes()
      case 0x12:
        value = try reader.bytes()
        valuePieces += 1
        valueBytes += value.count
      default: try reader.skip(tag, known: 0)
      }
    }
  }
}

/// What an AnyValue counts for: a text by its bytes, anything else by the bytes of the message.
private struct AnyValueSize {
  let bytes: Int
  let text: RawBytes?

  init(_ message: RawBytes) throws(WireError) {
    var text: RawBytes?
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      if tag == 0x0A {
        text = try reader.bytes()
      } else {
        text = nil
        try reader.skip(tag, known: 0)
      }
    }
    self.text = text
    bytes = text?.count ?? message.count
  }
}
