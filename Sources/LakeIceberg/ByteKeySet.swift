import LakeModel

/// A set of byte runs in one piece of memory: each takes its bytes, 8 for where it ends, and at most 16 in the table.
struct ByteKeySet: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []
  /// Number of the run + 1, or 0 for a free slot; at most half of them are taken.
  private var slots: [UInt32] = Array(repeating: 0, count: 16)

  var count: Int { ends.count }
  var memoryBytes: Int { bytes.capacity + ends.capacity * 8 + slots.capacity * 4 }

  /// - Returns: false when the run was there.
  @discardableResult
  mutating func insert(_ run: [UInt8]) -> Bool {
    let slot = slot(of: run)
    guard slots[slot] == 0 else { return false }
    precondition(ends.count < Int(UInt32.max))
    bytes += run
    ends.append(bytes.count)
    slots[slot] = UInt32(ends.count)
    if ends.count * 2 > slots.count { grow() }
    return true
  }

  func contains(_ run: [UInt8]) -> Bool { slots[slot(of: run)] != 0 }

  /// Where the run stands, or would.
  private func slot(of run: [UInt8]) -> Int {
    run.withUnsafeBytes { run in
      bytes.withUnsafeBytes { bytes in
        var slot = Int(truncatingIfNeeded: ByteHash.hash(run)) & (slots.count - 1)
        while slots[slot] != 0 {
          let range = range(Int(slots[slot]) - 1)
          if range.count == run.count, ByteOrder.areEqual(UnsafeRawBufferPointer(rebasing: bytes[range]), run) { break }
          slot = (slot + 1) & (slots.count - 1)
        }
        return slot
      }
    }
  }

  private func range(_ number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }

  private mutating func grow() {
    var wider = [UInt32](repeating: 0, count: slots.count * 2)
    bytes.withUnsafeBytes { bytes in
      for number in ends.indices {
        let run = UnsafeRawBufferPointer(rebasing: bytes[range(number)])
        var slot = Int(truncatingIfNeeded: ByteHash.hash(run)) & (wider.count - 1)
        while wider[slot] != 0 { slot = (slot + 1) & (wider.count - 1) }
        wider[slot] = UInt32(number + 1)
      }
    }
    slots = wider
  }
}
