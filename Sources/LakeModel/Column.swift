/// One column of a batch: values of one type, some of them absent, in raw buffers.
///
/// The layout follows Arrow's (offsets and child columns for nested types) except that presence is one byte per value
/// (1 present, 0 absent) rather than a bitmap. Absent values still take a slot: zero for fixed widths, an empty run for
/// the others.
@usableFromInline package struct Column: Sendable {
  /// The values. Every buffer covers exactly `count` values (offsets: `count + 1`, ascending, the first not
  /// necessarily 0).
  package enum Values: Sendable {
    /// One byte per value, 0 or 1.
    case boolean(Buffer<UInt8>)
    case int32(Buffer<Int32>)
    case int64(Buffer<Int64>)
    case float(Buffer<Float>)
    case double(Buffer<Double>)
    /// `width` bytes per value.
    case fixed(Buffer<UInt8>, width: Int)
    /// Text or binary: value `i` is `data[offsets[i] ..< offsets[i + 1]]`.
    case bytes(offsets: Buffer<UInt32>, data: Buffer<UInt8>)
    /// Value `i` is `dictionary[indices[i]]`; the dictionary is a `.bytes` or `.fixed` column without absent values. Entries may repeat
    /// and may be unused. An absent value's index is 0 and means nothing.
    indirect case dictionary(indices: Buffer<UInt32>, dictionary: Column)
    /// Elements of value `i` are `element[offsets[i] ..< offsets[i + 1]]`.
    indirect case list(offsets: Buffer<UInt32>, element: Column)
    /// One child per field, each of the same count.
    indirect case structure([Column])
    /// Entries of value `i` are `keys`/`values[offsets[i] ..< offsets[i + 1]]`; keys have no absent values.
    indirect case map(offsets: Buffer<UInt32>, keys: Column, values: Column)
  }

  package let values: Values
  package let count: Int
  /// One byte per value, 1 present, 0 absent; nil when every value is present.
  @usableFromInline package let validity: Buffer<UInt8>?

  package init(_ values: Values, count: Int, validity: Buffer<UInt8>? = nil) {
    precondition(validity == nil || validity!.count == count)
    self.values = values
    self.count = count
    self.validity = validity
  }

  @inlinable
  package func isPresent(_ index: Int) -> Bool {
    guard let validity else { return true }
    return validity[index] != 0
  }

  /// Number of absent values.
  package var absentCount: Int {
    guard let validity else { return 0 }
    return validity.withValues { present in
      var sum = 0
      for value in present { sum &+= Int(value) }
      return count - sum
    }
  }
}
