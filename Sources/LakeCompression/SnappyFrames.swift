import CSnappy
import LakeModel

/// Snappy's framing format.
///
///     +------+--------+------------------+
///     | type | length | content          |   0xFF the identifier, first    0x00 masked CRC-32C of the text, snappy block
///     | 1 B  | 3 B LE | `length` bytes   |   0x80...0xFE passed over       0x01 masked CRC-32C, text as it is
///     +------+--------+------------------+
///
/// Source: google/snappy, framing_format.txt.
enum SnappyFrames {
  static let identifier: [UInt8] = [0xFF, 6, 0, 0, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59]
  /// Bytes of text in one chunk.
  private static let chunkTextMax = 65_536

  static func isAtStart(of source: UnsafeRawBufferPointer) -> Bool {
    source.count >= identifier.count && source.prefix(identifier.count).elementsEqual(identifier)
  }

  static func decode(_ source: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> Bytes {
    guard isAtStart(of: source) else { throw .malformed(codec: "snappy") }
    var output = BodyBuffer(expected: source.count, limit: limit)
    var at = identifier.count
    while at < source.count {
      guard source.count - at >= 4 else { throw .malformed(codec: "snappy") }
      let type = source[at]
      let length = Int(source[at + 1]) | Int(source[at + 2]) << 8 | Int(source[at + 3]) << 16
      at += 4
      guard length <= source.count - at else { throw .malformed(codec: "snappy") }
      let content = UnsafeRawBufferPointer(rebasing: source[at..<at + length])
      at += length
      switch type {
      case 0x00, 0x01: try append(content, isCompressed: type == 0, to: &output)
      case 0x80...0xFE: continue
      case 0xFF where content.elementsEqual(identifier[4...]): continue
      default: throw .malformed(codec: "snappy")
      }
    }
    return output.finish()
  }

  private static func append(
    _ content: UnsafeRawBufferPointer, isCompressed: Bool, to output: inout BodyBuffer
  ) throws(CompressionError) {
    guard content.count >= 4 else { throw .malformed(codec: "snappy") }
    let block = UnsafeRawBufferPointer(rebasing: content[4...])
    var count = block.count
    if isCompressed, snappy_uncompressed_length(block.bytesOrEmpty, block.count, &count) != SNAPPY_OK {
      throw .malformed(codec: "snappy")
    }
    guard count <= chunkTextMax else { throw .malformed(codec: "snappy") }
    while output.space.count - output.count < count { try output.grow() }
    let target = UnsafeMutableRawBufferPointer(rebasing: output.space[output.count..<output.count + count])
    if isCompressed {
      _ = try Compressor().decompress(block, codec: .snappy, into: target)
    } else if count > 0 {
      target.copyMemory(from: block)
    }
    let sum = UInt32(littleEndian: content.loadUnaligned(as: UInt32.self))
    guard masked(CRC32C.checksum(UnsafeRawBufferPointer(target))) == sum else { throw .malformed(codec: "snappy") }
    output.count += count
  }

  static func encode(_ body: Bytes) throws(CompressionError) -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: body.count + body.count / 4096 + 64)
    for byte in identifier { out.append(byte) }
    var at = 0
    while at < body.count {
      let text = body[at..<min(at + chunkTextMax, body.count)]
      at += text.count
      let block = try Compressor().compress(text, codec: .snappy)
      let sum = masked(text.withUnsafeBytes { CRC32C.checksum($0) })
      let header = UInt32(block.count + 4) << 8
      for word in [header, sum] {
        for shift in stride(from: UInt32(0), to: 32, by: 8) { out.append(UInt8(truncatingIfNeeded: word >> shift)) }
      }
      out.append(contentsOf: block.unsafeBase.assumingMemoryBound(to: UInt8.self), count: block.count)
    }
    let buffer = out.finish()
    return Bytes(storage: buffer.storage, offset: buffer.offset, count: buffer.count)
  }

  private static func masked(_ sum: UInt32) -> UInt32 { (sum >> 15 | sum << 17) &+ 0xA282_EAD8 }
}

/// CRC-32C (polynomial 0x1EDC6F41, reflected).
enum CRC32C {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0x82F6_3B78 : sum >> 1 }
  }

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      var sum = ~UInt32(0)
      for byte in bytes { sum = table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ sum >> 8 }
      return ~sum
    }
  }
}
