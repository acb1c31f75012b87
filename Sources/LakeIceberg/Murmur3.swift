/// 32-bit Murmur3, x86 variant, seed 0. Source: Iceberg table specification, Appendix B.
enum Murmur3 {
  static func hash(_ bytes: [UInt8]) -> Int32 {
    var hash: UInt32 = 0
    let whole = bytes.count & ~3
    var index = 0
    while index < whole {
      hash = mix(hash, scramble(word(bytes, index, 4)))
      index += 4
    }
    if index < bytes.count { hash ^= scramble(word(bytes, index, bytes.count - index)) }
    hash ^= UInt32(truncatingIfNeeded: bytes.count)
    hash = (hash ^ hash >> 16) &* 0x85EB_CA6B
    hash = (hash ^ hash >> 13) &* 0xC2B2_AE35
    return Int32(bitPattern: hash ^ hash >> 16)
  }

  private static func word(_ bytes: [UInt8], _ start: Int, _ count: Int) -> UInt32 {
    var value: UInt32 = 0
    for offset in 0..<count { value |= UInt32(bytes[start + offset]) << UInt32(offset * 8) }
    return value
  }

  private static func scramble(_ word: UInt32) -> UInt32 { rotate(word &* 0xCC9E_2D51, 15) &* 0x1B87_3593 }
  private static func mix(_ hash: UInt32, _ word: UInt32) -> UInt32 { rotate(hash ^ word, 13) &* 5 &+ 0xE654_6B64 }
  private static func rotate(_ value: UInt32, _ by: UInt32) -> UInt32 { value << by | value >> (32 - by) }
}

extension Datum {
  /// The hash that buckets are made from; nil for types that cannot be bucketed.
  var bucketHash: Int32? {
    switch self {
    case .int(let value): Murmur3.hash(Datum.littleEndian(UInt64(bitPattern: Int64(value))))
    case .long(let value): Murmur3.hash(Datum.littleEndian(UInt64(bitPattern: value)))
    case .decimal(let value): Murmur3.hash(Datum.bigEndianMinimal(value))
    case .string(let value): Murmur3.hash(Array(value.utf8))
    case .binary(let value): Murmur3.hash(value)
    case .boolean, .float, .double: nil
    }
  }
}
