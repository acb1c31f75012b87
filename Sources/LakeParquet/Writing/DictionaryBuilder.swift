import LakeHash
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

  /// - Parameter unites: look for entries that repeat in a dictionary that the batch brought, even when it is small.
  /// - Returns: nil when the dictionary would pass `bytesMax`, or would not be smaller than the values.
  static func build(_ values: SelectedValues, bytesMax: Int, unites: Bool = true) -> BuiltDictionary? {
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
        return runs(count: dense.count, data: data, bytesMax: bytesMax, width: width) { ($0 * width, width) }
      case .bytes(let offsets, let data):
        let base = offsets.unsafeBase
        defer { withExtendedLifetime(offsets.storage) {} }
        return runs(count: dense.count, data: data, bytesMax: bytesMax, width: nil) {
          (Int(base[$0]), Int(base[$0 + 1] &- base[$0]))
        }
      }
    case .indexed(let indices, let entries): return remap(indices, entries, bytesMax: bytesMax, unites: unites)
    }
  }

  private static func wrap32(_ entries: Buffer<Int32>, _ indices: Buffer<UInt32>) -> BuiltDictionary {
    BuiltDictionary(entries: .int32(entries), indices: indices)
  }

  private static func wrap64(_ entries: Buffer<Int64>, _ indices: Buffer<UInt32>) -> BuiltDictionary {
    BuiltDictionary(entries: .int64(entries), indices: indices)
  }

  /// True when what was seen so far says that a dictionary will not pay.
  @inline(__always)
  private static func isHopeless(seen: Int, distinct: Int) -> Bool { distinct > seen - seen / 4 }

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
  private static func mix(_ word: UInt64) -> UInt64 {
    let product = (word ^ 0x9E37_79B9_7F4A_7C15).multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return product.high ^ product.low
  }

  /// Runs of bytes.
  ///
  /// - Parameter givesUp: return nil when most runs are distinct.
  private static func runs(
    count: Int, data: Buffer<UInt8>, bytesMax: Int, width: Int?, givesUp: Bool = true,
    place: (Int) -> (start: Int, length: Int)
  ) -> BuiltDictionary? {
    var indices = BufferBuilder<UInt32>(capacity: count)
    let target = indices.reserve(count)
    // Where each entry lies in `data`: entries are copied once, at the end. With the hash beside it, so that a look costs one
    // line of cache.
    var entries = BufferBuilder<Run>(capacity: 256)
    var table = SlotTable(capacity: 1024)
    var bytes = 0
    let base = UnsafeRawPointer(data.unsafeBase)
    var previous = (start: 0, length: -1, index: UInt32(0))
    for position in 0..<count {
      let (start, length) = place(position)
      if length == previous.length && isEqual(base + start, base + previous.start, length) {
        target[position] = previous.index
        continue
      }
      let hash = XXHash.xxh3(UnsafeRawBufferPointer(start: base + start, count: length))
      var slot = table.first(hash)
      var index = table.slots[slot]
      while index != SlotTable.free {
        let entry = entries.base[Int(index)]
        if entry.hash == hash && Int(entry.length) == length
          && isEqual(base + start, base + Int(entry.start), length)
        {
          break
        }
        slot = table.next(slot)
        index = table.slots[slot]
      }
      if index == SlotTable.free {
        bytes += length + 4
        if bytes > bytesMax { return nil }
        if givesUp && position >= sampleCount && position & 4095 == 0
          && isHopeless(seen: position, distinct: entries.count)
        {
          return nil
        }
        index = UInt32(truncatingIfNeeded: entries.count)
        entries.append(
          Run(hash: hash, start: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: length)))
        table.slots[slot] = index
        if entries.count * 2 > table.capacity { table.grow(count: entries.count) { entries.base[$0].hash } }
      }
      target[position] = index
      previous = (start, length, index)
    }
    indices.count = count
    if givesUp && isHopeless(seen: count, distinct: entries.count) && count > 16 { return nil }
    let entryCount = entries.count
    return BuiltDictionary(
      entries: copyEntries(entries.finish(), bytes: bytes - 4 * entryCount, data: data, width: width),
      indices: indices.finish())
  }

  /// Where an entry lies.
  private struct Run: BitwiseCopyable {
    let hash: UInt64
    let start: UInt32
    let length: UInt32
  }

  @inline(__always)
  private static func isEqual(_ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ length: Int) -> Bool {
    if length >= 8 {
      var at = 0
      while at + 8 <= length {
        if a.loadUnaligned(fromByteOffset: at, as: UInt64.self) != b.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        {
          return false
        }
        at += 8
      }
      return a.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
        == b.loadUnaligned(fromByteOffset: length - 8, as: UInt64.self)
    }
    for at in 0..<length where a.load(fromByteOffset: at, as: UInt8.self) != b.load(fromByteOffset: at, as: UInt8.self)
    {
      return false
    }
    return true
  }

  /// - Parameter bytes: of all entries.
  private static func copyEntries(
    _ entries: Buffer<Run>, bytes: Int, data: Buffer<UInt8>, width: Int?
  ) -> DenseValues {
    let offsets = Buffer<UInt32>(count: entries.count + 1) { out in
      var end: UInt32 = 0
      out[0] = 0
      entries.withValues { entries in
        for at in 0..<entries.count {
          end &+= entries[at].length
          out[at &+ 1] = end
        }
      }
    }
    let copied = Buffer<UInt8>(count: bytes) { out in
      let (from, to) = (UnsafeRawPointer(data.unsafeBase), UnsafeMutableRawPointer(out))
      entries.withValues { entries in
        for at in 0..<entries.count {
          let start = Int(entries[at].start)
          ByteArrays.copyShort(
            from: from + start, to: to + Int(offsets.unsafeBase[at]), count: Int(entries[at].length),
            isWideSafe: start + 16 <= data.count)
        }
      }
      withExtendedLifetime((offsets.storage, data.storage)) {}
    }
    if let width { return .fixed(copied, width: width) }
    return .bytes(offsets: offsets, data: copied)
  }

  /// A dictionary pays by far when it has at most one entry for so many values.
  private static let valuesPerEntryMin = 2
  /// Smaller dictionaries are united in any case: it costs next to nothing, and readers like codes that tell values apart.
  private static let repeatedEntriesMin = 1024

  /// A dictionary that the batch brought: only entries in use are kept, equal ones become one.
  private static func remap(
    _ indices: Buffer<UInt32>, _ entries: DenseValues, bytesMax: Int, unites: Bool
  ) -> BuiltDictionary? {
    guard indices.count > 0 else { return nil }
    var newIndex = BufferBuilder<UInt32>(capacity: max(1, entries.count))
    newIndex.append(repeating: .max, count: entries.count)
    var used = BufferBuilder<UInt32>(capacity: 256)
    var remapped = BufferBuilder<UInt32>(capacity: indices.count)
    let target = remapped.reserve(indices.count)
    let table = newIndex.base
    indices.withValues { indices in
      for position in 0..<indices.count {
        let old = Int(indices[position])
        var new = table[old]
        if new == .max {
          new = UInt32(truncatingIfNeeded: used.count)
          table[old] = new
          used.append(UInt32(truncatingIfNeeded: old))
        }
        target[position] = new
      }
    }
    remapped.count = indices.count
    let usedCount = used.count
    guard let kept = try? Gather.materialize(used.finish(), entries) else { return nil }
    if !unites, usedCount >= repeatedEntriesMin, usedCount * valuesPerEntryMin <= indices.count,
      kept.plainBytes(0..<usedCount) <= bytesMax
    {
      return BuiltDictionary(entries: kept, indices: remapped.finish(), isDistinct: false)
    }
    // Entries may repeat in what the batch brought (dictionaries of several batches laid end to end); they may not in what
    // is written, and only distinct ones say whether a dictionary pays.
    let distinct = unique(kept).flatMap { $0.entries.count < usedCount ? $0 : nil }
    let entries = distinct?.entries ?? kept
    if entries.plainBytes(0..<entries.count) > bytesMax { return nil }
    if isHopeless(seen: indices.count, distinct: entries.count) && indices.count > 16 { return nil }
    guard let distinct else { return BuiltDictionary(entries: kept, indices: remapped.finish()) }
    return BuiltDictionary(
      entries: distinct.entries, indices: Gather.pick(distinct.indices, .positions(remapped.finish())))
  }

  private static func unique(_ entries: DenseValues) -> BuiltDictionary? {
    switch entries {
    case .bytes(let offsets, let data):
      return runs(count: entries.count, data: data, bytesMax: .max, width: nil, givesUp: false) {
        (Int(offsets.unsafeBase[$0]), Int(offsets.unsafeBase[$0 + 1] &- offsets.unsafeBase[$0]))
      }
    case .fixed(let data, let width):
      return runs(count: entries.count, data: data, bytesMax: .max, width: width, givesUp: false) {
        ($0 * width, width)
      }
    default: return nil
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
