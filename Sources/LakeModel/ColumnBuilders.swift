/// Collects presence; costs nothing until the first absent value.
@usableFromInline package struct ValidityBuilder: ~Copyable {
  @usableFromInline var bytes: BufferBuilder<UInt8>
  @usableFromInline var isTracking = false
  /// Values seen so far, present or not.
  @usableFromInline package internal(set) var count = 0

  package init() { bytes = BufferBuilder(capacity: 64) }

  @inlinable
  package mutating func append(_ isPresent: Bool) {
    if isPresent && !isTracking {
      advance(1)
    } else {
      appendTracked(isPresent)
    }
  }

  @usableFromInline
  mutating func advance(_ extra: Int) { count &+= extra }

  @usableFromInline
  mutating func appendTracked(_ isPresent: Bool) {
    if !isTracking {
      bytes.append(repeating: 1, count: count)
      isTracking = true
    }
    bytes.append(isPresent ? 1 : 0)
    count &+= 1
  }

  package consuming func finish() -> Buffer<UInt8>? { isTracking ? bytes.finish() : nil }
}

/// Builds a column of fixed-width values.
@usableFromInline package struct FixedColumnBuilder<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline package var values: BufferBuilder<Element>
  @usableFromInline package var validity = ValidityBuilder()
  private let absent: Element

  package init(absent: Element, capacity: Int = 64) {
    values = BufferBuilder(capacity: capacity)
    self.absent = absent
  }

  package var count: Int { values.count }

  @inlinable
  package mutating func append(_ value: Element) {
    values.append(value)
    validity.append(true)
  }

  package mutating func appendAbsent() {
    values.append(absent)
    validity.append(false)
  }

  package consuming func finish() -> (Buffer<Element>, Buffer<UInt8>?) {
    (values.finish(), validity.finish())
  }
}

extension FixedColumnBuilder where Element == Int64 {
  package init(capacity: Int = 64) { self.init(absent: 0, capacity: capacity) }
  package consuming func column() -> Column {
    let (values, validity) = finish()
    return Column(.int64(values), count: values.count, validity: validity)
  }
}
extension FixedColumnBuilder where Element == Int32 {
  package init(capacity: Int = 64) { self.init(absent: 0, capacity: capacity) }
  package consuming func column() -> Column {
    let (values, validity) = finish()
    return Column(.int32(values), count: values.count, validity: validity)
  }
}
extension FixedColumnBuilder where Element == Double {
  package init(capacity: Int = 64) { self.init(absent: 0, capacity: capacity) }
  package consuming func column() -> Column {
    let (values, validity) = finish()
    return Column(.double(values), count: values.count, validity: validity)
  }
}
extension FixedColumnBuilder where Element == UInt8 {
  package init(capacity: Int = 64) { self.init(absent: 0, capacity: capacity) }
  /// A column of booleans, one byte each.
  package consuming func column() -> Column {
    let (values, validity) = finish()
    return Column(.boolean(values), count: values.count, validity: validity)
  }
}

/// Builds a column of byte runs (text or binary). At most 4 GiB of data.
@usableFromInline package struct BytesColumnBuilder: ~Copyable {
  @usableFromInline package var offsets: BufferBuilder<UInt32>
  @usableFromInline package var data: BufferBuilder<UInt8>
  @usableFromInline package var validity = ValidityBuilder()

  package init(capacity: Int = 64, bytesPerValue: Int = 16) {
    offsets = BufferBuilder(capacity: capacity + 1)
    data = BufferBuilder(capacity: capacity * bytesPerValue)
    offsets.append(0)
  }

  package var count: Int { offsets.count - 1 }

  @inlinable
  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    if let base = bytes.baseAddress {
      UnsafeMutableRawPointer(data.reserve(bytes.count)).copyMemory(from: base, byteCount: bytes.count)
      data.count &+= bytes.count
    }
    finishValue()
  }

  package mutating func append(_ text: String) {
    var text = text
    text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
  }

  package mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Ends a value whose bytes the caller has written to `data` piece by piece.
  @inlinable
  package mutating func finishValue() {
    precondition(data.count <= Int(UInt32.max))
    offsets.append(UInt32(truncatingIfNeeded: data.count))
    validity.append(true)
  }

  package mutating func appendAbsent() {
    offsets.append(UInt32(truncatingIfNeeded: data.count))
    validity.append(false)
  }

  package consuming func column() -> Column {
    let count = offsets.count - 1
    return Column(.bytes(offsets: offsets.finish(), data: data.finish()), count: count, validity: validity.finish())
  }
}

/// Builds a column of fixed-length byte strings (ids).
@usableFromInline package struct FixedBytesColumnBuilder: ~Copyable {
  package var data: BufferBuilder<UInt8>
  package var validity = ValidityBuilder()
  package let width: Int

  package init(width: Int, capacity: Int = 64) {
    self.width = width
    data = BufferBuilder(capacity: capacity * width)
  }

  package var count: Int { data.count / width }

  /// - Precondition: `bytes` has exactly `width` bytes.
  package mutating func append(_ bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == width)
    data.append(contentsOf: bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), count: width)
    validity.append(true)
  }

  package mutating func appendAbsent() {
    data.append(repeating: 0, count: width)
    validity.append(false)
  }

  package consuming func column() -> Column {
    let count = data.count / width
    return Column(.fixed(data.finish(), width: width), count: count, validity: validity.finish())
  }
}
