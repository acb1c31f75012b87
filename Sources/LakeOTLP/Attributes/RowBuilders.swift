import LakeModel

// Columns of rows whose number is known before they come: room is made once (`reserve`), then values are stored without looking.

extension BufferBuilder {
  /// Stores a value for which `reserve` made room.
  @inline(__always)
  mutating func push(_ value: Element) {
    base[count] = value
    count &+= 1
  }
}

/// Presence of a column's values, one byte each from the first absent one on.
struct Presence: ~Copyable {
  private var bytes = BufferBuilder<UInt8>(capacity: 1)
  private var isTracking = false

  /// - Parameter count: values before this one.
  @inline(__always)
  mutating func append(_ isPresent: Bool, after count: Int) {
    if isTracking {
      bytes.append(isPresent ? 1 : 0)
    } else if !isPresent {
      track(after: count)
    }
  }

  private mutating func track(after count: Int) {
    isTracking = true
    bytes.append(repeating: 1, count: count)
    bytes.append(0)
  }

  mutating func append(_ isPresent: Bool, repeated extra: Int, after count: Int) {
    guard extra > 0, isTracking || !isPresent else { return }
    if !isTracking { bytes.append(repeating: 1, count: count) }
    isTracking = true
    bytes.append(repeating: isPresent ? 1 : 0, count: extra)
  }

  consuming func finish() -> Buffer<UInt8>? { isTracking ? bytes.finish() : nil }
}

/// Fixed-width values, some absent.
struct OptionalColumn<Element: BitwiseCopyable & AdditiveArithmetic>: ~Copyable {
  private(set) var values = BufferBuilder<Element>(capacity: 256)
  private var presence = Presence()

  mutating func reserve(_ rows: Int) { _ = values.reserve(rows) }

  @inline(__always)
  mutating func push(_ value: Element) {
    presence.append(true, after: values.count)
    values.push(value)
  }

  @inline(__always)
  mutating func pushAbsent() {
    presence.append(false, after: values.count)
    values.push(.zero)
  }

  consuming func finish() -> (Buffer<Element>, Buffer<UInt8>?) { (values.finish(), presence.finish()) }
}

extension OptionalColumn where Element == Int32 {
  consuming func column() -> Column {
    let (values, validity) = finish()
    return Column(.int32(values), count: values.count, validity: validity)
  }
}

extension OptionalColumn where Element == Int64 {
  consuming func column() -> Column {
    let (values, validity) = finish()
    return Column(.int64(values), count: values.count, validity: validity)
  }
}

extension OptionalColumn where Element == Double {
  consuming func column() -> Column {
    let (values, validity) = finish()
    return Column(.double(values), count: values.count, validity: validity)
  }
}

/// Ids of one length, some absent.
struct IDColumn: ~Copyable {
  private let width: Int
  private var data: BufferBuilder<UInt8>
  private var presence = Presence()
  private var count = 0

  init(width: Int) {
    self.width = width
    data = BufferBuilder(capacity: 256 * width)
  }

  mutating func reserve(_ rows: Int) { _ = data.reserve(rows * width) }

  /// - Returns: false when the id is none (absent here) but not empty.
  @inline(__always)
  mutating func push(_ id: RawBytes) -> Bool {
    let isValid = IDs.isValid(id, count: width)
    presence.append(isValid, after: count)
    if isValid {
      copyBytes(id.start, to: data.base + data.count, width)
    } else {
      UnsafeMutableRawPointer(data.base + data.count).initializeMemory(as: UInt8.self, repeating: 0, count: width)
    }
    data.count &+= width
    count &+= 1
    return isValid || id.isEmpty
  }

  consuming func column() -> Column {
    let rows = count
    return Column(.fixed(data.finish(), width: width), count: rows, validity: presence.finish())
  }
}

/// A text column that is mostly absent: rows without a value cost nothing until one with a value comes.
struct RareTextColumn: ~Copyable {
  private var builder: TextColumnBuilder

  init(seed: UInt64) { builder = TextColumnBuilder(seed: seed) }

  /// - Returns: false when invalid UTF-8 was repaired.
  mutating func set(_ text: RawBytes, row: Int) -> Bool {
    builder.append(nil, count: row - builder.count)
    return builder.append(text)
  }

  consuming func column(count: Int) -> Column {
    builder.append(nil, count: count - builder.count)
    return builder.column()
  }
}

/// A text column that is mostly absent and whose values are mostly different.
struct RareBytesColumn: ~Copyable {
  private var offsets = BufferBuilder<UInt32>(capacity: 1)
  private(set) var data = BufferBuilder<UInt8>(capacity: 1)
  private var presence = Presence()
  private var count = 0

  init() { offsets.append(0) }

  private mutating func skip(to row: Int) {
    presence.append(false, repeated: row - count, after: count)
    offsets.append(repeating: UInt32(data.count), count: row - count)
    count = row
  }

  mutating func set(_ text: RawBytes, row: Int) {
    skip(to: row)
    data.append(text)
    precondition(data.count <= Int(UInt32.max))  // bodies are bounded far below (see `DecodeLimits`)
    offsets.append(UInt32(data.count))
    presence.append(true, after: count)
    count += 1
  }

  consuming func column(count rows: Int) -> Column {
    skip(to: rows)
    return Column(.bytes(offsets: offsets.finish(), data: data.finish()), count: rows, validity: presence.finish())
  }
}
