import LakeModel
import LakeSchema

/// Counts and bounds of one leaf column of one file.
struct LeafMetrics {
  let id: Int
  let mode: MetricsModes.Mode
  private let type: FieldType
  private let keepsBounds: Bool
  private var valueCount: Int64 = 0
  private var nullCount: Int64 = 0
  private var nanCount: Int64 = 0
  private var range = Range.none

  private enum Range {
    case none
    case integers(Int64, Int64)
    case doubles(Double, Double)
    /// Only as many bytes as bounds can show, and one more.
    case bytes([UInt8], [UInt8])
  }

  init(id: Int, type: FieldType, mode: MetricsModes.Mode, keepsBounds: Bool) {
    self.id = id
    self.type = type
    self.mode = mode
    self.keepsBounds = keepsBounds && mode != .none && mode != .counts
  }

  /// Bytes of a value that decide a truncated bound: a character takes up to four.
  private var bytesKept: Int {
    if case .truncate(let width) = mode { width * 4 + 1 } else { .max }
  }

  // MARK: adding

  mutating func add(_ column: Column, rows: Swift.Range<Int>, absent: [UInt8]?) {
    guard mode != .none else { return }
    valueCount += Int64(rows.count)
    let isPresent = Presence(column.validity, absent: absent)
    nullCount += Int64(isPresent.absentCount(rows))
    switch column.values {
    case .boolean(let values): addIntegers(values, rows, isPresent)
    case .int32(let values): addIntegers(values, rows, isPresent)
    case .int64(let values): addIntegers(values, rows, isPresent)
    case .float(let values): addFloats(values, rows, isPresent)
    case .double(let values): addFloats(values, rows, isPresent)
    case .fixed where type.isDecimal, .bytes where type.isDecimal: break  // ordered by value, not by bytes: counts only
    case .fixed(let data, let width): addFixed(data, width, rows, isPresent)
    case .bytes(let offsets, let data): addBytes(offsets, data, rows, isPresent)
    case .dictionary(let indices, let dictionary): addDictionary(indices, dictionary, rows, isPresent)
    case .list, .structure, .map: preconditionFailure("a leaf is primitive")
    }
  }

  private mutating func addIntegers<Value: FixedWidthInteger & BitwiseCopyable>(
    _ values: Buffer<Value>, _ rows: Swift.Range<Int>, _ isPresent: Presence
  ) {
    guard keepsBounds else { return }
    var low = Value.max
    var high = Value.min
    var isAny = false
    values.withValues { values in
      for row in rows where isPresent[row] {
        low = min(low, values[row])
        high = max(high, values[row])
        isAny = true
      }
    }
    guard isAny else { return }
    if case .integers(let before, let after) = range {
      range = .integers(min(before, Int64(low)), max(after, Int64(high)))
    } else {
      range = .integers(Int64(low), Int64(high))
    }
  }

  private mutating func addFloats<Value: BinaryFloatingPoint & BitwiseCopyable>(
    _ values: Buffer<Value>, _ rows: Swift.Range<Int>, _ isPresent: Presence
  ) {
    var low = Double.infinity
    var high = -Double.infinity
    var isAny = false
    var nans: Int64 = 0
    values.withValues { values in
      for row in rows where isPresent[row] {
        let value = Double(values[row])
        if value.isNaN {
          nans += 1
          continue
        }
        low = min(low, value)
        high = max(high, value)
        isAny = true
      }
    }
    nanCount += nans
    guard isAny, keepsBounds else { return }
    if case .doubles(let before, let after) = range {
      range = .doubles(min(before, low), max(after, high))
    } else {
      range = .doubles(low, high)
    }
  }

