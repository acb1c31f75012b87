import LakeModel

/// Arrays and kvlists as the plain JSON that people query: `[1,"a"]`, `{"k":1.0}`.
///
/// Types can be read off the text: whole numbers are ints, a double always has a point or an exponent, `null` is an empty value, names
/// may repeat. What such text cannot say (bytes, doubles that are not finite) makes it inexact: it is written readably, and the caller
/// keeps the exact value elsewhere.
struct PlainJSON: ~Copyable {
  private let valueDepthMax: Int
  /// False once something was written that reads back as something else.
  private(set) var isExact = true
  /// True once invalid UTF-8 was written as U+FFFD.
  private(set) var isRepaired = false

  init(valueDepthMax: Int) { self.valueDepthMax = valueDepthMax }

  mutating func append(
    _ value: AnyValueWire, depth: Int = 1, arena: inout Arena, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    guard depth <= valueDepthMax else { throw WireError(.deepValue, at: value.bytes.start) }
    switch value.kind {
    case .none: out.append("null")
    case .string: if !out.quoted(value.bytes) { isRepaired = true }
    case .bool: out.append(value.bits != 0 ? "true" : "false")
    case .int: NumberText.append(Int64(bitPattern: value.bits), to: &out)
    case .double: append(Double(bitPattern: value.bits), to: &out)
    case .bytes:
      out.quotedBase64(value.bytes)
      isExact = false
    case .array: try appendArray(value.bytes, depth: depth, arena: &arena, to: &out)
    case .kvlist: try appendList(value.bytes, depth: depth, arena: &arena, to: &out)
    }
  }

  private mutating func append(_ value: Double, to out: inout BufferBuilder<UInt8>) {
    guard value.isFinite else {
      out.jsonDouble(value, keepsNaN: true)
      isExact = false
      return
    }
    let start = out.count
    NumberText.append(value, to: &out)
    if !RawBytes(out.base + start, out.count - start).hasPointOrExponent { out.append(".0") }
  }

  private mutating func appendArray(
    _ bytes: RawBytes, depth: Int, arena: inout Arena, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    out.append(UInt8(ascii: "["))
    var isFirst = true
    var reader = ProtoReader(bytes)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      guard tag == 0x0A else {
        try reader.skip(tag, known: 0b10)
        continue
      }
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      let element = try AnyValueWire.read(try reader.bytes(), arena: &arena)
      try append(element, depth: depth + 1, arena: &arena, to: &out)
    }
    out.append(UInt8(ascii: "]"))
  }

  private mutating func appendList(
    _ bytes: RawBytes, depth: Int, arena: inout Arena, to out: inout BufferBuilder<UInt8>
  ) throws(WireError) {
    out.append(UInt8(ascii: "{"))
    var isFirst = true
    var reader = ProtoReader(bytes)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      guard tag == 0x0A else {
        try reader.skip(tag, known: 0b10)
        continue
      }
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      let pair = try KeyValueWire.read(try reader.bytes(), arena: &arena)
      if !out.quoted(pair.key) { isRepaired = true }
      out.append(UInt8(ascii: ":"))
      try append(pair.value, depth: depth + 1, arena: &arena, to: &out)
    }
    out.append(UInt8(ascii: "}"))
  }
}
