package import LakeModel
import LakeSchema

/// One value of a leaf column as its field type has it: times in microseconds, decimals as big-endian two's complement
/// of the width that `Column` uses.
package enum ParquetValue: Hashable, Sendable {
  case boolean(Bool)
  case int(Int32)
  case long(Int64)
  case float(Float)
  case double(Double)
  /// Text, binary, fixed, uuid, decimal.
  case bytes(Bytes)
}

/// The order in which a column's bounds are told. Source: Apache Parquet, `ColumnOrder`.
enum ValueOrder: Sendable {
  /// Numbers and booleans by value, runs of bytes unsigned.
  case natural
  /// Runs of bytes as big-endian two's complement of one width.
  case signedBytes

  init(_ leaf: Leaf) {
    if case .decimal = leaf.type, leaf.physicalType == .fixedLengthByteArray || leaf.physicalType == .byteArray {
      self = .signedBytes
    } else {
      self = .natural
    }
  }

  func isLess(_ a: ParquetValue, _ b: ParquetValue) -> Bool {
    switch (a, b) {
    case (.boolean(let a), .boolean(let b)): !a && b
    case (.int(let a), .int(let b)): a < b
    case (.long(let a), .long(let b)): a < b
    case (.float(let a), .float(let b)): a < b
    case (.double(let a), .double(let b)): a < b
    case (.bytes(let a), .bytes(let b)):
      a.withUnsafeBytes { a in b.withUnsafeBytes { b in isLess(a, b) } }
    default: false
    }
  }

  @inline(__always)
  func isLess(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
    if self == .signedBytes, let x = a.first, let y = b.first, (x ^ y) & 0x80 != 0 { return x & 0x80 != 0 }
    return RunOrder.compare(a, b) < 0
  }
}

enum RunOrder {
  /// Below, equal to or above zero, as unsigned bytes; a prefix is smaller.
  @inline(__always)
  static func compare(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Int {
    let common = min(a.count, b.count)
    var at = 0
    if common > 0 {
      let (x, y) = (a.baseAddress!, b.baseAddress!)
      while at + 8 <= common {
        let (left, right) = (
          x.loadUnaligned(fromByteOffset: at, as: UInt64.self), y.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        )
        if left != right { return left.byteSwapped < right.byteSwapped ? -1 : 1 }
        at += 8
      }
      while at < common {
        let (left, right) = (x.load(fromByteOffset: at, as: UInt8.self), y.load(fromByteOffset: at, as: UInt8.self))
        if left != right { return left < right ? -1 : 1 }
        at += 1
      }
    }
    return a.count - b.count
  }
}
