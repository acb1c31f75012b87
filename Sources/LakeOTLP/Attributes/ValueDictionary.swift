import LakeModel

/// The values of a map column: a dictionary whose entries may repeat.
///
/// Values that come again soon are found in a small table of recent ones and share an entry; the others are just added. So a value is
/// hashed at most once here, and whoever stores the column hashes entries, not rows.
struct ValueDictionary: ~Copyable {
  private(set) var offsets: BufferBuilder<UInt32>
  var data: BufferBuilder<UInt8>
  private var recent: BufferBuilder<Recent>
  private let seed: UInt64

  private struct Recent {
    /// Hash of a text, or the bits of a number.
    var bits: UInt64
    /// 0 free, else `AnyValueKind` plus one.
    var kind: UInt32
    var entry: UInt32
  }

  private static let recentBits: UInt64 = 11
  static let sharedBytesMax = 256

  /// - Parameter bytes: room to start with.
  init(seed: UInt64, bytes: Int) {
    self.seed = seed
    offsets = BufferBuilder(capacity: bytes / 16 + 64)
    offsets.append(0)
    data = BufferBuilder(capacity: bytes + 64)
    recent = BufferBuilder(capacity: 1 << Int(ValueDictionary.recentBits))
    recent.append(repeating: Recent(bits: 0, kind: 0, entry: 0), count: 1 << Int(ValueDictionary.recentBits))
  }

  var count: Int { offsets.count - 1 }

  @inline(__always)
  func entry(_ index: UInt32) -> RawBytes {
    let start = offsets.base[Int(index)]
    return RawBytes(data.base + Int(start), Int(offsets.base[Int(index) &+ 1] &- start))
  }

  @inline(__always)
  private func slot(_ bits: UInt64) -> Int {
    Int(truncatingIfNeeded: (bits &* 0x9E37_79B9_7F4A_7C15) &>> (64 &- ValueDictionary.recentBits))
  }

  /// A text seen lately, with the place where `remember` should note it if it was not.
  @inline(__always)
  func find(_ text: RawBytes) -> (entry: UInt32?, bits: UInt64) {
    let hash = hashBytes(text, seed: seed)
    let candidate = recent.base[slot(hash)]
    if candidate.bits == hash, candidate.kind == 2, entry(candidate.entry).equals(text) {
      return (candidate.entry, hash)
    }
    return (nil, hash)
  }

  /// A number seen lately.
  @inline(__always)
  func find(_ kind: AnyValueKind, bits: UInt64) -> UInt32? {
    let candidate = recent.base[slot(bits)]
    return candidate.bits == bits && candidate.kind == UInt32(kind.rawValue) &+ 1 ? candidate.entry : nil
  }

  @inline(__always)
  mutating func remember(_ kind: AnyValueKind, bits: UInt64, entry: UInt32) {
    recent.base[slot(bits)] = Recent(bits: bits, kind: UInt32(kind.rawValue) &+ 1, entry: entry)
  }

  /// Adds a text.
  @inline(__always)
  mutating func add(_ text: RawBytes) -> UInt32 {
    copyBytes(text.start, to: data.reserve(text.count), text.count)
    data.count &+= text.count
    return finishEntry()
  }

  /// Ends an entry whose bytes were written to `data`.
  @inline(__always)
  mutating func finishEntry() -> UInt32 {
    let index = UInt32(truncatingIfNeeded: offsets.count &- 1)
    precondition(data.count <= Int(UInt32.max))  // bodies are bounded far below (see `DecodeLimits`)
    offsets.append(UInt32(truncatingIfNeeded: data.count))
    return index
  }

  consuming func column() -> Column {
    let count = offsets.count - 1
    return Column(.bytes(offsets: offsets.finish(), data: data.finish()), count: count)
  }
}
