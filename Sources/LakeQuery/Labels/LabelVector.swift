import LakeModel

/// One label's value in every row of a block: an entry for each row, so that tests run once per entry.
///
/// A class: it holds half a dozen buffers, and is passed on for every row.
final class LabelVector: Sendable {
  /// How an entry's bytes become the label's text.
  enum Form: Sendable {
    case text
    /// Ids: two lower-case hex digits per byte.
    case hex
  }

  /// Holds the entries.
  let values: BytesView
  /// Row -> entry of `values`, or `absent`. nil: every row has entry 0, or with `isDirect` row i has entry i where `values` has one.
  let codes: Buffer<UInt32>?
  let isDirect: Bool
  let form: Form
  /// Whether different rows share entries; if not, remembering what a test said of an entry is of no use.
  let isShared: Bool
  /// Where runs of equal codes end, ascending; nil when rows with one entry do not lie together.
  let runEnds: Buffer<UInt32>?
  /// Of the entries, where they are of one width.
  let filter = ValueFilter()

  static let absent = UInt32.max

  /// The same value in every row; nil is the absent label.
  init(constant value: [UInt8]?) {
    let bytes = value ?? []
    let column = Column(
      .bytes(offsets: Buffer([0, UInt32(bytes.count)]), data: Buffer(bytes)), count: 1)
    values = BytesView(column)!
    codes = nil
    isDirect = false
    form = .text
    isShared = true
    runEnds = nil
  }

  init(values: BytesView, codes: Buffer<UInt32>, form: Form = .text, isShared: Bool) {
    self.values = values
    self.codes = codes
    isDirect = false
    self.form = form
    self.isShared = isShared
    runEnds = isShared ? RunSearch.ends(codes) : nil
  }

  /// A text or id column of the table. - Returns: nil when the column holds no bytes.
  init?(_ column: Column, form: Form = .text) {
    guard let view = BytesView(column) else { return nil }
    values = view
    self.form = form
    guard let indices = view.codes else {
      codes = nil
      isDirect = true
      isShared = false
      runEnds = nil
      return
    }
    var codes = indices
    if let validity = view.validity {
      codes = Buffer<UInt32>(count: column.count) { out in
        let present = validity.unsafeBase
        let index = indices.unsafeBase
        for row in 0..<column.count { out[row] = present[row] != 0 ? index[row] : LabelVector.absent }
      }
    }
    self.codes = codes
    isDirect = false
    isShared = true
    runEnds = RunSearch.ends(codes)
  }

  /// Whether every row has entry 0.
  var isConstant: Bool { codes == nil && !isDirect }

  @inline(__always)
  func code(of row: Int) -> UInt32 {
    if let codes { return codes.unsafeBase[row] }
    if isDirect { return values.isPresent(row) ? UInt32(truncatingIfNeeded: row) : LabelVector.absent }
    return 0
  }