  private mutating func addFixed(
    _ data: Buffer<UInt8>, _ width: Int, _ rows: Swift.Range<Int>, _ isPresent: Presence
  ) {
    guard keepsBounds else { return }
    data.withValues { data in
      addRuns(rows, isPresent) { row in
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(data)[row * width..<(row + 1) * width])
      }
    }
  }

  private mutating func addBytes(
    _ offsets: Buffer<UInt32>, _ data: Buffer<UInt8>, _ rows: Swift.Range<Int>, _ isPresent: Presence
  ) {
    guard keepsBounds else { return }
    offsets.withValues { offsets in
      data.withValues { data in
        addRuns(rows, isPresent) { row in
          UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(data)[Int(offsets[row])..<Int(offsets[row + 1])])
        }
      }
    }
  }

  /// Finds the rows that hold the least and the greatest run, then copies these two.
  private mutating func addRuns(
    _ rows: Swift.Range<Int>, _ isPresent: Presence, _ run: (Int) -> UnsafeRawBufferPointer
  ) {
    var low: Int?
    var high: Int?
    for row in rows where isPresent[row] {
      guard let lowest = low, let highest = high else {
        low = row
        high = row
        continue
      }
      if run(row).order(beside: run(lowest)) < 0 { low = row }
      if run(row).order(beside: run(highest)) > 0 { high = row }
    }
    guard let low, let high else { return }
    let lowest = Array(run(low).prefix(bytesKept))
    let highest = Array(run(high).prefix(bytesKept))
    if case .bytes(let before, let after) = range {
      range = .bytes(
        lowest.lexicographicallyPrecedes(before) ? lowest : before,
        after.lexicographicallyPrecedes(highest) ? highest : after)
    } else {
      range = .bytes(lowest, highest)
    }
  }

  /// Entries that no row uses say nothing.
  private mutating func addDictionary(
    _ indices: Buffer<UInt32>, _ dictionary: Column, _ rows: Swift.Range<Int>, _ isPresent: Presence
  ) {
    guard keepsBounds else { return }
    var isUsed = BufferBuilder<UInt8>(capacity: dictionary.count)
    isUsed.append(repeating: 0, count: dictionary.count)
    indices.withValues { indices in
      for row in rows where isPresent[row] { isUsed[Int(indices[row])] = 1 }
    }
    var used = LeafMetrics(id: id, type: type, mode: mode, keepsBounds: true)
    used.range = range
    used.add(
      Column(dictionary.values, count: dictionary.count, validity: isUsed.finish()), rows: 0..<dictionary.count,
      absent: nil)
    range = used.range
  }

  // MARK: the result

  func put(into metrics: inout FileMetrics) {
    metrics.valueCounts[id] = valueCount
    metrics.nullCounts[id] = nullCount
    if type == .float || type == .double { metrics.nanCounts[id] = nanCount }
    metrics.lowerBounds[id] = lowerBound
    metrics.upperBounds[id] = upperBound
  }

  private var lowerBound: [UInt8]? {
    switch range {
    case .none: nil
    case .integers(let low, _): integer(low).singleValue
    case .doubles(let low, _): floating(low == 0 ? -0.0 : low).singleValue
    case .bytes(let low, _): Bounds.truncatedLower(low, type: type, mode: mode)
    }
  }

  private var upperBound: [UInt8]? {
    switch range {
    case .none: nil
    case .integers(_, let high): integer(high).singleValue
    case .doubles(_, let high): floating(high == 0 ? 0.0 : high).singleValue
    case .bytes(_, let high): Bounds.truncatedUpper(high, type: type, mode: mode)
    }
  }

  private func integer(_ value: Int64) -> Datum {
    switch type {
    case .boolean: .boolean(value != 0)
    case .int, .date: .int(Int32(truncatingIfNeeded: value))
    case .decimal: .decimal(Int128(value))
    default: .long(value)
    }
  }

  private func floating(_ value: Double) -> Datum { type == .float ? .float(Float(value)) : .double(value) }
}

/// Which rows of a column hold a value.
private struct Presence {
  private let validity: Buffer<UInt8>?
  private let absent: [UInt8]?

  init(_ validity: Buffer<UInt8>?, absent: [UInt8]?) {
    self.validity = validity
    self.absent = absent
  }

  @inline(__always)
  subscript(_ row: Int) -> Bool {
    if let validity, validity[row] == 0 { return false }
    if let absent, absent[row] != 0 { return false }
    return true
  }

  func absentCount(_ rows: Range<Int>) -> Int {
    if validity == nil && absent == nil { return 0 }
    return rows.reduce(0) { $0 + (self[$1] ? 0 : 1) }
  }
}

extension UnsafeRawBufferPointer {
  /// Below 0, 0 or above 0, bytes unsigned.
  @inline(__always)
  fileprivate func order(beside other: UnsafeRawBufferPointer) -> Int {
    let shared = Swift.min(count, other.count)
    for index in 0..<shared where self[index] != other[index] { return Int(self[index]) - Int(other[index]) }
    return count - other.count
  }
}

extension FieldType {
  var isDecimal: Bool { if case .decimal = self { true } else { false } }
}
