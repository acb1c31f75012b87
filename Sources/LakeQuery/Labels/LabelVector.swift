import LakeModel

/// One label's value in every row of a block: an entry for each row, so that tests run once per entry.
struct LabelVector: Sendable {
  /// How an entry's bytes become the label's text.
  enum Form: Sendable {
    case text
    /// Ids: two lower-case hex digits per byte.
    case hex
  }

  /// Holds the entries.
  let values: BytesView
  /// Row -> entry of `values`, or `absent`; nil when every row has entry 0.
  let codes: Buffer<UInt32>?
  let form: Form
  /// Whether different rows share entries; if not, remembering what a test said of an entry is of no use.
  let isShared: Bool

  static let absent = UInt32.max

  /// The same value in every row; nil is the absent label.
  init(constant value: [UInt8]?) {
    let bytes = value ?? []
    let column = Column(
      .bytes(offsets: Buffer([0, UInt32(bytes.count)]), data: Buffer(bytes)), count: 1)
    values = BytesView(column)!
    codes = nil
    form = .text
    isShared = true
  }

  init(values: BytesView, codes: Buffer<UInt32>, form: Form = .text, isShared: Bool) {
    self.values = values
    self.codes = codes
    self.form = form
    self.isShared = isShared
  }

  /// A text or id column of the table. - Returns: nil when the column holds no bytes.
  init?(_ column: Column, form: Form = .text) {
    guard let view = BytesView(column) else { return nil }
    let codes: Buffer<UInt32>
    if let indices = view.codes, view.validity == nil {
      codes = indices
    } else {
      codes = Buffer<UInt32>(count: column.count) { out in
        for row in 0..<column.count {
          out[row] = view.isPresent(row) ? UInt32(truncatingIfNeeded: view.code(row)) : LabelVector.absent
        }
      }
    }
    self.init(values: view, codes: codes, form: form, isShared: view.codes != nil)
  }

  /// The entry that every row has, if one is known to.
  var constantEntry: UInt32? { codes == nil ? 0 : nil }

  @inline(__always)
  func code(of row: Int) -> UInt32 { codes.map { $0.unsafeBase[row] } ?? 0 }

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
