/// A row of one of several parts.
struct PartRow: BitwiseCopyable, Equatable, Sendable {
  /// The part's number in the upper half, the row in the lower.
  private let bits: UInt64

  init(part: Int, row: Int) {
    bits = UInt64(UInt32(truncatingIfNeeded: part)) << 32 | UInt64(UInt32(truncatingIfNeeded: row))
  }

  var part: Int { Int(truncatingIfNeeded: bits &>> 32) }
  var row: Int { Int(truncatingIfNeeded: bits & 0xFFFF_FFFF) }
}

/// Which values of several parts, in order, as runs of neighbours.
private protocol PartSelection {
  var count: Int { get }
  /// Calls with each run's part, first row and length.
  func forEachRun(_ body: (_ part: Int, _ row: Int, _ count: Int) -> Void)
}

/// Rows one by one.
extension Buffer<PartRow>: PartSelection {
  @inline(__always)
  fileprivate func forEachRun(_ body: (_ part: Int, _ row: Int, _ count: Int) -> Void) {
    withValues { rows in for row in rows { body(row.part, row.row, 1) } }
  }
}

/// The elements of lists, a run for each list.
private struct PartRuns: PartSelection {
  struct Run: BitwiseCopyable {
    let first: PartRow
    let count: Int
  }

  let runs: Buffer<Run>
  let count: Int

  @inline(__always)
  func forEachRun(_ body: (_ part: Int, _ row: Int, _ count: Int) -> Void) {
    runs.withValues { runs in for run in runs { body(run.first.part, run.first.row, run.count) } }
  }
}

/// Rows of several parts in some order, each of them there by the way it is made.
package struct PartRows: Sendable {
  fileprivate let rows: Buffer<PartRow>
  /// Rows of each part.
  fileprivate let counts: [Int]

  /// Every row of parts of so many rows, one part after another.
  package init(_ counts: [Int]) {
    self.counts = counts
    rows = Buffer<PartRow>(count: counts.reduce(0, +)) { out in
      var at = 0
      for (part, count) in counts.enumerated() {
        for row in 0..<count { out[at &+ row] = PartRow(part: part, row: row) }
        at += count
      }
    }
  }

  private init(_ rows: Buffer<PartRow>, _ counts: [Int]) {
    self.rows = rows
    self.counts = counts
  }

  package var count: Int { rows.count }

  /// The rows at some positions, in that order.
  package func gather(_ positions: Buffer<Int32>) -> PartRows {
    positions.withValues { precondition(Gather.allLie(in: count, $0)) }
    return PartRows(Gather.values(rows, positions), counts)
  }

  package func slice(_ range: Range<Int>) -> PartRows { PartRows(rows.slice(range), counts) }

  /// The part of each row.
  package var parts: Buffer<Int32> {
    rows.withValues { rows in
      Buffer(count: rows.count) { out in
        for at in 0..<rows.count { out[at] = Int32(truncatingIfNeeded: rows[at].part) }
      }
    }
  }
}

