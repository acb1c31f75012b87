import LakeModel

/// Distinct byte strings in order of first sight: the dictionary of a column, found by hash.
struct ByteTable: ~Copyable {
  private(set) var offsets: BufferBuilder<UInt32>
  private(set) var data: BufferBuilder<UInt8>
  /// Index of an entry plus one, by hash; 0 is free.
  private var slots: BufferBuilder<UInt32>
  private var hashes: BufferBuilder<UInt64>
  private let seed: UInt64

  init(seed: UInt64, capacity: Int = 64) {
    self.seed = seed
    offsets = BufferBuilder(capacity: capacity + 1)
    offsets.append(0)
    data = BufferBuilder(capacity: capacity * 16)
    hashes = BufferBuilder(capacity: capacity)
    slots = BufferBuilder(capacity: capacity * 2)
    slots.append(repeating: 0, count: capacity * 2)
  }

  var count: Int { hashes.count }

  @inline(__always)
  func entry(_ index: UInt32) -> RawBytes {
    let start = offsets.base[Int(index)]
    return RawBytes(data.base + Int(start), Int(offsets.base[Int(index) &+ 1] &- start))
  }

  /// The index of `bytes`, added if need be.
  mutating func index(of bytes: RawBytes) -> UInt32 {
    let hash = hashBytes(bytes, seed: seed)
    let mask = slots.count &- 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while true {
      let found = slots.base[slot]
      if found == 0 { break }
      let index = found &- 1
      if hashes.base[Int(index)] == hash, entry(index).equals(bytes) { return index }
      slot = (slot &+ 1) & mask
    }
    return add(bytes, hash: hash, slot: slot)
  }

  private mutating func add(_ bytes: RawBytes, hash: UInt64, slot: Int) -> UInt32 {
    let index = UInt32(hashes.count)
    data.append(bytes)
    precondition(data.count <= Int(UInt32.max))  // bodies are bounded far below (see `DecodeLimits`)
    offsets.append(UInt32(data.count))
    hashes.append(hash)
    slots.base[slot] = index + 1
    if hashes.count * 2 > slots.count { grow() }
    return index
  }

  private mutating func grow() {
    let size = slots.count * 2
    slots = BufferBuilder(capacity: size)
    slots.append(repeating: 0, count: size)
    for index in 0..<hashes.count {
      var slot = Int(truncatingIfNeeded: hashes.base[index]) & (size - 1)
      while slots.base[slot] != 0 { slot = (slot + 1) & (size - 1) }
      slots.base[slot] = UInt32(index + 1)
    }
  }

  consuming func column() -> Column {
    let count = hashes.count
    return Column(.bytes(offsets: offsets.finish(), data: data.finish()), count: count)
  }
}
