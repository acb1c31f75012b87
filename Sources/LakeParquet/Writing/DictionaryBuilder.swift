import LakeModel

/// A dictionary made for writing: values in order of first use, each of them used, and each value's position among them.
struct BuiltDictionary {
  var entries: DenseValues
  var indices: Buffer<UInt32>
  /// False when entries may repeat.
  var isDistinct = true
}

/// Finds the distinct values of a chunk, giving up early when there are too many to pay.
enum DictionaryBuilder {
  /// After this many values a column that is mostly distinct gives up.
  static let sampleCount = 16_384

  /// - Parameters:
  ///   - unites: look for entries that repeat in a dictionary that the batch brought, even when it is small.
  ///   - arranges: lay large dictionaries of text out so that they compress well; see `DistinctRuns.arrangement`.
  /// - Returns: nil when the dictionary would pass `bytesMax`, or would not be smaller than the values.
  static func build(
    _ values: SelectedValues, bytesMax: Int, unites: Bool = true, arranges: Bool = true
  ) -> BuiltDictionary? {
    switch values {
    case .dense(let dense):
      guard dense.count > 0 else { return nil }
      switch dense {
      case .boolean: return nil
      case .int32(let values): return words(values, bytesMax: bytesMax) { UInt64(UInt32(bitPattern: $0)) }.map(wrap32)
      case .int64(let values): return words(values, bytesMax: bytesMax) { UInt64(bitPattern: $0) }.map(wrap64)
      case .float(let values):
        return words(values, bytesMax: bytesMax) { UInt64($0.bitPattern) }
          .map { BuiltDictionary(entries: .float($0), indices: $1) }
      case .double(let values):
        return words(values, bytesMax: bytesMax) { $0.bitPattern }
          .map { BuiltDictionary(entries: .double($0), indices: $1) }
      case .fixed(let data, let width):
        return DistinctRuns(count: dense.count, data: data, bytesMax: bytesMax) { ($0 * width, width) }
          .map { BuiltDictionary(entries: .fixed($0.text(order: nil).data, width: width), indices: $0.numbers) }
      case .bytes(let offsets, let data):
        let base = offsets.unsafeBase
        defer { withExtendedLifetime(offsets.storage) {} }
        return DistinctRuns(count: dense.count, data: data, bytesMax: bytesMax) {
          (Int(base[$0]), Int(base[$0 &+ 1] &- base[$0]))
        }
        .map { wrapText($0, arranges ? $0.arrangement(uses: $0.uses()) : nil) }
      }
    case .indexed(let indices, let entries):
      return remap(indices, entries, bytesMax: bytesMax, unites: unites, arranges: arranges)
    }
  }

  private static func wrapText(_ found: DistinctRuns, _ order: Buffer<UInt32>?) -> BuiltDictionary {
    let (offsets, data) = found.text(order: order)
    return BuiltDictionary(entries: .bytes(offsets: offsets, data: data), indices: found.numbers(order: order))
  }

  private static func wrap32(_ entries: Buffer<Int32>, _ indices: Buffer<UInt32>) -> BuiltDictionary {
    BuiltDictionary(entries: .int32(entries), indices: indices)
  }

  private static func wrap64(_ entries: Buffer<Int64>, _ indices: Buffer<UInt32>) -> BuiltDictionary {
    BuiltDictionary(entries: .int64(entries), indices: indices)
  }

  /// True when what was seen so far says that a dictionary will not pay.
  @inline(__always)
  static func isHopeless(seen: Int, distinct: Int) -> Bool { distinct > seen - seen / 4 }

  /// Fixed-width values by their bits.
  private static func words<T: BitwiseCopyable>(
    _ values: Buffer<T>, bytesMax: Int, bits: (T) -> UInt64
  ) -> (Buffer<T>, Buffer<UInt32>)? {
    let count = values.count
    let entriesMax = min(bytesMax / MemoryLayout<T>.stride, count - count / 3)
    var entries = BufferBuilder<T>(capacity: 256)
    var indices = BufferBuilder<UInt32>(capacity: count)
    let target = indices.reserve(count)
    var table = SlotTable(capacity: 1024)
    let source = values.unsafeBase
    var previousBits: UInt64 = 0
    var previousIndex: UInt32 = .max
    for position in 0..<count {
      let word = bits(source[position])
      if word == previousBits && previousIndex != .max {
        target[position] = previousIndex
        continue
      }
      let hash = mix(word)
      var slot = table.first(hash)
      var index = table.slots[slot]
      while index != SlotTable.free && bits(entries.base[Int(index)]) != word {
        slot = table.next(slot)
        index = table.slots[slot]
      }
      if index == SlotTable.free {
        index = UInt32(truncatingIfNeeded: entries.count)
        if entries.count >= entriesMax && count > 16 { return nil }
        if position == sampleCount && isHopeless(seen: position, distinct: entries.count) { return nil }
        entries.append(source[position])
        table.slots[slot] = index
        if entries.count * 2 > table.capacity {
          table.grow(count: entries.count) { mix(bits(entries.base[$0])) }
        }
      }
      target[position] = index
      previousBits = word
      previousIndex = index
    }
    indices.count = count
    withExtendedLifetime(values.storage) {}
    return (entries.finish(), indices.finish())
  }

