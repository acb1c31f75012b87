import LakeHash
import LakeModel

/// Builds the split-block Bloom filter of a column chunk. Source: Apache Parquet, "Bloom Filter".
///
///     block    | 8 words of 32 bits |   a value sets one bit in each word of one block
///     filter   | thrift header | blocks, a power of two of them |
enum BloomFilterBuilder {
  static let salt: [UInt32] = [
    0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31,
  ]

  /// Header and bitset; nil for booleans, which have no filter.
  static func build(_ values: DenseValues, falsePositives: Double, bytesMax: Int) -> Bytes? {
    guard let hashes = hashes(values) else { return nil }
    let distinct = distinctEstimate(hashes)
    let blocks = blockCount(distinct: distinct, falsePositives: falsePositives, bytesMax: bytesMax)
    let storage = RawStorage(capacity: blocks * 32)
    let words = storage.base.bindMemory(to: UInt32.self, capacity: blocks * 8)
    words.update(repeating: 0, count: blocks * 8)
    salt.withUnsafeBufferPointer { salt in
      hashes.withValues { hashes in
        for hash in hashes {
          let block = Int(truncatingIfNeeded: (hash >> 32).multipliedFullWidth(by: UInt64(blocks) << 32).high)
          let key = UInt32(truncatingIfNeeded: hash)
          for lane in 0..<8 { words[block &* 8 &+ lane] |= 1 << ((key &* salt[lane]) >> 27) }
        }
      }
    }
    var header = ThriftWriter()
    header.structure { writer in
      writer.int32(1, blocks * 32)
      writer.structure(2) { $0.structure(1) { _ in } }
      writer.structure(3) { $0.structure(1) { _ in } }
      writer.structure(4) { $0.structure(1) { _ in } }
    }
    return header.bytes.withUnsafeBytes { head in
      let all = RawStorage(capacity: head.count + blocks * 32)
      all.base.copyMemory(from: head.baseAddress!, byteCount: head.count)
      (all.base + head.count).copyMemory(from: storage.base, byteCount: blocks * 32)
      return Bytes(storage: all, offset: 0, count: all.capacity)
    }
  }

  private static func hashes(_ values: DenseValues) -> Buffer<UInt64>? {
    var hashes = BufferBuilder<UInt64>(capacity: max(1, values.count))
    switch values {
    case .boolean: return nil
    case .int32(let values): hash(values, into: &hashes)
    case .int64(let values): hash(values, into: &hashes)
    case .float(let values): hash(values, into: &hashes)
    case .double(let values): hash(values, into: &hashes)
    case .fixed, .bytes:
      for index in 0..<values.count { hashes.append(XXHash.xxh64(values.run(index))) }
    }
    return hashes.finish()
  }

  private static func hash<T: BitwiseCopyable>(_ values: Buffer<T>, into hashes: inout BufferBuilder<UInt64>) {
    values.withValues { values in
      for value in values { hashes.append(withUnsafeBytes(of: value) { XXHash.xxh64($0) }) }
    }
  }

  /// Distinct hashes by linear counting: close enough to size a filter.
  private static func distinctEstimate(_ hashes: Buffer<UInt64>) -> Int {
    guard hashes.count > 64 else { return max(1, hashes.count) }
    let bits = 1 << (Int.bitWidth - (hashes.count * 4).leadingZeroBitCount)
    var seen = BufferBuilder<UInt64>(capacity: bits / 64)
    seen.append(repeating: 0, count: bits / 64)
    let words = seen.base
    hashes.withValues { hashes in
      for hash in hashes {
        let bit = Int(truncatingIfNeeded: hash >> 17) & (bits - 1)
        words[bit >> 6] |= 1 << UInt64(bit & 63)
      }
    }
    var set = 0
    for word in 0..<bits / 64 { set += words[word].nonzeroBitCount }
    // -m ln(1 - set / m) by its series: `set` is at most a quarter of `m`.
    let share = Double(set) / Double(bits)
    let logarithm = share + share * share / 2 + share * share * share / 3 + share * share * share * share / 4
    return min(hashes.count, Int(Double(bits) * logarithm) + 1)
  }

  private static func blockCount(distinct: Int, falsePositives: Double, bytesMax: Int) -> Int {
    // Eight hash functions of one bit each: bits per value = -8 / ln(1 - p^(1/8)).
    let root = falsePositives.squareRoot().squareRoot().squareRoot()
    let bits = Double(distinct) * 8 / -naturalLogarithm(1 - min(max(root, 0.01), 0.99))
    var blocks = 1
    // The power of two that is nearest, not the next one: up to a quarter too small still lets few more values pass (3 % instead of
    // 1 %), and on average saves a quarter of all filters.
    while Double(blocks) * 256 < bits * 3 / 4 && blocks * 64 <= bytesMax { blocks *= 2 }
    return blocks
  }

  /// ln(x) for x in (0, 1), without a C library: 2 artanh((x - 1) / (x + 1)).
  private static func naturalLogarithm(_ x: Double) -> Double {
    let ratio = (x - 1) / (x + 1)
    var term = ratio
    var sum = 0.0
    for index in stride(from: 1.0, through: 199, by: 2) {
      sum += term / index
      term *= ratio * ratio
    }
    return 2 * sum
  }
}
