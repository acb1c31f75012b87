import LakeModel

/// Smallest and largest of some values, NaN left out, and how many were NaN.
struct ValueBounds: Sendable {
  var min: ParquetValue?
  var max: ParquetValue?
  var nanCount = 0

  mutating func merge(_ other: ValueBounds, order: ValueOrder) {
    if let value = other.min, min.map({ order.isLess(value, $0) }) ?? true { min = value }
    if let value = other.max, max.map({ order.isLess($0, value) }) ?? true { max = value }
    nanCount += other.nanCount
  }
}

extension ValueBounds {
  /// The bounds of the values in `range`.
  init(_ values: DenseValues, _ range: Range<Int>, order: ValueOrder) {
    guard !range.isEmpty else { return }
    switch values {
    case .boolean(let values):
      let (low, high) = Self.extremes(values, range)
      (min, max) = (.boolean(low != 0), .boolean(high != 0))
    case .int32(let values):
      let (low, high) = Self.extremes(values, range)
      (min, max) = (.int(low), .int(high))
    case .int64(let values):
      let (low, high) = Self.extremes(values, range)
      (min, max) = (.long(low), .long(high))
    case .float(let values):
      if let (low, high) = Self.floating(values, range, &nanCount) {
        (min, max) = (.float(low == 0 ? -0.0 : low), .float(high == 0 ? 0.0 : high))
      }
    case .double(let values):
      if let (low, high) = Self.floating(values, range, &nanCount) {
        (min, max) = (.double(low == 0 ? -0.0 : low), .double(high == 0 ? 0.0 : high))
      }
    case .fixed, .bytes:
      let (low, high) = values.extremeRuns(range.count, order) { range.lowerBound &+ $0 }
      (min, max) = (.bytes(Bytes(copying: values.run(low))), .bytes(Bytes(copying: values.run(high))))
    }
  }

  private static func extremes<T: Comparable & BitwiseCopyable>(_ values: Buffer<T>, _ range: Range<Int>) -> (T, T) {
    values.slice(range).withValues { values in
      var (low, high) = (values[0], values[0])
      for value in values {
        low = value < low ? value : low
        high = value > high ? value : high
      }
      return (low, high)
    }
  }

  private static func floating<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ values: Buffer<T>, _ range: Range<Int>, _ nanCount: inout Int
  ) -> (T, T)? {
    values.slice(range).withValues { values in
      var (low, high) = (T.infinity, -T.infinity)
      var nans = 0
      for value in values {
        nans &+= value == value ? 0 : 1
        low = value < low ? value : low
        high = value > high ? value : high
      }
      nanCount += nans
      return nans == values.count ? nil : (low, high)
    }
  }
}

extension DenseValues {
  /// The smallest and the largest of some runs of bytes.
  ///
  /// - Parameters:
  ///   - count: of the runs, at least one.
  ///   - position: of the `n`th of them among the values.
  @inline(__always)
  func extremeRuns(_ count: Int, _ order: ValueOrder, position: (Int) -> Int) -> (low: Int, high: Int) {
    switch self {
    case .fixed(let data, let width):
      defer { withExtendedLifetime(data.storage) {} }
      let (base, bytes) = (UnsafeRawPointer(data.unsafeBase), data.count)
      return Self.extremeRuns(count, order, base: base, bytes: bytes, position) { ($0 &* width, width) }
    case .bytes(let offsets, let data):
      defer { withExtendedLifetime((offsets.storage, data.storage)) {} }
      let (base, bytes) = (UnsafeRawPointer(data.unsafeBase), data.count)
      let offset = offsets.unsafeBase
      return Self.extremeRuns(count, order, base: base, bytes: bytes, position) {
        (Int(offset[$0]), Int(offset[$0 &+ 1] &- offset[$0]))
      }
    default: preconditionFailure("not runs of bytes")
    }
  }

