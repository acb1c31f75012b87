import LakeModel

/// Writing protobuf into a growing buffer. Lengths of nested messages are put in when their end is known.
extension BufferBuilder where Element == UInt8 {
  mutating func varint(_ value: UInt64) {
    var value = value
    while value >= 0x80 {
      append(UInt8(truncatingIfNeeded: value) | 0x80)
      value >>= 7
    }
    append(UInt8(truncatingIfNeeded: value))
  }

  mutating func tag(_ number: UInt32, _ wireType: UInt32) { varint(UInt64(number << 3 | wireType)) }

  mutating func field(_ number: UInt32, varint value: UInt64) {
    tag(number, 0)
    varint(value)
  }

  mutating func field(_ number: UInt32, fixed64 value: UInt64) {
    tag(number, 1)
    withUnsafeBytes(of: value.littleEndian) { append($0) }
  }

  mutating func field(_ number: UInt32, fixed32 value: UInt32) {
    tag(number, 5)
    withUnsafeBytes(of: value.littleEndian) { append($0) }
  }

  mutating func field(_ number: UInt32, bytes: RawBytes) {
    tag(number, 2)
    varint(UInt64(bytes.count))
    append(bytes)
  }

  mutating func append(_ bytes: RawBytes) { append(contentsOf: bytes.start, count: bytes.count) }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    append(contentsOf: base.assumingMemoryBound(to: UInt8.self), count: bytes.count)
  }

  mutating func append(_ text: StaticString) { append(RawBytes(text)) }

  /// Starts a nested message; pass what it returns to `endMessage`.
  mutating func beginMessage(_ number: UInt32) -> Int {
    tag(number, 2)
    append(0)
    return count
  }

  /// One byte was left for the length; a longer one moves the message up.
  mutating func endMessage(_ start: Int) {
    let length = count - start
    var size = 1
    while length >> (7 * size) != 0 { size += 1 }
    let extra = size - 1
    if extra > 0 {
      _ = reserve(extra)
      UnsafeMutableRawPointer(base + start + extra).copyMemory(from: base + start, byteCount: length)
      count += extra
    }
    for index in 0..<size {
      let more: UInt8 = index == size - 1 ? 0 : 0x80
      base[start - 1 + index] = UInt8(truncatingIfNeeded: length >> (7 * index)) & 0x7F | more
    }
  }

  /// A message without content leaves nothing behind.
  mutating func endMessage(_ start: Int, droppingEmptyFrom fieldStart: Int) {
    if count == start { count = fieldStart } else { endMessage(start) }
  }

  /// The bytes written so far. Valid until the next write.
  var written: RawBytes { RawBytes(base, count) }
}
