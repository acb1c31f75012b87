import LakeModel

/// Numbers label sets in the order they are first seen.
///
/// Sets are compared by their packed bytes, which the table copies.
struct SeriesTable: Sendable {
  private(set) var sets: [LabelSet] = []
  private var hashes: [UInt64] = []
  /// Number + 1, 0 is free; a power of two in size.
  private var slots = [UInt32](repeating: 0, count: 64)
  /// Bytes held, about.
  private(set) var memoryBytes = 0

  var count: Int { sets.count }

  /// The number of a set that is packed in `bytes` and has `labelCount` labels.
  mutating func number(of bytes: UnsafeRawBufferPointer, labelCount: Int) -> Int {
    let hash = ByteHash.hash(bytes)
    if let known = find(bytes, hash) { return known }
    return insert(LabelSet(packed: Bytes(copying: bytes), count: labelCount), hash)
  }

  mutating func number(of set: LabelSet) -> Int {
    set.packed.withUnsafeBytes { bytes in
      let hash = ByteHash.hash(bytes)
      if let known = find(bytes, hash) { return known }
      return insert(set, hash)
    }
  }

  /// The number of a set that was seen before.
  func known(_ bytes: UnsafeRawBufferPointer) -> Int? { find(bytes, ByteHash.hash(bytes)) }

  private func find(_ bytes: UnsafeRawBufferPointer, _ hash: UInt64) -> Int? {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 {
      let number = Int(slots[slot]) - 1
      if hashes[number] == hash, sets[number].packed.withUnsafeBytes({ ByteOrder.areEqual($0, bytes) }) {
        return number
      }
      slot = (slot + 1) & mask
    }
    return nil
  }

  private mutating func insert(_ set: LabelSet, _ hash: UInt64) -> Int {
    let number = sets.count
    sets.append(set)
    hashes.append(hash)
    memoryBytes += set.packed.count + 160
    if sets.count * 2 > slots.count {
      slots = [UInt32](repeating: 0, count: slots.count * 2)
      for index in sets.indices { place(index) }
    } else {
      place(number)
    }
    return number
  }

  private mutating func place(_ number: Int) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hashes[number]) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = UInt32(number + 1)
  }
}
