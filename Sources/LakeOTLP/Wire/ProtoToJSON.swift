import LakeModel

/// Protobuf -> canonical OTLP JSON: compact, members in the order of the message table, defaults left out, 64-bit integers as text,
/// enums as numbers, ids in lower-case hexadecimal. Equal messages give equal text however their fields were ordered.
struct ProtoToJSON {
  /// See `BufferBuilder.jsonDouble`: true for text that only we read again.
  let keepsNaN: Bool
  /// Nesting of AnyValue.
  let valueDepthMax: Int
  /// Bytes that may still be copied to put messages together that came in pieces.
  private(set) var pieceBytesLeft = MergedBytes.pieceBytesMax
  /// True once invalid UTF-8 was written as U+FFFD.
  private(set) var isRepaired = false
  private let schema = WireSchema.shared

  init(keepsNaN: Bool, valueDepthMax: Int) {
    self.keepsNaN = keepsNaN
    self.valueDepthMax = valueDepthMax
  }

  /// Appends an object, `{}` when every field has its default.
  mutating func append(
    _ message: WireMessageID, _ bytes: RawBytes, depth: Int = 0, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    var depth = depth
    if message == .anyValue {
      guard depth < valueDepthMax else { throw WireError(.deepValue, at: bytes.start) }
      depth += 1
    }
    out.append(UInt8(ascii: "{"))
    var isFirst = true
    let fields = schema.fields(of: message)
    let bytes = message == .anyValue ? try AnyValueWire.lastMember(of: bytes) : bytes
    for field in fields {
      try append(field, of: bytes, depth: depth, isFirst: &isFirst, to: &out)
    }
    out.append(UInt8(ascii: "}"))
  }

  private mutating func append(
    _ field: WireField, of bytes: RawBytes, depth: Int, isFirst: inout Bool,
    to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    var found = try Occurrences(of: field.number, in: bytes)
    // A KeyValue shows its value even when it is empty, as every OTLP JSON writer does.
    let isShown = field.isAlwaysShown
    if found.count == 0, isShown { return member(field, "{}", isFirst: &isFirst, to: &out) }
    guard found.count > 0 else { return }
    let mark = out.count
    if !isFirst { out.append(UInt8(ascii: ",")) }
    out.append(UInt8(ascii: "\""))
    out.append(field.name)
    out.append("\":")
    let start = out.count
    if field.isRepeated {
      out.append(UInt8(ascii: "["))
      var isFirstElement = true
      while let value = try found.next() {
        try appendElements(field, value, depth: depth, isFirst: &isFirstElement, to: &out)
      }
      out.append(UInt8(ascii: "]"))
      if isFirstElement {
        out.count = mark
        return
      }
    } else if case .message(let inner) = field.kind {
      let merged = try found.merged(&pieceBytesLeft)
      try append(inner, merged.bytes, depth: depth, to: &out)
      withExtendedLifetime(merged) {}
      // `{}` says nothing, except which member of a oneof is set.
      if out.count - start == 2, !field.hasPresence, !isShown {
        out.count = mark
        return
      }
    } else {
      var last: WireValue?
      while let value = try found.next() { last = value }
      guard let last, field.hasPresence || !last.isDefault else {
        out.count = mark
        return
      }
      try appendScalar(field, last, to: &out)
    }
    isFirst = false
  }

  private func member(
    _ field: WireField, _ value: StaticString, isFirst: inout Bool, to out: inout BufferBuilder<UInt8>
  ) {
    out.append(isFirst ? "\"" : ",\"")
    out.append(field.name)
    out.append("\":")
    out.append(value)
    isFirst = false
  }

  private mutating func appendElements(
    _ field: WireField, _ value: WireValue, depth: Int, isFirst: inout Bool, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    var packed: ProtoReader?
    switch field.kind {
    case .fixed64, .double, .uint64:
      if case .bytes(let bytes) = value { packed = ProtoReader(bytes) }
    default: break
    }
    guard var packed else {
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      if case .message(let inner) = field.kind {
        guard case .bytes(let bytes) = value else { throw WireError(.wrongWireType, at: nil, field: field.number) }
        return try append(inner, bytes, depth: depth, to: &out)
      }
      return try appendScalar(field, value, to: &out)
    }
    while !packed.isAtEnd {
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      if case .uint64 = field.kind {
        try appendScalar(field, .varint(try packed.varint()), to: &out)
      } else {
        try appendScalar(field, .fixed64(try packed.fixed64()), to: &out)
      }
    }
  }