  @inline(__always)
  static func mix(_ word: UInt64) -> UInt64 {
    let product = (word ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }

  /// A dictionary pays by far when it has at most one entry for so many values.
  private static let valuesPerEntryMin = 2
  /// Smaller dictionaries are united in any case: it costs next to nothing, and readers like codes that tell values apart.
  private static let repeatedEntriesMin = 1024

  /// A dictionary that the batch brought: only entries in use are kept, equal ones become one.
  private static func remap(
    _ indices: Buffer<UInt32>, _ entries: DenseValues, bytesMax: Int, unites: Bool, arranges: Bool
  ) -> BuiltDictionary? {
    guard indices.count > 0 else { return nil }
    let use = EntryUse(indices, entryCount: entries.count)
    let usedCount = use.entries.count
    func asItIs(isDistinct: Bool) -> BuiltDictionary? {
      guard let kept = try? Gather.materialize(use.entries, entries), kept.plainBytes(0..<usedCount) <= bytesMax
      else { return nil }
      return BuiltDictionary(entries: kept, indices: use.numbers, isDistinct: isDistinct)
    }
    if !unites, usedCount >= repeatedEntriesMin, usedCount * valuesPerEntryMin <= indices.count,
      let kept = asItIs(isDistinct: false)
    {
      return kept
    }
    // Entries may repeat in what the batch brought (dictionaries of several batches laid end to end); they may not in what
    // is written, and only distinct ones say whether a dictionary pays.
    let used = use.entries.unsafeBase
    defer { withExtendedLifetime(use.entries.storage) {} }
    switch entries {
    case .bytes(let offsets, let data):
      let base = offsets.unsafeBase
      defer { withExtendedLifetime(offsets.storage) {} }
      let distinct = DistinctRuns(count: usedCount, data: data, bytesMax: bytesMax, valueCount: indices.count) {
        let entry = Int(used[$0])
        return (Int(base[entry]), Int(base[entry &+ 1] &- base[entry]))
      }
      guard let distinct else { return nil }
      let order = arranges ? distinct.arrangement(uses: distinct.uses(of: use.counts)) : nil
      let (texts, bytes) = distinct.text(order: order)
      return BuiltDictionary(
        entries: .bytes(offsets: texts, data: bytes),
        indices: Gather.pick(distinct.numbers(order: order), .positions(use.numbers)))
    case .fixed(let data, let width):
      let distinct = DistinctRuns(count: usedCount, data: data, bytesMax: bytesMax, valueCount: indices.count) {
        (Int(used[$0]) * width, width)
      }
      guard let distinct else { return nil }
      return BuiltDictionary(
        entries: .fixed(distinct.text(order: nil).data, width: width),
        indices: Gather.pick(distinct.numbers, .positions(use.numbers)))
    default:
      if isHopeless(seen: indices.count, distinct: usedCount) && indices.count > 16 { return nil }
      return asItIs(isDistinct: true)
    }
  }

  /// Which entries of a dictionary are in use.
  private struct EntryUse {
    /// In order of first use.
    let entries: Buffer<UInt32>
    /// How often each of them is used.
    let counts: Buffer<UInt32>
    /// Of each value the position of its entry among those in use.
    let numbers: Buffer<UInt32>

    init(_ indices: Buffer<UInt32>, entryCount: Int) {
      let table = Buffer<UInt32>(repeating: .max, count: entryCount)
      let numberOf = UnsafeMutablePointer(mutating: table.unsafeBase)
      var used = BufferBuilder<UInt32>(capacity: min(entryCount, indices.count) + 1)
      var counts = BufferBuilder<UInt32>(capacity: min(entryCount, indices.count) + 1)
      numbers = Buffer<UInt32>(count: indices.count) { out in
        indices.withValues { indices in
          for position in 0..<indices.count {
            let entry = Int(indices[position])
            var number = numberOf[entry]
            if number == .max {
              number = UInt32(truncatingIfNeeded: used.count)
              numberOf[entry] = number
              used.append(UInt32(truncatingIfNeeded: entry))
              counts.append(0)
            }
            counts.base[Int(number)] &+= 1
            out[position] = number
          }
        }
      }
      withExtendedLifetime(table.storage) {}
      entries = used.finish()
      self.counts = counts.finish()
    }
  }
}

/// Open addressing over positions of entries. Capacities are powers of two.
struct SlotTable: ~Copyable {
  static let free = UInt32.max

  private var storage: RawStorage
  private(set) var slots: UnsafeMutablePointer<UInt32>
  private(set) var capacity: Int

  init(capacity: Int) {
    self.capacity = capacity
    storage = RawStorage(capacity: capacity * 4)
    slots = storage.base.bindMemory(to: UInt32.self, capacity: capacity)
    slots.update(repeating: SlotTable.free, count: capacity)
  }

  /// The smallest capacity that holds so many entries.
  static func capacity(for entries: Int) -> Int {
    1 << max(10, Int.bitWidth - (entries * 2).leadingZeroBitCount)
  }

  @inline(__always)
  func first(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (capacity &- 1) }

  @inline(__always)
  func next(_ slot: Int) -> Int { (slot &+ 1) & (capacity &- 1) }

  mutating func grow(count: Int, hash: (Int) -> UInt64) {
    let larger = SlotTable(capacity: capacity * 4)
    for entry in 0..<count {
      var slot = larger.first(hash(entry))
      while larger.slots[slot] != SlotTable.free { slot = larger.next(slot) }
      larger.slots[slot] = UInt32(truncatingIfNeeded: entry)
    }
    self = larger
  }
}
