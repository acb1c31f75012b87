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
    let (length, header) = try Self.header(bytes)
    guard length <= bytes.count - header else {
      throw .truncated("Bloom filter", needed: length, found: bytes.count - header)
    }
    bits = bytes[header..<header + length]
    blocks = length / 32
  }

  /// Bytes of the bitset and of the header before it.
  fileprivate static func header(_ bytes: Bytes) throws(ParquetError) -> (bitset: Int, header: Int) {
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
    return (length, reader.position)
  }

  fileprivate static func block(of hash: UInt64, blocks: Int) -> Int {
    Int(truncatingIfNeeded: (hash >> 32).multipliedFullWidth(by: UInt64(blocks) << 32).high)
  }

  /// - Parameter bits: the 32 bytes of the hash's block.
  fileprivate static func mightContain(_ hash: UInt64, block bits: UnsafeRawPointer) -> Bool {
    let key = UInt32(truncatingIfNeeded: hash)
    for lane in 0..<8 {
      let word = UInt32(littleEndian: bits.loadUnaligned(fromByteOffset: lane * 4, as: UInt32.self))
      if word >> ((key &* BloomFilterBuilder.salt[lane]) >> 27) & 1 == 0 { return false }
    }
    return true
  }

  /// False: no value with this hash is in the column chunk.
  package func mightContain(_ hash: UInt64) -> Bool {
    bits.withUnsafeBytes {
      Self.mightContain(hash, block: $0.baseAddress! + Self.block(of: hash, blocks: blocks) * 32)
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

/// One look into the Bloom filter of a column chunk: its header and the one block of 32 bytes that tells, where the whole
/// filter may have a megabyte.
package struct BloomProbe: Sendable {
  /// What to fetch, ascending: one range, or header and block apart.
  package let ranges: [Range<Int>]
  private let filter: Range<Int>
  private let hash: UInt64

  private var headerBytes: Int { filter.count % 32 }
  /// Nil when the filter is not of whole blocks behind a header of less than one, which all writers make.
  fileprivate init?(_ filter: Range<Int>, hash: UInt64, gapMax: Int) {
    guard filter.count >= 32, filter.count % 32 > 0 else { return nil }
    (self.filter, self.hash) = (filter, hash)
    let header = filter.lowerBound..<filter.lowerBound + filter.count % 32
    let start = header.upperBound + BloomFilter.block(of: hash, blocks: filter.count / 32) * 32
    ranges =
      start - header.upperBound <= gapMax ? [header.lowerBound..<start + 32] : [header, start..<start + 32]
  }

  /// False: the value is not in the column chunk.
  /// - Throws: when the bytes are no Bloom filter of that length: then nothing is known.
  package func mightContain(fetched: [Bytes]) throws(ParquetError) -> Bool {
    guard fetched.map(\.count) == ranges.map(\.count), let first = fetched.first, let last = fetched.last else {
      throw .bytesMissing(filter)
    }
    let (bitset, header) = try BloomFilter.header(first)
    guard header == headerBytes, bitset == filter.count - headerBytes else {
      throw .malformed("Bloom filter of \(bitset) bytes where \(filter.count - headerBytes) are")
    }
    return last[last.count - 32..<last.count].withUnsafeBytes {
      BloomFilter.mightContain(hash, block: $0.baseAddress!)
    }
  }
}

extension ParquetFile {
  /// How to ask whether a column chunk holds a value; nil when it has no Bloom filter of known length, or the value's
  /// stored form cannot be told: then nothing is excluded.
  ///
  /// - Parameter gapMax: bytes between header and block that are fetched rather than asked for apart.
  package func bloomProbe(
    rowGroup: Int, leaf: Int, value: ParquetValue, gapMax: Int = 64 << 10
  ) -> BloomProbe? {
    let chunk = rowGroups[rowGroup].chunks[leaf]
    guard chunk.hasBloomFilterLength, let range = chunk.bloomFilterRange,
      let hash = BloomFilter.hash(value, leaf: leaves[leaf])
    else { return nil }
    return BloomProbe(range, hash: hash, gapMax: gapMax)
  }
}