  private mutating func appendScalar(
    _ field: WireField, _ value: WireValue, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    switch (field.kind, value) {
    case (.string, .bytes(let bytes)): if !out.quoted(bytes) { isRepaired = true }
    case (.bytes, .bytes(let bytes)): out.quotedBase64(bytes)
    case (.id, .bytes(let bytes)): out.quotedHex(bytes)
    case (.bool, .varint(let value)): out.append(value != 0 ? "true" : "false")
    case (.int64, .varint(let value)): quoted(Int64(bitPattern: value), to: &out)
    case (.sfixed64, .fixed64(let value)): quoted(Int64(bitPattern: value), to: &out)
    case (.uint64, .varint(let value)), (.fixed64, .fixed64(let value)):
      out.append(UInt8(ascii: "\""))
      NumberText.append(value, to: &out)
      out.append(UInt8(ascii: "\""))
    case (.uint32, .varint(let value)): NumberText.append(UInt64(UInt32(truncatingIfNeeded: value)), to: &out)
    case (.sint32, .varint(let value)):
      let bits = UInt32(truncatingIfNeeded: value)
      NumberText.append(Int64(Int32(bitPattern: (bits >> 1) ^ (0 &- (bits & 1)))), to: &out)
    case (.fixed32, .fixed32(let value)): NumberText.append(UInt64(value), to: &out)
    case (.double, .fixed64(let value)): out.jsonDouble(Double(bitPattern: value), keepsNaN: keepsNaN)
    case (.enumeration, .varint(let value)):
      NumberText.append(Int64(Int32(truncatingIfNeeded: value)), to: &out)
    default: throw WireError(.wrongWireType, at: nil, field: field.number)
    }
  }

  private func quoted(_ value: Int64, to out: inout BufferBuilder<UInt8>) {
    out.append(UInt8(ascii: "\""))
    NumberText.append(value, to: &out)
    out.append(UInt8(ascii: "\""))
  }
}

/// One field's value as the wire has it.
enum WireValue {
  case varint(UInt64)
  case fixed64(UInt64)
  case fixed32(UInt32)
  case bytes(RawBytes)

  /// The default of a scalar field; -0.0 is not one.
  var isDefault: Bool {
    switch self {
    case .varint(let value): value == 0
    case .fixed64(let value): value == 0
    case .fixed32(let value): value == 0
    case .bytes(let bytes): bytes.isEmpty
    }
  }
}

/// The values of one field of a message, in order.
struct Occurrences {
  let number: UInt32
  private let whole: RawBytes
  private var reader: ProtoReader
  /// How often the field is there.
  private(set) var count = 0

  init(of number: UInt32, in bytes: RawBytes) throws(WireError) {
    self.number = number
    whole = bytes
    reader = ProtoReader(bytes)
    var counter = ProtoReader(bytes)
    while !counter.isAtEnd {
      let tag = try counter.tag()
      if tag >> 3 == number { count += 1 }
      try counter.skip(tag, known: 0)
    }
  }

  mutating func next() throws(WireError) -> WireValue? {
    while !reader.isAtEnd {
      let tag = try reader.tag()
      guard tag >> 3 == number else {
        try reader.skip(tag, known: 0)
        continue
      }
      switch tag & 7 {
      case 0: return .varint(try reader.varint())
      case 1: return .fixed64(try reader.fixed64())
      case 2: return .bytes(try reader.bytes())
      case 5: return .fixed32(try reader.fixed32())
      default: throw WireError(.wrongWireType, at: reader.next, field: number)
      }
    }
    return nil
  }

  /// A message that came in pieces is their concatenation. Source: protobuf encoding, "Last One Wins".
  func merged(_ pieceBytesLeft: inout Int) throws(WireError) -> MergedBytes {
    var copy = self
    copy.reader = ProtoReader(whole)
    guard count > 1 else {
      guard case .bytes(let bytes)? = try copy.next() else {
        throw WireError(.wrongWireType, at: whole.start, field: number)
      }
      return MergedBytes(bytes)
    }
    var all = BufferBuilder<UInt8>()
    while let value = try copy.next() {
      guard case .bytes(let bytes) = value else { throw WireError(.wrongWireType, at: whole.start, field: number) }
      pieceBytesLeft -= bytes.count
      guard pieceBytesLeft >= 0 else { throw WireError(.manyPieces, at: bytes.start, field: number) }
      all.append(bytes)
    }
    return MergedBytes(all.finish())
  }
}

/// A message's bytes, together with the memory they needed if they were put together.
struct MergedBytes {
  /// Nobody sends messages in pieces on purpose; each level of nesting copies them again, so the sum is bounded.
  static let pieceBytesMax = 1 << 20

  let bytes: RawBytes
  private let memory: Buffer<UInt8>?

  init(_ bytes: RawBytes) {
    self.bytes = bytes
    memory = nil
  }

  init(_ memory: Buffer<UInt8>) {
    bytes = RawBytes(memory.unsafeBase, memory.count)
    self.memory = memory
  }
}
