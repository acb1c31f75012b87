/// A bounds-checked cursor over one protobuf message. The memory outlives it.
///
/// Source: protobuf encoding specification. Wire types: 0 varint, 1 eight bytes, 2 length and bytes, 3 and 4 group start and
/// end, 5 four bytes.
struct ProtoReader {
  private(set) var next: UnsafePointer<UInt8>
  let end: UnsafePointer<UInt8>

  static let groupDepthMax = 100

  @inline(__always)
  init(_ bytes: RawBytes) {
    next = bytes.start
    end = bytes.end
  }

  @inline(__always)
  var isAtEnd: Bool { next == end }
  @inline(__always)
  var remaining: Int { end - next }

  /// The next field's number and wire type, as `number << 3 | type`.
  @inline(__always)
  mutating func tag() throws(WireError) -> UInt32 {
    if next < end, next.pointee < 0x80, next.pointee > 7 {
      let tag = next.pointee
      next += 1
      return UInt32(tag)
    }
    return try longTag()
  }

  private mutating func longTag() throws(WireError) -> UInt32 {
    let at = next
    let value = try varint()
    guard value <= UInt64(UInt32.max) else { throw WireError(.longVarint, at: at) }
    guard value > 7 else { throw WireError(.fieldZero, at: at) }
    return UInt32(value)
  }

  @inline(__always)
  mutating func varint() throws(WireError) -> UInt64 {
    if next < end, next.pointee < 0x80 {
      let value = next.pointee
      next += 1
      return UInt64(value)
    }
    return try longVarint()
  }

  private mutating func longVarint() throws(WireError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    let at = next
    while next < end {
      let byte = next.pointee
      next += 1
      // The tenth byte holds one bit of the 64; more is an overflow.
      if shift == 63, byte > 1 { throw WireError(.longVarint, at: at) }
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 { return value }
      shift &+= 7
      if shift > 63 { throw WireError(.longVarint, at: at) }
    }
    throw WireError(.truncated, at: at)
  }

  @inline(__always)
  mutating func fixed64() throws(WireError) -> UInt64 {
    guard end - next >= 8 else { throw WireError(.truncated, at: next) }
    let value = UInt64(littleEndian: load64(next))
    next += 8
    return value
  }

  @inline(__always)
  mutating func fixed32() throws(WireError) -> UInt32 {
    guard end - next >= 4 else { throw WireError(.truncated, at: next) }
    let value = UInt32(littleEndian: load32(next))
    next += 4
    return value
  }

  /// Length and bytes.
  @inline(__always)
  mutating func bytes() throws(WireError) -> RawBytes {
    let at = next
    let count = try varint()
    guard count <= UInt64(truncatingIfNeeded: end - next) else { throw WireError(.truncated, at: at) }
    let value = RawBytes(next, Int(truncatingIfNeeded: count))
    next += value.count
    return value
  }

  /// Passes over the value of an unknown field.
  /// - Parameter known: a set of field numbers below 64 that this message does have, so that `tag` is a wrong wire type.
  mutating func skip(_ tag: UInt32, known: UInt64) throws(WireError) {
    let number = tag >> 3
    if number < 64, known >> UInt64(number) & 1 == 1 { throw WireError(.wrongWireType, at: next, field: number) }
    try skip(tag, depth: 0)
  }

  private mutating func skip(_ tag: UInt32, depth: Int) throws(WireError) {
    switch tag & 7 {
    case 0: _ = try varint()
    case 1: _ = try fixed64()
    case 2: _ = try bytes()
    case 5: _ = try fixed32()
    case 3:
      guard depth < ProtoReader.groupDepthMax else { throw WireError(.deepGroup, at: next, field: tag >> 3) }
      while true {
        let inner = try self.tag()
        if inner & 7 == 4 {
          guard inner >> 3 == tag >> 3 else { throw WireError(.straySection, at: next, field: inner >> 3) }
          return
        }
        try skip(inner, depth: depth + 1)
      }
    case 4: throw WireError(.straySection, at: next, field: tag >> 3)
    default: throw WireError(.wrongWireType, at: next, field: tag >> 3)
    }
  }
}
