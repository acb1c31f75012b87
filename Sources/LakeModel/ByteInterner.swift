/// Numbers distinct byte runs in the order they are first seen.
///
/// An open-addressed table over pointers into the caller's memory, which must outlive the table. Numbers depend only on
/// the order of calls; the hash is keyed by a per-process secret, so a client cannot choose values that collide.
struct ByteInterner: ~Copyable {
  /// Bytes of each distinct run, by number.
  private(set) var entries: BufferBuilder<UnsafeRawBufferPointer>
  private var hashes: BufferBuilder<UInt64>
  /// Entry number + 1, or 0 for a free slot. Its size is a power of two, at least twice the entries.
  private var slots: [UInt32]
  private var mask: Int
  private let secret: UInt64

  init(capacity: Int) {
    var size = 16
    while size < capacity * 2 { size *= 2 }
    entries = BufferBuilder(capacity: capacity)
    hashes = BufferBuilder(capacity: capacity)
    slots = [UInt32](repeating: 0, count: size)
    mask = size - 1
    secret = ByteHash.secret
  }

  var count: Int { entries.count }

  /// The number of `bytes`, given at first sight.
  mutating func number(of bytes: UnsafeRawBufferPointer) -> UInt32 {
    let hash = ByteHash.hash(bytes, secret: secret)
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let entry = Int(slots[slot]) - 1
      if hashes[entry] == hash, ByteOrder.areEqual(entries[entry], bytes) { return UInt32(entry) }
      slot = (slot + 1) & mask
    }
    let entry = entries.count
    precondition(entry < Int(UInt32.max) - 1)
    entries.append(bytes)
    hashes.append(hash)
    slots[slot] = UInt32(entry + 1)
    if entries.count * 2 > slots.count { grow() }
    return UInt32(entry)
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 2)
    mask = slots.count - 1
    for entry in 0..<entries.count {
      var slot = Int(truncatingIfNeeded: hashes[entry]) & mask
      while slots[slot] != 0 { slot = (slot + 1) & mask }
      slots[slot] = UInt32(entry + 1)
    }
  }
}

/// A fast keyed hash for tables in memory; never stored.
package enum ByteHash {
  /// Differs from process to process.
  package static let secret: UInt64 = {
    var hasher = Hasher()
    hasher.combine(0)
    return UInt64(bitPattern: Int64(hasher.finalize())) | 1
  }()

  /// Multiply and fold over 8-byte words.
  @inline(__always)
  package static func hash(_ bytes: UnsafeRawBufferPointer, secret: UInt64 = ByteHash.secret) -> UInt64 {
    var state = secret ^ (UInt64(truncatingIfNeeded: bytes.count) &* 0x9E37_79B9_7F4A_7C15)
    guard let base = bytes.baseAddress else { return fold(state, secret) }
    var at = 0
    let count = bytes.count
    while at &+ 8 <= count {
      state = fold(state ^ base.loadUnaligned(fromByteOffset: at, as: UInt64.self), 0xA076_1D64_78BD_642F ^ secret)
      at &+= 8
    }
    var tail: UInt64 = 0
    while at < count {
      tail = tail << 8 | UInt64(base.load(fromByteOffset: at, as: UInt8.self))
      at &+= 1
    }
    return fold(state ^ tail, 0xE703_7ED1_A0B4_28DB ^ secret)
  }

  @inline(__always)
  private static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }
}

/// Unsigned lexicographic order of byte runs.
package enum ByteOrder {
  @inlinable
  package static func areEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    a.count == b.count && compare(a, b) == 0
  }

  /// Negative, zero or positive as `a` comes before, equals or comes after `b`.
  @inlinable
  package static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let common = min(a.count, b.count)
    guard let left = a.baseAddress, let right = b.baseAddress else { return a.count &- b.count }
    var at = 0
    while at &+ 8 <= common {
      let x = left.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      let y = right.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      if x != y { return x.bigEndian < y.bigEndian ? -1 : 1 }
      at &+= 8
    }
    while at < common {
      let x = left.load(fromByteOffset: at, as: UInt8.self)
      let y = right.load(fromByteOffset: at, as: UInt8.self)
      if x != y { return Int(x) &- Int(y) }
      at &+= 1
    }
    return a.count &- b.count
  }

  /// The first eight bytes as a number that orders as they do; shorter runs are filled with zeros.
  @inlinable
  package static func prefix(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    guard let base = bytes.baseAddress else { return 0 }
    if bytes.count >= 8 { return base.loadUnaligned(as: UInt64.self).bigEndian }
    var word: UInt64 = 0
    for at in 0..<bytes.count {
      word |= UInt64(base.load(fromByteOffset: at, as: UInt8.self)) << UInt64(56 &- 8 &* at)
    }
    return word
  }
}