/// Columns of one type, whose rows are picked in any order without laying the columns one after another first: a merge
/// then holds what came in and the rows it is at, and not everything twice.
package struct ColumnParts: Sendable {
  private indirect enum Source: Sendable {
    case boolean([Buffer<UInt8>])
    case int32([Buffer<Int32>])
    case int64([Buffer<Int64>])
    case float([Buffer<Float>])
    case double([Buffer<Double>])
    case fixed([Buffer<UInt8>], width: Int)
    case bytes(offsets: [Buffer<UInt32>], data: [Buffer<UInt8>])
    /// Indices into one dictionary, each part's from its own start on.
    case dictionary(indices: [Buffer<UInt32>], starts: [UInt32], dictionary: Column)
    case list(offsets: [Buffer<UInt32>], element: ColumnParts)
    case structure([ColumnParts])
    case map(offsets: [Buffer<UInt32>], keys: ColumnParts, values: ColumnParts)
  }

  private let source: Source
  private let counts: [Int]
  /// Nil when no part has absent values.
  private let validity: [Buffer<UInt8>?]?

  /// - Precondition: `parts` is not empty, and all have one type.
  package init(_ parts: [Column]) {
    counts = parts.map(\.count)
    validity = parts.contains { $0.validity != nil } ? parts.map(\.validity) : nil
    source = ColumnParts.source(parts)
  }

  private static func source(_ parts: [Column]) -> Source {
    func all<T>(_ pick: (Column.Values) -> T?) -> [T] {
      parts.map { part in
        guard let found = pick(part.values) else { preconditionFailure("columns of different types") }
        return found
      }
    }
    switch parts[0].values {
    case .boolean: return .boolean(all { if case .boolean(let values) = $0 { values } else { nil } })
    case .int32: return .int32(all { if case .int32(let values) = $0 { values } else { nil } })
    case .int64: return .int64(all { if case .int64(let values) = $0 { values } else { nil } })
    case .float: return .float(all { if case .float(let values) = $0 { values } else { nil } })
    case .double: return .double(all { if case .double(let values) = $0 { values } else { nil } })
    case .fixed, .bytes, .dictionary: return bytes(parts)
    case .list:
      return .list(
        offsets: all { if case .list(let offsets, _) = $0 { offsets } else { nil } },
        element: ColumnParts(all { if case .list(_, let element) = $0 { element } else { nil } }))
    case .structure(let children):
      return .structure(
        children.indices.map { child in
          ColumnParts(all { if case .structure(let children) = $0 { children[child] } else { nil } })
        })
    case .map:
      return .map(
        offsets: all { if case .map(let offsets, _, _) = $0 { offsets } else { nil } },
        keys: ColumnParts(all { if case .map(_, let keys, _) = $0 { keys } else { nil } }),
        values: ColumnParts(all { if case .map(_, _, let values) = $0 { values } else { nil } }))
    }
  }

  /// Dictionaries stay while plain parts are few; see `Column.concatenate`.
  private static func bytes(_ parts: [Column]) -> Source {
    let isDictionary = parts.map { if case .dictionary = $0.values { true } else { false } }
    if isDictionary.contains(true), Concatenation.keepsDictionary(parts) {
      let (indices, starts, dictionary) = ColumnDictionary.sideBySide(parts)
      return .dictionary(indices: indices, starts: starts, dictionary: dictionary)
    }
    let plain = parts.map(\.plain)
    if case .fixed(_, let width) = plain[0].values {
      return .fixed(
        plain.map { part in
          guard case .fixed(let data, width) = part.values else { preconditionFailure("columns of different types") }
          return data
        }, width: width)
    }
    let runs = plain.map { part -> (Buffer<UInt32>, Buffer<UInt8>) in
      guard case .bytes(let offsets, let data) = part.values else { preconditionFailure("columns of different types") }
      return (offsets, data)
    }
    return .bytes(offsets: runs.map(\.0), data: runs.map(\.1))
  }

  /// The values at `rows`, in that order, repeats allowed.
  ///
  /// - Precondition: the rows are of parts as long as these, and the byte runs of the result hold at most 4 GiB.
  package func gather(_ rows: PartRows) -> Column {
    precondition(rows.counts == counts)
    return gatherTrusted(rows.rows)
  }

  private func gatherTrusted(_ rows: some PartSelection) -> Column {
    let present = validity.map { ColumnParts.presence($0, rows) }
    return Column(values(rows, present), count: rows.count, validity: present)
  }

  private func values(_ rows: some PartSelection, _ present: Buffer<UInt8>?) -> Column.Values {
    switch source {
    case .boolean(let parts): return .boolean(ColumnParts.pick(parts, rows))
    case .int32(let parts): return .int32(ColumnParts.pick(parts, rows))
    case .int64(let parts): return .int64(ColumnParts.pick(parts, rows))
    case .float(let parts): return .float(ColumnParts.pick(parts, rows))
    case .double(let parts): return .double(ColumnParts.pick(parts, rows))
    case .fixed(let parts, let width): return .fixed(ColumnParts.fixed(parts, width, rows), width: width)
    case .bytes(let offsets, let data):
      let ends = ColumnParts.ends(offsets, rows)
      return .bytes(offsets: ends, data: ColumnParts.runs(offsets, data, rows, bytes: Int(ends[rows.count])))
    case .dictionary(let indices, let starts, let dictionary):
      return .dictionary(indices: ColumnParts.indices(indices, starts, rows, present), dictionary: dictionary)
    case .list(let offsets, let element):
      let (ends, elements) = ColumnParts.elements(offsets, rows)
      return .list(offsets: ends, element: element.gatherTrusted(elements))
    case .structure(let children): return .structure(children.map { $0.gatherTrusted(rows) })
    case .map(let offsets, let keys, let values):
      let (ends, elements) = ColumnParts.elements(offsets, rows)
      return .map(offsets: ends, keys: keys.gatherTrusted(elements), values: values.gatherTrusted(elements))
    }
  }
}

/// The loops. Rows have been checked by the time they are called.
extension ColumnParts {
  /// The first value of each part.
  @inline(__always)
  private static func withBases<T: BitwiseCopyable, R>(
    _ parts: [Buffer<T>], _ body: (UnsafeMutableBufferPointer<UnsafePointer<T>>) -> R
  ) -> R {
    withUnsafeTemporaryAllocation(of: UnsafePointer<T>.self, capacity: parts.count) { bases in
      for (part, values) in parts.enumerated() { bases.initializeElement(at: part, to: values.unsafeBase) }
      defer { withExtendedLifetime(parts) {} }
      return body(bases)
    }
  }

  private static func pick<T: BitwiseCopyable>(_ parts: [Buffer<T>], _ rows: some PartSelection) -> Buffer<T> {
    withBases(parts) { bases in
      Buffer(count: rows.count) { out in
        var to = out
        rows.forEachRun { part, row, count in
          let from = bases[part] + row
          for at in 0..<count { to[at] = from[at] }
          to += count
        }
      }
    }
  }

