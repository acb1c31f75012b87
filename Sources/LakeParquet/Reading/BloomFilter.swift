import LakeHash
package import LakeModel
import LakeSchema

/// A split-block Bloom filter over the xxHash of plain-encoded values.
package struct BloomFilter: Sendable {
  /// The largest filter that is taken, header included.
  static let bytesMax = 128 << 20

  private let bits: Bytes
  private let blocks: Int

  /// Parses header and bitset, fetched from `ColumnChunk.bloomFilterRange` (when the footer has no length, the range
  /// reaches as far as the filter may).
  package init(_ bytes: Bytes) throws(ParquetError) {
    var reader = ThriftReader(bytes)
    var length = 0
    var kinds: [Int16: Int16] = [:]
    try reader.structure { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: length = try reader.count(kind, max: Self.bytesMax)
      case 2, 3, 4:
        try reader.structure(kind) { reader, inner, kind throws(ParquetError) in
          kinds[id] = inner
          try reader.skip(kind)
        }
      default: try reader.skip(kind)
      }
    }
    guard kinds[2] == 1, kinds[3] == 1, kinds[4] == 1 else { throw .unsupported("Bloom filter of another kind") }
    guard length > 0, length % 32 == 0 else { throw .malformed("Bloom filter of \(length) bytes") }
    guard length <= bytes.count - reader.position else {
      throw .truncated("Bloom filter", needed: length, found: bytes.count - reader.position)
    }
    bits = bytes[reader.position..<reader.position + length]
    blocks = length / 32
  }

  /// False: no value with this hash is in the column chunk.
  package func mightContain(_ hash: UInt64) -> Bool {
    let block = Int(truncatingIfNeeded: (hash >> 32).multipliedFullWidth(by: UInt64(blocks) << 32).high)
    let key = UInt32(truncatingIfNeeded: hash)
    return bits.withUnsafeBytes { bits in
      for lane in 0..<8 {
        let word = UInt32(littleEndian: bits.loadUnaligned(fromByteOffset: block * 32 + lane * 4, as: UInt32.self))
        if word >> ((key &* BloomFilterBuilder.salt[lane]) >> 27) & 1 == 0 { return false }
      }
      return true
    }
  }

  package func mightContain(_ bytes: UnsafeRawBufferPointer) -> Bool { mightContain(BloomFilter.hash(bytes)) }

  /// The hash of a text, binary, fixed or uuid value.
  package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 { XXHash.xxh64(bytes) }

  /// The hash of a value as `leaf` stores it; nil when its stored form cannot be told (then nothing is pruned).
  package static func hash(_ value: ParquetValue, leaf: Leaf) -> UInt64? {
    let isConverted: Bool
    switch leaf.logicalType {
    case .time(_, let unit), .timestamp(_, let unit): isConverted = unit != .micros
    case .decimal, .float16, .other: isConverted = true
    default: isConverted = false
    }
    guard !isConverted else { return nil }
    switch (value, leaf.physicalType) {
    case (.int(let value), .int32): return withUnsafeBytes(of: value.littleEndian) { hash($0) }
    case (.int(let value), .int64): return withUnsafeBytes(of: Int64(value).littleEndian) { hash($0) }
    case (.long(let value), .int64): return withUnsafeBytes(of: value.littleEndian) { hash($0) }
    case (.long(let value), .int32):
      if leaf.type == .long { return UInt32(exactly: value).map { withUnsafeBytes(of: $0.littleEndian) { hash($0) } } }
      return Int32(exactly: value).map { withUnsafeBytes(of: $0.littleEndian) { hash($0) } }
    // The two zeros are equal and hash apart; so may NaNs.
    case (.float(let value), .float) where value != 0 && !value.isNaN:
      return withUnsafeBytes(of: value.bitPattern.littleEndian) { hash($0) }
    case (.double(let value), .double) where value != 0 && !value.isNaN:
      return withUnsafeBytes(of: value.bitPattern.littleEndian) { hash($0) }
    case (.bytes(let value), .byteArray), (.bytes(let value), .fixedLengthByteArray):
      return value.withUnsafeBytes { hash($0) }
    default: return nil
    }
  }
}