  /// Calls `body` with the label's text in `row`; empty when absent.
  @inline(__always)
  func withText<R>(of row: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R { withText(ofCode: code(of: row), body) }

  @inline(__always)
  func withText<R>(ofCode code: UInt32, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    if code == LabelVector.absent { return body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    let bytes = values.entry(Int(code))
    switch form {
    case .text: return body(bytes)
    case .hex: return HexText.with(bytes, body)
    }
  }

  /// Calls `body` for rows of the range that lie together and have one code.
  ///
  /// - Precondition: there are codes.
  @inline(__always)
  func forEachRun(in range: Range<Int>, _ body: (UInt32, Range<Int>) -> Void) {
    guard let codes, !range.isEmpty else { return }
    let base = codes.unsafeBase
    var start = range.lowerBound
    if let runEnds {
      let ends = runEnds.unsafeBase
      var run = RunSearch.run(holding: start, ends, count: runEnds.count)
      while start < range.upperBound {
        let end = min(Int(ends[run]), range.upperBound)
        body(base[start], start..<end)
        start = end
        run += 1
      }
    } else {
      while start < range.upperBound {
        let end = RunSearch.end(of: base[start], in: base, from: start + 1, to: range.upperBound)
        body(base[start], start..<end)
        start = end
      }
    }
    withExtendedLifetime((codes, runEnds)) {}
  }

  /// What the codes and runs made here take in memory, beside the column.
  var extraBytes: Int {
    let ownCodes = codes.map { own in values.codes.map { own.isSame(as: $0) } == true ? 0 : own.count * 4 } ?? 0
    return ownCodes + (runEnds?.count ?? 0) * 4
      + (values.fixed == nil ? 0 : ValueFilter.memoryBytes(count: values.entryCount))
  }
}

/// Runs of equal values.
enum RunSearch {
  /// The first place from `start` on whose value differs from `value`, at most `end`.
  @inline(__always)
  static func end(of value: UInt32, in base: UnsafePointer<UInt32>, from start: Int, to end: Int) -> Int {
    var at = start
    let wanted = SIMD8<UInt32>(repeating: value)
    while at &+ 8 <= end {
      let found = UnsafeRawPointer(base + at).loadUnaligned(as: SIMD8<UInt32>.self)
      let difference = unsafeBitCast(found ^ wanted, to: SIMD4<UInt64>.self)
      if (difference[0] | difference[1]) | (difference[2] | difference[3]) != 0 { break }
      at &+= 8
    }
    while at < end && base[at] == value { at &+= 1 }
    return at
  }

  /// The first place from `start` on that holds `value`; `end` when there is none.
  @inline(__always)
  static func next(of value: UInt32, in base: UnsafePointer<UInt32>, from start: Int, to end: Int) -> Int {
    var at = start
    let wanted = SIMD8<UInt32>(repeating: value)
    let one = SIMD8<UInt32>(repeating: 1)
    let top = SIMD8<UInt32>(repeating: 0x8000_0000)
    while at &+ 8 <= end {
      let difference = UnsafeRawPointer(base + at).loadUnaligned(as: SIMD8<UInt32>.self) ^ wanted
      // Top bits of the lanes that are zero.
      let found = unsafeBitCast((difference &- one) & ~difference & top, to: SIMD4<UInt64>.self)
      if (found[0] | found[1]) | (found[2] | found[3]) != 0 { break }
      at &+= 8
    }
    while at < end && base[at] != value { at &+= 1 }
    return at
  }

  /// Runs shorter than this on average are not worth keeping.
  private static let rowsPerRunMin = 64

  /// Where the runs of equal values end; nil when they are short.
  static func ends(_ values: Buffer<UInt32>) -> Buffer<UInt32>? {
    let most = values.count / rowsPerRunMin
    let base = values.unsafeBase
    defer { withExtendedLifetime(values) {} }
    var ends: [UInt32] = []
    var start = 0
    while start < values.count {
      guard ends.count < most else { return nil }
      start = end(of: base[start], in: base, from: start + 1, to: values.count)
      ends.append(UInt32(truncatingIfNeeded: start))
    }
    return Buffer(ends)
  }

  /// The run that holds a row.
  static func run(holding row: Int, _ ends: UnsafePointer<UInt32>, count: Int) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if Int(ends[middle]) <= row { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Ids as text.
enum HexText {
  @inline(__always)
  static func with<R>(_ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    withUnsafeTemporaryAllocation(byteCount: bytes.count * 2, alignment: 8) { out in
      write(bytes, to: out.baseAddress!)
      return body(UnsafeRawBufferPointer(out))
    }
  }

  @inline(__always)
  static func write(_ bytes: UnsafeRawBufferPointer, to out: UnsafeMutableRawPointer) {
    for (index, byte) in bytes.enumerated() {
      out.storeBytes(of: digit(byte >> 4), toByteOffset: index &* 2, as: UInt8.self)
      out.storeBytes(of: digit(byte & 15), toByteOffset: index &* 2 &+ 1, as: UInt8.self)
    }
  }

  @inline(__always)
  private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 &+ value : 87 &+ value }
}
