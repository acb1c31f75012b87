import LakeModel
import Synchronization

/// Finds texts among the entries of a dictionary, and entries among the places that hold them.
///
/// Its tables are other forms of the page, made when they pay: the places at the first question, the table of texts at the second, since
/// making it costs as much as searching the entries a dozen times.
final class EntryPlaces: Sendable {
  private struct Made {
    var places: Places?
    /// Entry + 1 by the hash of its text, 0 is free; a power of two in size.
    var slots: Buffer<UInt32>?
    var isAsked = false
  }
  private struct Places {
    let first: Buffer<UInt32>
    /// The place behind the last one; 0 for entries that occur nowhere.
    let end: Buffer<UInt32>
    /// How often an entry occurs: 0, 1, 2, or 3 for more.
    let counts: Buffer<UInt8>
    /// In which of 64 parts of all places an entry occurs, a bit for each.
    let parts: Buffer<UInt64>

    /// All places of some parts.
    func ranges(_ parts: UInt64, count: Int) -> [Range<Int>] {
      let width = Places.partWidth(count: count)
      var ranges: [Range<Int>] = []
      for part in 0..<64 where parts >> UInt64(part) & 1 != 0 {
        let range = part * width..<min(count, (part + 1) * width)
        if ranges.last?.upperBound == range.lowerBound {
          ranges[ranges.count - 1] = ranges[ranges.count - 1].lowerBound..<range.upperBound
        } else {
          ranges.append(range)
        }
      }
      return ranges
    }

    /// Places in each part but perhaps the last.
    static func partWidth(count: Int) -> Int { max(1, (count + 63) / 64) }
  }

  private let values: BytesView
  private let codes: Buffer<UInt32>
  private let made = Mutex(Made())

  /// - Parameter values: of a column with a dictionary, whose codes are `codes`.
  init(_ codes: Buffer<UInt32>, _ values: BytesView) {
    self.codes = codes
    self.values = values
  }

  /// The entries that hold exactly these bytes.
  func entries(equalTo text: [UInt8]) -> [UInt32] {
    let slots = made.withLock { made -> Buffer<UInt32>? in
      if made.slots == nil && made.isAsked { made.slots = makeSlots() }
      made.isAsked = true
      return made.slots
    }
    guard let slots else { return values.entries(equalTo: text) }
    return entries(equalTo: text, slots)
  }

  private func entries(equalTo text: [UInt8], _ slots: Buffer<UInt32>) -> [UInt32] {
    var found: [UInt32] = []
    text.withUnsafeBytes { wanted in
      let mask = slots.count - 1
      let base = slots.unsafeBase
      var slot = Int(truncatingIfNeeded: ByteHash.hash(wanted)) & mask
      while base[slot] != 0 {
        let entry = base[slot] - 1
        if ByteOrder.areEqual(values.entry(Int(entry)), wanted) { found.append(entry) }
        slot = (slot + 1) & mask
      }
      withExtendedLifetime(slots) {}
    }
    return found
  }

  /// Whether no entry holds these bytes, as far as that is known without a search.
  func isKnownToLack(_ text: [UInt8]) -> Bool {
    guard let slots = made.withLock({ $0.slots }) else { return false }
    return entries(equalTo: text, slots).isEmpty
  }

  /// The places that hold one of some entries, each named once.
  func places(of entries: [UInt32]) -> RowSelection {
    if entries.isEmpty { return .none }
    let places = made.withLock { made -> Places in
      if let known = made.places { return known }
      let new = makePlaces()
      made.places = new
      return new
    }
    var few: [Int32] = []
    var parts: UInt64 = 0
    var isFew = true
    for entry in entries.map({ Int($0) }) where places.counts[entry] > 0 {
      let (first, last) = (Int(places.first[entry]), Int(places.end[entry]) - 1)
      few.append(Int32(truncatingIfNeeded: first))
      if places.counts[entry] == 2 { few.append(Int32(truncatingIfNeeded: last)) }
      if places.counts[entry] > 2 { isFew = false }
      parts |= places.parts[entry]
    }
    if few.isEmpty { return .none }
    if isFew { return .list(few.sorted()) }
    return RowSelection.ranges(places.ranges(parts, count: codes.count)).holding(anyOf: entries, in: codes)
  }

  private func makePlaces() -> Places {
    let entryCount = values.entryCount
    let ends = BufferBuilder<UInt32>.zeros(entryCount)
    let counts = BufferBuilder<UInt8>.zeros(entryCount)
    let parts = BufferBuilder<UInt64>.zeros(entryCount)
    let width = Places.partWidth(count: codes.count)
    let first = Buffer<UInt32>(count: entryCount) { first in
      first.update(repeating: 0, count: entryCount)
      codes.withValues { codes in
        var part: UInt64 = 1
        var partEnd = width
        for place in 0..<codes.count {
          if place == partEnd {
            part <<= 1
            partEnd += width
          }
          let entry = Int(codes[place])
          if ends.base[entry] == 0 { first[entry] = UInt32(truncatingIfNeeded: place) }
          ends.base[entry] = UInt32(truncatingIfNeeded: place &+ 1)
          counts.base[entry] = min(3, counts.base[entry] &+ 1)
          parts.base[entry] |= part
        }
      }
    }
    return Places(first: first, end: ends.finish(), counts: counts.finish(), parts: parts.finish())
  }

  private func makeSlots() -> Buffer<UInt32> {
    var size = 64
    while size < values.entryCount * 2 { size *= 2 }
    return Buffer<UInt32>(count: size) { slots in
      slots.update(repeating: 0, count: size)
      for entry in 0..<values.entryCount {
        var slot = Int(truncatingIfNeeded: ByteHash.hash(values.entry(entry))) & (size - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (size - 1) }
        slots[slot] = UInt32(truncatingIfNeeded: entry + 1)
      }
    }
  }

  /// What the tables may take.
  var memoryBytes: Int { values.entryCount * 33 + 256 }
}

extension BufferBuilder where Element: FixedWidthInteger {
  fileprivate static func zeros(_ count: Int) -> BufferBuilder {
    var builder = BufferBuilder(capacity: count)
    builder.append(repeating: 0, count: count)
    return builder
  }
}
