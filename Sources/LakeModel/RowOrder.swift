/// Sorting rows by keys.
package enum RowOrder {
  /// The rows `0..<count` in ascending order of `keys` (most significant first); equal rows keep their order.
  ///
  /// Keys are packed into as few 64-bit words as they fit, and each word is sorted by a least-significant-digit radix sort.
  package static func sorted(count: Int, by keys: [OrderKey]) -> Buffer<Int32> {
    precondition(count <= Int(Int32.max) && keys.allSatisfy { $0.values.count == count })
    var order = Buffer<Int32>(rows: 0..<count)
    // Later words weigh more: a stable sort by each in turn.
    for word in packed(keys, count) { order = sorted(order, by: word) }
    return order
  }

  /// Words from the least significant on.
  private static func packed(_ keys: [OrderKey], _ count: Int) -> [OrderKey] {
    var words: [OrderKey] = []
    var group: [OrderKey] = []
    var bits = 0
    for key in keys.reversed() {
      if bits + key.bits > 64 {
        words.append(word(group, bits, count))
        group = []
        bits = 0
      }
      group.append(key)
      bits += key.bits
    }
    if bits > 0 { words.append(word(group, bits, count)) }
    return words
  }

  private static func word(_ group: [OrderKey], _ bits: Int, _ count: Int) -> OrderKey {
    if group.count == 1 { return group[0] }
    let values = Buffer<UInt64>(count: count) { out in
      out.update(repeating: 0, count: count)
      var shift: UInt64 = 0
      for key in group {
        key.values.withValues { values in
          for index in 0..<count { out[index] |= values[index] &<< shift }
        }
        shift += UInt64(key.bits)
      }
    }
    return OrderKey(values: values, bits: bits)
  }

  private static func sorted(_ order: Buffer<Int32>, by key: OrderKey) -> Buffer<Int32> {
    let count = order.count
    let keys = key.values.withValues { values in
      order.withValues { order in
        Buffer<UInt64>(count: count) { out in for index in 0..<count { out[index] = values[Int(order[index])] } }
      }
    }
    if isAscending(keys) { return order }
    return RadixSort.sorted(order, keys: keys, bits: key.bits)
  }

  private static func isAscending(_ keys: Buffer<UInt64>) -> Bool {
    keys.withValues { keys in
      for index in 1..<max(keys.count, 1) where keys[index] < keys[index &- 1] { return false }
      return true
    }
  }
}

package enum RadixSort {
  private static let digitBits = 11
  private static let digitCount = 1 << digitBits

  /// `rows[i]` has key `keys[i]`; the rows in ascending order of their keys, stable.
  package static func sorted(_ rows: Buffer<Int32>, keys: Buffer<UInt64>, bits: Int) -> Buffer<Int32> {
    let count = rows.count
    var from = (keys: keys, rows: rows)
    var shift = 0
    while shift < bits {
      let starts = starts(from.keys, shift)
      // A digit that all keys share moves nothing.
      if let starts { from = scattered(from, starts, shift, count) }
      shift += digitBits
    }
    return from.rows
  }

  /// Where the rows of each digit begin; nil when all keys have the same digit.
  private static func starts(_ keys: Buffer<UInt64>, _ shift: Int) -> [Int32]? {
    var counts = [Int32](repeating: 0, count: digitCount)
    let mask = UInt64(digitCount - 1)
    keys.withValues { keys in
      counts.withUnsafeMutableBufferPointer { counts in
        for key in keys { counts[Int(truncatingIfNeeded: key &>> UInt64(shift) & mask)] &+= 1 }
      }
    }
    if counts.contains(Int32(keys.count)) { return nil }
    var start: Int32 = 0
    for digit in 0..<digitCount {
      let size = counts[digit]
      counts[digit] = start
      start &+= size
    }
    return counts
  }

  private static func scattered(
    _ from: (keys: Buffer<UInt64>, rows: Buffer<Int32>), _ starts: [Int32], _ shift: Int, _ count: Int
  ) -> (keys: Buffer<UInt64>, rows: Buffer<Int32>) {
    let mask = UInt64(digitCount - 1)
    var next = starts
    let keys = RawStorage(capacity: count * 8)
    let rows = RawStorage(capacity: count * 4)
    let keysOut = keys.base.bindMemory(to: UInt64.self, capacity: count)
    let rowsOut = rows.base.bindMemory(to: Int32.self, capacity: count)
    from.keys.withValues { keysIn in
      from.rows.withValues { rowsIn in
        next.withUnsafeMutableBufferPointer { next in
          for index in 0..<count {
            let key = keysIn[index]
            let digit = Int(truncatingIfNeeded: key &>> UInt64(shift) & mask)
            let at = Int(next[digit])
            next[digit] &+= 1
            keysOut[at] = key
            rowsOut[at] = rowsIn[index]
          }
        }
      }
    }
    return (
      Buffer(storage: keys, offset: 0, count: count), Buffer(storage: rows, offset: 0, count: count)
    )
  }
}
