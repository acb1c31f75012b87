import LakeModel
import LakeSchema

/// Turns values as pages hold them into values as field types have them.
enum ValueConversion {
  /// True when a column of `leaf` can be read as `type`.
  static func isPossible(_ leaf: Leaf, to type: FieldType) -> Bool {
    switch (leaf.type, type) {
    case (let found, let wanted) where found == wanted: true
    case (.int, .long), (.float, .double), (.string, .binary), (.binary, .string): true
    case (.timestamp, .timestamptz), (.timestamptz, .timestamp): true
    case (.uuid, .fixed(16)), (.fixed(16), .uuid): true
    case (.decimal(let precision, let scale), .decimal(let wider, let sameScale)):
      scale == sameScale && wider >= precision
    default: false
    }
  }

  /// - Precondition: `isPossible`.
  static func convert(
    _ values: Column.Values, count: Int, leaf: Leaf, to type: FieldType
  ) throws(ParquetError) -> Column.Values {
    switch (values, type) {
    case (.int32(let values), .long):
      let isUnsigned = leaf.type == .long
      return .int64(map(values) { isUnsigned ? Int64(UInt32(bitPattern: $0)) : Int64($0) })
    case (.int32(let values), .time): return .int64(map(values) { Int64($0) * 1000 })
    case (.int64(let values), .time), (.int64(let values), .timestamp), (.int64(let values), .timestamptz):
      return .int64(try micros(values, leaf: leaf))
    case (.float(let values), .double): return .double(map(values) { Double($0) })
    case (.fixed(let data, 12), .timestamp), (.fixed(let data, 12), .timestamptz):
      return .int64(try julian(data, count: count))
    case (.fixed(let data, 2), .float): return .float(halves(data, count: count))
    case (.fixed(let data, 2), .double) where leaf.type == .float:
      return .double(map(halves(data, count: count)) { Double($0) })
    case (_, .decimal(let precision, _)):
      return try decimals(values, count: count, leaf: leaf, width: FieldType.decimalBytes(precision: precision))
    default: return values
    }
  }

  private static func map<A: BitwiseCopyable, B: BitwiseCopyable>(_ values: Buffer<A>, _ body: (A) -> B) -> Buffer<B> {
    var mapped = BufferBuilder<B>(capacity: max(1, values.count))
    let target = mapped.reserve(values.count)
    values.withValues { values in for index in 0..<values.count { target[index] = body(values[index]) } }
    mapped.count = values.count
    return mapped.finish()
  }

  /// Milliseconds and nanoseconds to microseconds, rounding towards the past.
  private static func micros(_ values: Buffer<Int64>, leaf: Leaf) throws(ParquetError) -> Buffer<Int64> {
    switch leaf.logicalType {
    case .time(_, .nanos), .timestamp(_, .nanos):
      return map(values) { $0 >= 0 ? $0 / 1000 : ($0 + 1) / 1000 - 1 }
    case .time(_, .millis), .timestamp(_, .millis):
      var overflows = false
      let mapped = map(values) { value in
        let (product, overflow) = value.multipliedReportingOverflow(by: 1000)
        overflows = overflows || overflow
        return product
      }
      guard !overflows else { throw .malformed("time of \(leaf.pathText) beyond microseconds") }
      return mapped
    default: return values
    }
  }

  /// INT96: nanoseconds of the day, then the Julian day.
  private static func julian(_ data: Buffer<UInt8>, count: Int) throws(ParquetError) -> Buffer<Int64> {
    var mapped = BufferBuilder<Int64>(capacity: max(1, count))
    var overflows = false
    data.withValues { data in
      let base = UnsafeRawPointer(data.baseAddress!)
      for index in 0..<count {
        let nanos = base.loadUnaligned(fromByteOffset: index * 12, as: Int64.self)
        let day = base.loadUnaligned(fromByteOffset: index * 12 + 8, as: UInt32.self)
        let (days, tooFar) = (Int64(day) - 2_440_588).multipliedReportingOverflow(by: 86_400_000_000)
        let (micros, tooLong) = days.addingReportingOverflow(nanos >= 0 ? nanos / 1000 : (nanos + 1) / 1000 - 1)
        overflows = overflows || tooFar || tooLong
        mapped.append(micros)
      }
    }
    guard !overflows else { throw .malformed("INT96 time beyond microseconds") }
    return mapped.finish()
  }

  private static func halves(_ data: Buffer<UInt8>, count: Int) -> Buffer<Float> {
    var mapped = BufferBuilder<Float>(capacity: max(1, count))
    for index in 0..<count {
      mapped.append(single(UInt16(data[index * 2]) | UInt16(data[index * 2 + 1]) << 8))
    }
    return mapped.finish()
  }

  /// IEEE 754 binary16 to binary32, exact.
  static func single(_ half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let exponent = UInt32(half >> 10 & 0x1F)
    let fraction = UInt32(half & 0x3FF)
    switch (exponent, fraction) {
    case (0, 0): return Float(bitPattern: sign)
    case (0, _):
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case (31, _): return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }

  /// Decimals of any stored form as big-endian two's complement of `width` bytes.
  private static func decimals(
    _ values: Column.Values, count: Int, leaf: Leaf, width: Int
  ) throws(ParquetError) -> Column.Values {
    let isUnsigned: Bool
    if case .integer(_, isSigned: false) = leaf.logicalType { isUnsigned = true } else { isUnsigned = false }
    var out = BufferBuilder<UInt8>(capacity: max(1, count * width))
    var fits = true
    switch values {
    case .int32(let values):
      for value in values.array { fits = append(Int128(value), width: width, to: &out) && fits }
    case .int64(let values):
      for value in values.array {
        fits = append(isUnsigned ? Int128(UInt64(bitPattern: value)) : Int128(value), width: width, to: &out) && fits
      }
    case .fixed(let data, let found):
      if found == width { return values }
      for index in 0..<count { fits = resize(data, index * found, found, width: width, to: &out) && fits }
    case .bytes(let offsets, let data):
      for index in 0..<count {
        let (from, to) = (Int(offsets[index]), Int(offsets[index + 1]))
        fits = resize(data, from, to - from, width: width, to: &out) && fits
      }
    default: throw .malformed("decimal \(leaf.pathText) of another form")
    }
    guard fits else { throw .malformed("decimal of \(leaf.pathText) beyond its precision") }
    return .fixed(out.finish(), width: width)
  }

  private static func append(_ value: Int128, width: Int, to out: inout BufferBuilder<UInt8>) -> Bool {
    for byte in stride(from: width - 1, through: 0, by: -1) {
      out.append(UInt8(truncatingIfNeeded: value >> Int128(byte * 8)))
    }
    if width >= 16 { return true }
    let rest = value >> Int128(width * 8 - 1)
    return rest == 0 || rest == -1
  }

  private static func resize(
    _ data: Buffer<UInt8>, _ start: Int, _ length: Int, width: Int, to out: inout BufferBuilder<UInt8>
  ) -> Bool {
    let sign: UInt8 = length > 0 && data[start] & 0x80 != 0 ? 0xFF : 0
    out.append(repeating: sign, count: max(0, width - length))
    let dropped = max(0, length - width)
    for index in dropped..<length { out.append(data[start + index]) }
    for index in 0..<dropped where data[start + index] != sign { return false }
    return dropped == 0 || (width > 0 && (data[start + dropped] & 0x80 != 0) == (sign != 0))
  }
}
