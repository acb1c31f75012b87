/// Reads forward through raw memory, never past its end.
struct ByteCursor {
  let base: UnsafeRawPointer
  let end: Int
  var position: Int

  init(_ bytes: UnsafeRawBufferPointer) {
    base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 64)!
    end = bytes.count
    position = 0
  }

  var remaining: Int { end - position }

  /// What has not been read yet.
  var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base + position, count: end - position) }

  mutating func byte() throws(ParquetError) -> UInt8 {
    guard position < end else { throw .truncated("page", needed: 1, found: 0) }
    defer { position += 1 }
    return base.load(fromByteOffset: position, as: UInt8.self)
  }

  mutating func varint() throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      if shift == 63 && next > 1 { throw .malformed("integer of more than 64 bits") }
      value |= UInt64(next & 0x7F) << shift
      if next & 0x80 == 0 { return value }
      shift += 7
      if shift > 63 { throw .malformed("integer of more than 64 bits") }
    }
  }

  mutating func zigzag() throws(ParquetError) -> Int64 {
    let raw = try varint()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  mutating func uint32() throws(ParquetError) -> UInt32 {
    guard remaining >= 4 else { throw .truncated("page", needed: 4, found: remaining) }
    defer { position += 4 }
    return base.loadUnaligned(fromByteOffset: position, as: UInt32.self)
  }

  mutating func take(_ count: Int) throws(ParquetError) -> UnsafeRawBufferPointer {
    guard count >= 0 && count <= remaining else { throw .truncated("page", needed: count, found: remaining) }
    defer { position += count }
    return UnsafeRawBufferPointer(start: base + position, count: count)
  }
}