  /// Most runs are told from both extremes by their first eight bytes.
  @inline(__always)
  private static func extremeRuns(
    _ count: Int, _ order: ValueOrder, base: UnsafeRawPointer, bytes: Int, _ position: (Int) -> Int,
    _ place: (Int) -> (start: Int, length: Int)
  ) -> (low: Int, high: Int) {
    // Of signed values the first bit weighs the other way round.
    let sign: UInt64 = order == .signedBytes ? 1 << 63 : 0
    func run(_ position: Int) -> UnsafeRawBufferPointer {
      let (start, length) = place(position)
      return UnsafeRawBufferPointer(start: base + start, count: length)
    }
    func key(_ position: Int) -> UInt64 {
      let (start, length) = place(position)
      guard start + 8 <= bytes else { return ByteOrder.prefix(run(position)) ^ sign }
      let word = base.loadUnaligned(fromByteOffset: start, as: UInt64.self).bigEndian
      return (length >= 8 ? word : length == 0 ? 0 : word & (UInt64.max << UInt64(64 &- 8 &* length))) ^ sign
    }
    var (low, high) = (position(0), position(0))
    var (lowKey, highKey) = (key(low), key(high))
    for number in 1..<max(1, count) {
      let at = position(number)
      let word = key(at)
      if word > lowKey && word < highKey { continue }
      if word <= lowKey, word < lowKey || order.isLess(run(at), run(low)) {
        (low, lowKey) = (at, word)
      }
      if word >= highKey, word > highKey || order.isLess(run(high), run(at)) {
        (high, highKey) = (at, word)
      }
    }
    return (low, high)
  }

  /// The bytes of value `index` of a text, binary or fixed column. Valid while the column is alive.
  @inline(__always)
  func run(_ index: Int) -> UnsafeRawBufferPointer {
    switch self {
    case .fixed(let data, let width):
      return UnsafeRawBufferPointer(start: data.unsafeBase + index * width, count: width)
    case .bytes(let offsets, let data):
      let (from, to) = (Int(offsets.unsafeBase[index]), Int(offsets.unsafeBase[index + 1]))
      return UnsafeRawBufferPointer(start: data.unsafeBase + from, count: to - from)
    default: preconditionFailure("not runs of bytes")
    }
  }
}

extension ParquetValue {
  /// The plain encoding, without a length, as statistics have it.
  var plain: Bytes {
    switch self {
    case .boolean(let value): Bytes([value ? 1 : 0])
    case .int(let value): withUnsafeBytes(of: value.littleEndian) { Bytes(copying: $0) }
    case .long(let value): withUnsafeBytes(of: value.littleEndian) { Bytes(copying: $0) }
    case .float(let value): withUnsafeBytes(of: value.bitPattern.littleEndian) { Bytes(copying: $0) }
    case .double(let value): withUnsafeBytes(of: value.bitPattern.littleEndian) { Bytes(copying: $0) }
    case .bytes(let value): value
    }
  }
}

/// A bound shortened to fit the footer: still a bound, no longer a value.
struct ShortenedBound {
  var bytes: Bytes
  var isExact: Bool

  /// The longest prefix of at most `limit` bytes; text is cut between characters.
  static func lower(_ value: Bytes, limit: Int, isText: Bool) -> ShortenedBound {
    guard value.count > limit else { return ShortenedBound(bytes: value, isExact: true) }
    return ShortenedBound(bytes: prefix(value, limit: limit, isText: isText), isExact: false)
  }

  /// The shortest run above every value with the prefix; nil when there is none (all bytes 0xFF): then no bound is told.
  static func upper(_ value: Bytes, limit: Int, isText: Bool) -> ShortenedBound? {
    guard value.count > limit else { return ShortenedBound(bytes: value, isExact: true) }
    var bytes = prefix(value, limit: limit, isText: isText).array
    if isText {
      guard let raised = raisedText(bytes) else { return nil }
      return ShortenedBound(bytes: Bytes(raised), isExact: false)
    }
    while let last = bytes.popLast() {
      if last < 0xFF { return ShortenedBound(bytes: Bytes(bytes + [last + 1]), isExact: false) }
    }
    return nil
  }

  private static func prefix(_ value: Bytes, limit: Int, isText: Bool) -> Bytes {
    var end = limit
    if isText { while end > 0 && value[end] & 0xC0 == 0x80 { end -= 1 } }
    return value[0..<(end == 0 ? limit : end)]
  }

  /// Raises the last character that can be raised, so that the bound stays valid UTF-8.
  private static func raisedText(_ bytes: [UInt8]) -> [UInt8]? {
    guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
    var scalars = Array(text.unicodeScalars)
    while let last = scalars.popLast() {
      let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
      guard let raised = Unicode.Scalar(next) else { continue }
      var result = String.UnicodeScalarView()
      result.append(contentsOf: scalars)
      result.append(raised)
      return Array(String(result).utf8)
    }
    return nil
  }
}
