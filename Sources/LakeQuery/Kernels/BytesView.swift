import LakeModel

/// Reads the values of a bytes column (plain, fixed-width or dictionary) through raw pointers.
///
/// Holds the buffers; pointers it hands out live as long as the view. An absent value reads as an empty run.
struct BytesView: Sendable {
  private enum Layout: Sendable {
    case plain(offsets: Buffer<UInt32>, data: Buffer<UInt8>)
    case fixed(Buffer<UInt8>, width: Int)
  }
  private let layout: Layout
  /// nil: value `i` is entry `i`.
  let codes: Buffer<UInt32>?
  let validity: Buffer<UInt8>?
  /// Number of values (rows or map slots).
  let count: Int
  /// Number of entries: dictionary entries, or values when there is no dictionary.
  let entryCount: Int

  /// - Returns: nil when the column holds no byte runs.
  init?(_ column: Column) {
    count = column.count
    validity = column.validity
    var entries = column
    if case .dictionary(let indices, let dictionary) = column.values {
      codes = indices
      entries = dictionary
    } else {
      codes = nil
    }
    entryCount = entries.count
    switch entries.values {
    case .bytes(let offsets, let data): layout = .plain(offsets: offsets, data: data)
    case .fixed(let data, let width): layout = .fixed(data, width: width)
    default: return nil
    }
  }

  /// The bytes of one entry. Valid while the view is held.
  @inline(__always)
  func entry(_ index: Int) -> UnsafeRawBufferPointer {
    switch layout {
    case .plain(let offsets, let data):
      precondition(index >= 0 && index < entryCount)
      let start = Int(offsets.unsafeBase[index])
      let end = Int(offsets.unsafeBase[index + 1])
      return UnsafeRawBufferPointer(start: UnsafeRawPointer(data.unsafeBase) + start, count: end - start)
    case .fixed(let data, let width):
      precondition(index >= 0 && index < entryCount)
      return UnsafeRawBufferPointer(start: UnsafeRawPointer(data.unsafeBase) + index * width, count: width)
    }
  }

  @inline(__always)
  func isPresent(_ index: Int) -> Bool {
    guard let validity else { return true }
    return validity.unsafeBase[index] != 0
  }

  /// The entry of value `index`.
  @inline(__always)
  func code(_ index: Int) -> Int {
    precondition(index >= 0 && index < count)
    guard let codes else { return index }
    return Int(codes.unsafeBase[index])
  }

  /// The bytes of value `index`; empty when absent. Valid while the view is held.
  @inline(__always)
  subscript(_ index: Int) -> UnsafeRawBufferPointer {
    precondition(index >= 0 && index < count)
    guard isPresent(index) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    return entry(code(index))
  }

  /// Data and width of entries that all have one width.
  var fixed: (data: Buffer<UInt8>, width: Int)? {
    if case .fixed(let data, let width) = layout { return (data, width) }
    return nil
  }

  /// Offsets and data of a plain column, for searches over many values at once.
  var plain: (offsets: Buffer<UInt32>, data: Buffer<UInt8>)? {
    guard codes == nil, case .plain(let offsets, let data) = layout else { return nil }
    return (offsets, data)
  }

  /// Offsets and data of the entries (the dictionary, if there is one).
  var plainEntries: (offsets: Buffer<UInt32>, data: Buffer<UInt8>)? {
    guard case .plain(let offsets, let data) = layout else { return nil }
    return (offsets, data)
  }
}
