import LakeModel

/// One leaf of a row group, decoded but not yet put into rows: levels, and the present values one after another.
struct LeafData: Sendable {
  var entryCount: Int
  /// Nil when nothing is absent.
  var definition: Buffer<UInt8>?
  var repetition: Buffer<UInt8>?
  /// As pages hold them: not converted.
  var values: Column.Values
  var presentCount: Int
}

extension LeafData {
  /// Keeps the rows in `wanted` of an entry sequence that holds the rows in `covered`; both ascend and count from the
  /// start of the row group, and `covered` holds `wanted`.
  func select(_ wanted: [Range<Int>], covered: [Range<Int>], maxDefinition: Int) throws(ParquetError) -> LeafData {
    if wanted == covered { return self }
    var entries: [Range<Int>] = []
    var present: [Range<Int>] = []
    var walk = RowWalk(self, maxDefinition: UInt8(maxDefinition))
    var done = 0
    var next = wanted.startIndex
    for run in covered {
      while next < wanted.endIndex, wanted[next].lowerBound < run.upperBound {
        let keep = wanted[next]
        guard keep.lowerBound >= run.lowerBound, keep.upperBound <= run.upperBound else {
          throw .malformed("rows of a page index that do not join")
        }
        try walk.advance(toRow: done + keep.lowerBound - run.lowerBound)
        let start = (walk.entry, walk.value)
        try walk.advance(toRow: done + keep.upperBound - run.lowerBound)
        entries.append(start.0..<walk.entry)
        present.append(start.1..<walk.value)
        next += 1
      }
      done += run.count
    }
    guard next == wanted.endIndex else { throw .malformed("rows beyond those of the pages") }
    return LeafData(
      entryCount: entries.reduce(0) { $0 + $1.count }, definition: definition.map { Runs.join($0, entries) },
      repetition: repetition.map { Runs.join($0, entries) }, values: Runs.join(values, present),
      presentCount: present.reduce(0) { $0 + $1.count })
  }
}

/// Walks entries row by row.
private struct RowWalk {
  private let data: LeafData
  private let maxDefinition: UInt8
  private var row = 0
  var entry = 0
  var value = 0

  init(_ data: LeafData, maxDefinition: UInt8) {
    self.data = data
    self.maxDefinition = maxDefinition
  }

  mutating func advance(toRow target: Int) throws(ParquetError) {
    let start = entry
    if let repetition = data.repetition {
      let levels = repetition.unsafeBase
      // `row` counts the rows that have begun before `entry`.
      while entry < data.entryCount {
        if levels[entry] == 0 {
          if row == target { break }
          row += 1
        }
        entry += 1
      }
    } else {
      entry = min(target, data.entryCount)
      row = entry
    }
    guard row == target else { throw .malformed("fewer rows in pages than promised") }
    if let definition = data.definition {
      value += Levels.count(definition.unsafeBase + start, entry - start, atLeast: maxDefinition)
    } else {
      value += entry - start
    }
    withExtendedLifetime(data) {}
  }
}

/// Joins parts of buffers. One part is shared, several are copied.
enum Runs {
  static func join<T: BitwiseCopyable>(_ values: Buffer<T>, _ runs: [Range<Int>]) -> Buffer<T> {
    if runs.count == 1 { return values.slice(runs[0]) }
    var joined = BufferBuilder<T>(capacity: max(1, runs.reduce(0) { $0 + $1.count }))
    for run in runs { joined.append(contentsOf: values.unsafeBase + run.lowerBound, count: run.count) }
    withExtendedLifetime(values.storage) {}
    return joined.finish()
  }

  static func join(_ values: Column.Values, _ runs: [Range<Int>]) -> Column.Values {
    switch values {
    case .boolean(let values): return .boolean(join(values, runs))
    case .int32(let values): return .int32(join(values, runs))
    case .int64(let values): return .int64(join(values, runs))
    case .float(let values): return .float(join(values, runs))
    case .double(let values): return .double(join(values, runs))
    case .fixed(let data, let width):
      return .fixed(join(data, runs.map { $0.lowerBound * width..<$0.upperBound * width }), width: width)
    case .dictionary(let indices, let dictionary):
      return .dictionary(indices: join(indices, runs), dictionary: dictionary)
    case .bytes(let offsets, let data):
      if runs.count == 1 {
        return .bytes(offsets: offsets.slice(runs[0].lowerBound..<runs[0].upperBound + 1), data: data)
      }
      var joined = BufferBuilder<UInt32>(capacity: 16)
      var bytes = BufferBuilder<UInt8>(capacity: 64)
      joined.append(0)
      for run in runs where !run.isEmpty {
        let (from, to) = (offsets[run.lowerBound], offsets[run.upperBound])
        let shift = UInt32(truncatingIfNeeded: bytes.count)
        for index in run { joined.append(offsets[index + 1] - from + shift) }
        bytes.append(contentsOf: data.unsafeBase + Int(from), count: Int(to - from))
      }
      withExtendedLifetime(data.storage) {}
      return .bytes(offsets: joined.finish(), data: bytes.finish())
    case .list, .structure, .map: preconditionFailure("a leaf has no children")
    }
  }
}

enum Levels {
  /// Words whose bytes are added up before a byte could overflow.
  private static let wordsMax = 255

  /// How many of `count` levels reach `level`, eight at a time.
  static func count(_ levels: UnsafePointer<UInt8>, _ count: Int, atLeast level: UInt8) -> Int {
    var total = 0
    var at = 0
    if level <= 0x80 {
      let ones: UInt64 = 0x0101_0101_0101_0101
      // Brings the highest bit of a byte up where its lower ones reach the level.
      let rest = ones &* UInt64(0x80 &- level)
      let lower = ones &* 0x7F
      let bytes = UnsafeRawPointer(levels)
      while at &+ 8 <= count {
        let end = at &+ 8 &* min(wordsMax, (count &- at) / 8)
        var sums: UInt64 = 0
        while at < end {
          let word = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
          sums &+= (((word & lower) &+ rest | word) &>> 7) & ones
          at &+= 8
        }
        let pairs = (sums & 0x00FF_00FF_00FF_00FF) &+ (sums &>> 8 & 0x00FF_00FF_00FF_00FF)
        total &+= Int(truncatingIfNeeded: (pairs &* 0x0001_0001_0001_0001) &>> 48)
      }
    }
    while at < count {
      total &+= levels[at] >= level ? 1 : 0
      at &+= 1
    }
    return total
  }
}
