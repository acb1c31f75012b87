import LakeModel

/// Rows of a block that are still in play, ascending.
///
/// Ranges where rows lie together (a table sorted by service and time), a list where they are scattered.
enum RowSelection: Sendable {
  /// Ascending, disjoint, none empty.
  case ranges([Range<Int>])
  case list([Int32])

  static let none = RowSelection.ranges([])
  static func all(_ count: Int) -> RowSelection { count == 0 ? .none : .ranges([0..<count]) }

  var count: Int {
    switch self {
    case .ranges(let ranges): ranges.reduce(0) { $0 + $1.count }
    case .list(let rows): rows.count
    }
  }

  var isEmpty: Bool {
    switch self {
    case .ranges(let ranges): ranges.isEmpty
    case .list(let rows): rows.isEmpty
    }
  }

  /// The smallest range that holds every row.
  var bounds: Range<Int> {
    switch self {
    case .ranges(let ranges):
      guard let first = ranges.first, let last = ranges.last else { return 0..<0 }
      return first.lowerBound..<last.upperBound
    case .list(let rows):
      guard let first = rows.first, let last = rows.last else { return 0..<0 }
      return Int(first)..<Int(last) + 1
    }
  }

  /// Whether rows make up the whole of `0 ..< rowCount`.
  func isAll(of rowCount: Int) -> Bool {
    if case .ranges(let ranges) = self { return ranges == [0..<rowCount] || (rowCount == 0 && ranges.isEmpty) }
    return count == rowCount
  }

  /// Calls `body` for each row, ascending.
  @inline(__always)
  func forEach<E: Error>(_ body: (Int) throws(E) -> Void) throws(E) {
    switch self {
    case .ranges(let ranges): for range in ranges { for row in range { try body(row) } }
    case .list(let rows): for row in rows { try body(Int(row)) }
    }
  }

  /// Calls `body` for the first row and every `stride`th after it.
  func forEach(every stride: Int, _ body: (Int) -> Void) {
    switch self {
    case .list(let rows): for index in Swift.stride(from: 0, to: rows.count, by: stride) { body(Int(rows[index])) }
    case .ranges(let ranges):
      var skipped = 0
      for range in ranges {
        var row = range.lowerBound + skipped
        while row < range.upperBound {
          body(row)
          row += stride
        }
        skipped = row - range.upperBound
      }
    }
  }

  /// The rows for which `keeps` holds.
  @inline(__always)
  func filter(_ keeps: (Int) -> Bool) -> RowSelection {
    var builder = SelectionBuilder()
    forEach { row in if keeps(row) { builder.append(row) } }
    return builder.finish()
  }

  /// The rows inside `range`.
  func clamped(to range: Range<Int>) -> RowSelection {
    switch self {
    case .ranges(let ranges):
      return .ranges(ranges.map { $0.clamped(to: range) }.filter { !$0.isEmpty })
    case .list(let rows):
      let low = rows.partitionPoint { Int($0) < range.lowerBound }
      let high = rows.partitionPoint { Int($0) < range.upperBound }
      return low == 0 && high == rows.count ? self : .list(Array(rows[low..<high]))
    }
  }

  /// The rows of both.
  func intersection(_ other: RowSelection) -> RowSelection {
    switch (self, other) {
    case (.ranges(let a), .ranges(let b)):
      var out: [Range<Int>] = []
      var (i, j) = (0, 0)
      while i < a.count && j < b.count {
        let common = a[i].clamped(to: b[j])
        if !common.isEmpty { out.append(common) }
        if a[i].upperBound < b[j].upperBound { i += 1 } else { j += 1 }
      }
      return .ranges(out)
    case (.list(let rows), .ranges(let ranges)), (.ranges(let ranges), .list(let rows)):
      var out: [Int32] = []
      var j = 0
      for row in rows {
        while j < ranges.count && ranges[j].upperBound <= Int(row) { j += 1 }
        if j == ranges.count { break }
        if ranges[j].lowerBound <= Int(row) { out.append(row) }
      }
      return .list(out)
    case (.list(let a), .list(let b)):
      var out: [Int32] = []
      var (i, j) = (0, 0)
      while i < a.count && j < b.count {
        if a[i] == b[j] {
          out.append(a[i])
          i += 1
          j += 1
        } else if a[i] < b[j] {
          i += 1
        } else {
          j += 1
        }
      }
      return .list(out)
    }
  }

