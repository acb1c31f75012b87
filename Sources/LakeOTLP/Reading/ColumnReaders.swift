import LakeModel
import LakeSchema

/// Values of a text or id column by row, plain or dictionary. The column's memory lives as long as the reader.
struct TextReader {
  private let column: Column
  private let indices: UnsafePointer<UInt32>?
  private let offsets: UnsafePointer<UInt32>?
  private let data: UnsafePointer<UInt8>
  /// Bytes a value when the lengths are fixed.
  private let width: Int
  private let dictionaryCount: Int

  /// - Returns: nil when the column holds something else.
  init?(_ column: Column?) {
    guard let column else { return nil }
    self.column = column
    var source = column.values
    if case .dictionary(let indices, let dictionary) = column.values {
      self.indices = indices.unsafeBase
      dictionaryCount = dictionary.count
      source = dictionary.values
    } else {
      indices = nil
      dictionaryCount = column.count
    }
    switch source {
    case .bytes(let offsets, let data):
      self.offsets = offsets.unsafeBase
      self.data = data.unsafeBase
      width = 0
    case .fixed(let data, let width):
      offsets = nil
      self.data = data.unsafeBase
      self.width = width
    default: return nil
    }
  }

  var count: Int { column.count }

  /// Valid while the reader lives; nil when absent.
  subscript(row: Int) -> RawBytes? {
    guard column.isPresent(row) else { return nil }
    var index = row
    if let indices { index = Int(indices[row]) }
    precondition(index < dictionaryCount)
    guard let offsets else { return RawBytes(data + index * width, width) }
    return RawBytes(data + Int(offsets[index]), Int(offsets[index + 1] - offsets[index]))
  }
}

/// Values of an integer, boolean or double column by row; nil when absent.
struct NumberReader {
  private let column: Column

  init?(_ column: Column?) {
    guard let column else { return nil }
    self.column = column
  }

  func int(_ row: Int) -> Int64? {
    guard column.isPresent(row) else { return nil }
    switch column.values {
    case .boolean(let values): return Int64(values[row])
    case .int32(let values): return Int64(values[row])
    case .int64(let values): return values[row]
    default: return nil
    }
  }

  func double(_ row: Int) -> Double? {
    guard column.isPresent(row), case .double(let values) = column.values else { return nil }
    return values[row]
  }
}

/// Elements of a list or map column by row.
struct RangeReader {
  private let column: Column
  private let offsets: Buffer<UInt32>

  init?(_ column: Column?) {
    guard let column else { return nil }
    self.column = column
    switch column.values {
    case .list(let offsets, _), .map(let offsets, _, _): self.offsets = offsets
    default: return nil
    }
  }

  /// nil when absent.
  subscript(row: Int) -> Range<Int>? {
    guard column.isPresent(row) else { return nil }
    return Int(offsets[row])..<Int(offsets[row + 1])
  }
}