  private static func presence(_ parts: [Buffer<UInt8>?], _ rows: some PartSelection) -> Buffer<UInt8> {
    let some = Buffer<UInt8>(repeating: 1, count: 1)
    let isPartial = parts.map { $0 != nil }
    return withBases(parts.map { $0 ?? some }) { bases in
      isPartial.withUnsafeBufferPointer { isPartial in
        Buffer(count: rows.count) { out in
          var to = out
          rows.forEachRun { part, row, count in
            let step = isPartial[part] ? 1 : 0
            let from = bases[part] + row &* step
            for at in 0..<count { to[at] = from[at &* step] }
            to += count
          }
        }
      }
    }
  }

  private static func indices(
    _ parts: [Buffer<UInt32>], _ starts: [UInt32], _ rows: some PartSelection, _ present: Buffer<UInt8>?
  ) -> Buffer<UInt32> {
    withBases(parts) { bases in
      starts.withUnsafeBufferPointer { starts in
        Buffer(count: rows.count) { out in
          var to = out
          rows.forEachRun { part, row, count in
            let (from, start) = (bases[part] + row, starts[part])
            for at in 0..<count { to[at] = from[at] &+ start }
            to += count
          }
          present?.withValues { present in
            for at in 0..<rows.count where present[at] == 0 { out[at] = 0 }
          }
        }
      }
    }
  }

  private static func fixed(_ parts: [Buffer<UInt8>], _ width: Int, _ rows: some PartSelection) -> Buffer<UInt8> {
    withBases(parts) { bases in
      Buffer(count: rows.count * width) { out in
        switch width {
        case 8: words(bases, UnsafeMutableRawPointer(out), rows, SIMD8<UInt8>.self)
        case 16: words(bases, UnsafeMutableRawPointer(out), rows, SIMD16<UInt8>.self)
        default:
          var to = out
          rows.forEachRun { part, row, count in
            to.update(from: bases[part] + row * width, count: count * width)
            to += count * width
          }
        }
      }
    }
  }

  @inline(__always)
  private static func words<T: BitwiseCopyable>(
    _ bases: UnsafeMutableBufferPointer<UnsafePointer<UInt8>>, _ out: UnsafeMutableRawPointer,
    _ rows: some PartSelection, _ type: T.Type
  ) {
    let width = MemoryLayout<T>.size
    var to = out
    rows.forEachRun { part, row, count in
      let from = UnsafeRawPointer(bases[part]) + row &* width
      for at in 0..<count {
        to.storeBytes(
          of: from.loadUnaligned(fromByteOffset: at &* width, as: type), toByteOffset: at &* width, as: type)
      }
      to += count &* width
    }
  }

  /// Offsets of the byte runs at `rows` laid one after another, starting at 0.
  private static func ends(_ offsets: [Buffer<UInt32>], _ rows: some PartSelection) -> Buffer<UInt32> {
    withBases(offsets) { bases in
      Buffer(count: rows.count + 1) { out in
        var end = 0
        out[0] = 0
        var to = out + 1
        rows.forEachRun { part, row, count in
          let run = bases[part] + row
          for at in 0..<count {
            end &+= Int(run[at &+ 1]) &- Int(run[at])
            to[at] = UInt32(truncatingIfNeeded: end)
          }
          to += count
        }
        precondition(end <= Int(UInt32.max))
      }
    }
  }

  /// The byte runs at `rows`, neighbours copied together.
  private static func runs(
    _ offsets: [Buffer<UInt32>], _ data: [Buffer<UInt8>], _ rows: some PartSelection, bytes: Int
  ) -> Buffer<UInt8> {
    withBases(offsets) { offsets in
      withBases(data) { data in
        Buffer(count: bytes) { out in
          var to = out
          var open = (part: 0, start: 0, end: 0)
          func close() {
            to.update(from: data[open.part] + open.start, count: open.end &- open.start)
            to += open.end &- open.start
          }
          rows.forEachRun { part, row, count in
            let start = Int(offsets[part][row])
            if part != open.part || start != open.end {
              close()
              open = (part, start, start)
            }
            open.end = Int(offsets[part][row &+ count])
          }
          close()
        }
      }
    }
  }

  /// The lists at `rows` laid one after another: their offsets, starting at 0, and where their elements are.
  private static func elements(
    _ offsets: [Buffer<UInt32>], _ rows: some PartSelection
  ) -> (ends: Buffer<UInt32>, elements: PartRuns) {
    let ends = ends(offsets, rows)
    let runs = withBases(offsets) { bases in
      Buffer<PartRuns.Run>(count: rows.count) { out in
        var to = out
        rows.forEachRun { part, row, count in
          let run = bases[part] + row
          for at in 0..<count {
            to[at] = PartRuns.Run(
              first: PartRow(part: part, row: Int(run[at])), count: Int(run[at &+ 1]) &- Int(run[at]))
          }
          to += count
        }
      }
    }
    return (ends, PartRuns(runs: runs, count: Int(ends[rows.count])))
  }
}