  /// The rows of this one that are not among `other`.
  func subtracting(_ other: RowSelection) -> RowSelection {
    if other.isEmpty { return self }
    var removed = other.makeCursor()
    return filter { !removed.contains($0) }
  }

  /// The rows of either; the two have none in common.
  func union(_ other: RowSelection) -> RowSelection {
    if isEmpty { return other }
    if other.isEmpty { return self }
    var builder = SelectionBuilder()
    let a = rows
    let b = other.rows
    var (i, j) = (0, 0)
    while i < a.count || j < b.count {
      if j == b.count || (i < a.count && a[i] < b[j]) {
        builder.append(a[i])
        i += 1
      } else {
        builder.append(b[j])
        j += 1
      }
    }
    return builder.finish()
  }

  /// Tells for ascending rows whether they are in the selection.
  func makeCursor() -> Cursor { Cursor(selection: self) }

  struct Cursor {
    private let selection: RowSelection
    private var index = 0

    fileprivate init(selection: RowSelection) { self.selection = selection }

    /// - Precondition: rows are asked for in ascending order.
    mutating func contains(_ row: Int) -> Bool {
      switch selection {
      case .ranges(let ranges):
        while index < ranges.count && ranges[index].upperBound <= row { index += 1 }
        return index < ranges.count && ranges[index].lowerBound <= row
      case .list(let rows):
        while index < rows.count && Int(rows[index]) < row { index += 1 }
        return index < rows.count && Int(rows[index]) == row
      }
    }
  }

  /// The rows in portions of at most `count`, in order.
  func portions(of count: Int) -> [RowSelection] {
    if self.count <= count { return isEmpty ? [] : [self] }
    switch self {
    case .list(let rows):
      return stride(from: 0, to: rows.count, by: count).map { .list(Array(rows[$0..<min(rows.count, $0 + count)])) }
    case .ranges(let ranges):
      var out: [RowSelection] = []
      var current: [Range<Int>] = []
      var room = count
      for range in ranges {
        var start = range.lowerBound
        while start < range.upperBound {
          let end = min(range.upperBound, start + room)
          current.append(start..<end)
          room -= end - start
          start = end
          if room == 0 {
            out.append(.ranges(current))
            current = []
            room = count
          }
        }
      }
      if !current.isEmpty { out.append(.ranges(current)) }
      return out
    }
  }

  var rows: [Int] {
    var out: [Int] = []
    forEach { out.append($0) }
    return out
  }
}

/// Collects ascending rows; stays with ranges while rows lie together.
struct SelectionBuilder {
  private var ranges: [Range<Int>] = []
  private var list: [Int32] = []
  private var isList = false
  private var count = 0
  /// The open range.
  private var start = 0
  private var end = 0

  @inline(__always)
  mutating func append(_ row: Int) {
    count += 1
    if isList {
      list.append(Int32(truncatingIfNeeded: row))
    } else if row == end && end > start {
      end += 1
    } else {
      close(next: row)
    }
  }

  mutating func append(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    if isList {
      for row in range { list.append(Int32(truncatingIfNeeded: row)) }
      count += range.count
    } else {
      if range.lowerBound == end && end > start {
        end = range.upperBound
      } else {
        close(next: range.lowerBound)
        if isList {
          for row in range.dropFirst() { list.append(Int32(truncatingIfNeeded: row)) }
        } else {
          end = range.upperBound
        }
      }
      count += range.count
    }
  }

  /// Ends the open range and begins one at `next`; goes over to a list when ranges turn out short.
  private mutating func close(next: Int) {
    if end > start { ranges.append(start..<end) }
    start = next
    end = next + 1
    guard ranges.count >= 64, count < ranges.count * 8 else { return }
    isList = true
    list.reserveCapacity(count * 4)
    for range in ranges { for row in range { list.append(Int32(truncatingIfNeeded: row)) } }
    list.append(Int32(truncatingIfNeeded: next))
    ranges = []
  }

  mutating func finish() -> RowSelection {
    if isList { return .list(list) }
    if end > start { ranges.append(start..<end) }
    start = 0
    end = 0
    return .ranges(ranges)
  }
}

extension Array {
  /// The first index whose element does not satisfy `isBefore`, in an array where those that do come first.
  func partitionPoint(_ isBefore: (Element) -> Bool) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if isBefore(self[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension RowSelection {
  /// What it takes in memory, about.
  var memoryBytes: Int {
    switch self {
    case .ranges(let ranges): ranges.count * MemoryLayout<Range<Int>>.stride
    case .list(let rows): rows.count * MemoryLayout<Int32>.stride
    }
  }
}
