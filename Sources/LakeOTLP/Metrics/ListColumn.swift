import LakeModel

/// A list of numbers in each row, or none at all.
struct ListColumn<Element: BitwiseCopyable>: ~Copyable {
  private(set) var values = BufferBuilder<Element>()
  private var offsets = BufferBuilder<UInt32>(capacity: 64)
  private var presence = Presence()

  init() { offsets.append(0) }

  /// One more value of the current row.
  @inline(__always)
  mutating func add(_ value: Element) { values.append(value) }

  /// Ends the row. - Parameter isPresent: false for rows of other metric types, which added nothing.
  @inline(__always)
  mutating func endRow(isPresent: Bool) {
    presence.append(isPresent, after: offsets.count - 1)
    offsets.append(UInt32(truncatingIfNeeded: values.count))
  }

  consuming func finish() -> (values: Buffer<Element>, offsets: Buffer<UInt32>, validity: Buffer<UInt8>?) {
    (values.finish(), offsets.finish(), presence.finish())
  }
}

extension ListColumn<Int64> {
  consuming func column() -> Column {
    let (values, offsets, validity) = finish()
    let element = Column(.int64(values), count: values.count)
    return Column(.list(offsets: offsets, element: element), count: offsets.count - 1, validity: validity)
  }
}

extension ListColumn<Double> {
  consuming func column() -> Column {
    let (values, offsets, validity) = finish()
    let element = Column(.double(values), count: values.count)
    return Column(.list(offsets: offsets, element: element), count: offsets.count - 1, validity: validity)
  }
}
