import LakeModel
import LakeSchema

extension ColumnStatistics {
  init(_ raw: RawStatistics, leaf: Leaf, hasOrder: Bool) {
    nullCount = raw.nullCount.flatMap { $0 >= 0 ? $0 : nil }
    distinctCount = raw.distinctCount.flatMap { $0 >= 0 ? $0 : nil }
    let isVariable = leaf.physicalType == .byteArray
    isMinExact = raw.isMinExact ?? !isVariable
    isMaxExact = raw.isMaxExact ?? !isVariable
    // Bounds of the newer kind need a column order that we know; the older are good where signed order is the order.
    var (low, high) = hasOrder ? (raw.min, raw.max) : (nil, nil)
    if low == nil && high == nil && leaf.isSignedNumber { (low, high) = (raw.oldMin, raw.oldMax) }
    (min, max) = Self.bounds(low, high, leaf: leaf)
  }

  /// Bounds as values; none when they say nothing (NaN) or are not of the column's type.
  static func bounds(_ low: Bytes?, _ high: Bytes?, leaf: Leaf) -> (ParquetValue?, ParquetValue?) {
    guard leaf.hasKnownOrder else { return (nil, nil) }
    var min = low.flatMap { ParquetValue(plain: $0, leaf: leaf) }
    var max = high.flatMap { ParquetValue(plain: $0, leaf: leaf) }
    if min?.isNaN == true || max?.isNaN == true { return (nil, nil) }
    if case .float(let value) = min, value == 0 { min = .float(-0.0) }
    if case .float(let value) = max, value == 0 { max = .float(0.0) }
    if case .double(let value) = min, value == 0 { min = .double(-0.0) }
    if case .double(let value) = max, value == 0 { max = .double(0.0) }
    return (min, max)
  }
}

extension Leaf {
  /// Numbers whose order is the signed one of their physical type.
  fileprivate var isSignedNumber: Bool {
    if case .integer(_, isSigned: false) = logicalType { return false }
    switch physicalType {
    case .boolean, .int32, .int64, .float, .double: return true
    case .int96, .byteArray, .fixedLengthByteArray: return false
    }
  }

  /// False where the format leaves the order undefined: INT96, intervals, types newer than this reader.
  var hasKnownOrder: Bool { physicalType != .int96 && logicalType != .other }
}

extension ParquetValue {
  /// A value from its plain encoding without a length, converted as the column is.
  init?(plain: Bytes, leaf: Leaf) {
    let values: Column.Values
    switch (leaf.physicalType, plain.count) {
    case (.boolean, 1): values = .boolean(Buffer([plain[0] & 1]))
    case (.int32, 4): values = .int32(Buffer([Int32(littleEndian: plain.load())]))
    case (.int64, 8): values = .int64(Buffer([Int64(littleEndian: plain.load())]))
    case (.float, 4): values = .float(Buffer([Float(bitPattern: UInt32(littleEndian: plain.load()))]))
    case (.double, 8): values = .double(Buffer([Double(bitPattern: UInt64(littleEndian: plain.load()))]))
    case (.byteArray, _):
      values = .bytes(offsets: Buffer([0, UInt32(truncatingIfNeeded: plain.count)]), data: Buffer(plain.array))
    case (.fixedLengthByteArray, leaf.typeLength) where leaf.typeLength > 0:
      values = .fixed(Buffer(plain.array), width: leaf.typeLength)
    default: return nil
    }
    guard let converted = try? ValueConversion.convert(values, count: 1, leaf: leaf, to: leaf.type) else { return nil }
    switch converted {
    case .boolean(let values): self = .boolean(values[0] != 0)
    case .int32(let values): self = .int(values[0])
    case .int64(let values): self = .long(values[0])
    case .float(let values): self = .float(values[0])
    case .double(let values): self = .double(values[0])
    case .fixed(let data, _): self = .bytes(Bytes(data.array))
    case .bytes(_, let data): self = .bytes(Bytes(data.array))
    default: return nil
    }
  }

  var isNaN: Bool {
    switch self {
    case .float(let value): value.isNaN
    case .double(let value): value.isNaN
    default: false
    }
  }
}

extension Bytes {
  fileprivate func load<T: BitwiseCopyable>() -> T { withUnsafeBytes { $0.loadUnaligned(as: T.self) } }
}
