import LakeModel
import LakeSchema

/// The present values of a leaf, one after another, in the form their physical type has.
enum DenseValues: Sendable {
  /// One byte per value.
  case boolean(Buffer<UInt8>)
  case int32(Buffer<Int32>)
  case int64(Buffer<Int64>)
  case float(Buffer<Float>)
  case double(Buffer<Double>)
  case fixed(Buffer<UInt8>, width: Int)
  /// One offset more than values; value `i` is `data[offsets[i] ..< offsets[i + 1]]`.
  case bytes(offsets: Buffer<UInt32>, data: Buffer<UInt8>)

  var count: Int {
    switch self {
    case .boolean(let values): values.count
    case .int32(let values): values.count
    case .int64(let values): values.count
    case .float(let values): values.count
    case .double(let values): values.count
    case .fixed(let data, let width): width == 0 ? 0 : data.count / width
    case .bytes(let offsets, _): offsets.count - 1
    }
  }

  /// Bytes of the values in `range` under the plain encoding.
  func plainBytes(_ range: Range<Int>) -> Int {
    switch self {
    case .boolean: (range.count + 7) / 8
    case .int32, .float: range.count * 4
    case .int64, .double: range.count * 8
    case .fixed(_, let width): range.count * width
    case .bytes(let offsets, _): dataBytes(range, offsets) + range.count * 4
    }
  }

  /// Bytes of text and binary values in `range`, lengths not counted; nil for other types.
  func unencodedBytes(_ range: Range<Int>) -> Int? {
    if case .bytes(let offsets, _) = self { return dataBytes(range, offsets) }
    return nil
  }

  private func dataBytes(_ range: Range<Int>, _ offsets: Buffer<UInt32>) -> Int {
    Int(offsets[range.upperBound]) - Int(offsets[range.lowerBound])
  }
}

/// A leaf's present values: as they are, or as positions in a dictionary that the batch brought.
enum SelectedValues {
  case dense(DenseValues)
  case indexed(Buffer<UInt32>, DenseValues)
}

extension SelectedValues {
  /// Picks the selected values of `column` and brings them into the form of `leaf`.
  init(_ column: Column, _ selection: Selection, leaf: Leaf) throws(ParquetError) {
    if case .dictionary(let indices, let dictionary) = column.values {
      guard dictionary.validity == nil else { throw .malformed("dictionary of \(leaf.pathText) has absent entries") }
      let entries = try DenseValues(dictionary, .run(0..<dictionary.count), leaf: leaf)
      let picked = Gather.pick(indices, selection)
      let limit = UInt32(clamping: dictionary.count)
      let isInside = picked.withValues { indices in
        // Counted, not searched: in vectors.
        var outside: UInt32 = 0
        for index in indices { outside |= index >= limit ? 1 : 0 }
        return outside == 0
      }
      guard isInside else { throw .malformed("index beyond the dictionary of \(leaf.pathText)") }
      self = .indexed(picked, entries)
    } else {
      self = .dense(try DenseValues(column, selection, leaf: leaf))
    }
  }
}

extension DenseValues {
  init(_ column: Column, _ selection: Selection, leaf: Leaf) throws(ParquetError) {
    switch (leaf.type, column.values) {
    case (.boolean, .boolean(let values)): self = .boolean(Gather.pick(values, selection))
    case (.int, .int32(let values)), (.date, .int32(let values)): self = .int32(Gather.pick(values, selection))
    case (.long, .int64(let values)), (.time, .int64(let values)), (.timestamp, .int64(let values)),
      (.timestamptz, .int64(let values)):
      self = .int64(Gather.pick(values, selection))
    case (.float, .float(let values)): self = .float(Gather.pick(values, selection))
    case (.double, .double(let values)): self = .double(Gather.pick(values, selection))
    case (.string, .bytes(let offsets, let data)), (.binary, .bytes(let offsets, let data)):
      self = try Gather.pick(offsets: offsets, data: data, selection)
    case (.uuid, .fixed(let data, 16)): self = .fixed(Gather.pick(data, width: 16, selection), width: 16)
    case (.fixed(let width), .fixed(let data, let found)) where width == found:
      self = .fixed(Gather.pick(data, width: width, selection), width: width)
    case (.decimal(let precision, _), .fixed(let data, let width))
    where width == FieldType.decimalBytes(precision: precision):
      let picked = Gather.pick(data, width: width, selection)
      self = Self.decimal(picked, width: width, as: leaf.physicalType)
    default: throw .malformed("column \(leaf.pathText) is not of its field's type")
    }
  }

  private static func decimal(_ data: Buffer<UInt8>, width: Int, as type: PhysicalType) -> DenseValues {
    let count = data.count / width
    switch type {
    case .int32:
      var values = BufferBuilder<Int32>(capacity: max(1, count))
      data.withValues {
        for index in 0..<count { values.append(Int32(truncatingIfNeeded: bigEndian($0, index, width))) }
      }
      return .int32(values.finish())
    case .int64:
      var values = BufferBuilder<Int64>(capacity: max(1, count))
      data.withValues { for index in 0..<count { values.append(bigEndian($0, index, width)) } }
      return .int64(values.finish())
    default: return .fixed(data, width: width)
    }
  }

  private static func bigEndian(_ data: UnsafeBufferPointer<UInt8>, _ index: Int, _ width: Int) -> Int64 {
    var value = Int64(Int8(bitPattern: data[index * width]))
    for byte in 1..<max(1, width) { value = value << 8 | Int64(data[index * width + byte]) }
    return value
  }
}

/// Picks selected values out of buffers; a run is shared, not copied.
enum Gather {
  static func pick<T: BitwiseCopyable>(_ values: Buffer<T>, _ selection: Selection) -> Buffer<T> {
    switch selection {
    case .run(let range): return values.slice(range)
    case .positions(let positions):
      var picked = BufferBuilder<T>(capacity: max(1, positions.count))
      let target = picked.reserve(positions.count)
      let source = values.unsafeBase
      positions.withValues { positions in
        for index in 0..<positions.count { target[index] = source[Int(positions[index])] }
      }
      picked.count = positions.count
      withExtendedLifetime(values.storage) {}
      return picked.finish()
    }
  }

  static func pick(_ data: Buffer<UInt8>, width: Int, _ selection: Selection) -> Buffer<UInt8> {
    switch selection {
    case .run(let range): return data.slice(range.lowerBound * width..<range.upperBound * width)
    case .positions(let positions):
      var picked = BufferBuilder<UInt8>(capacity: max(1, positions.count * width))
      let target = UnsafeMutableRawPointer(picked.reserve(positions.count * width))
      let source = UnsafeRawPointer(data.unsafeBase)
      positions.withValues { positions in
        for index in 0..<positions.count {
          (target + index * width).copyMemory(from: source + Int(positions[index]) * width, byteCount: width)
        }
      }
      picked.count = positions.count * width
      withExtendedLifetime(data.storage) {}
      return picked.finish()
    }
  }

  /// Text values. Absent ones between them are usually empty runs: then the data is shared and only offsets are picked.
  static func pick(
    offsets: Buffer<UInt32>, data: Buffer<UInt8>, _ selection: Selection
  ) throws(ParquetError) -> DenseValues {
    let isSound = offsets.withValues { offsets in
      var broken = false
      for index in 1..<max(1, offsets.count) { broken = broken || offsets[index] < offsets[index - 1] }
      return !broken && !offsets.isEmpty && Int(offsets[offsets.count - 1]) <= data.count
    }
    guard isSound else { throw .malformed("offsets of a text column do not ascend within its data") }
    switch selection {
    case .run(let range):
      return .bytes(offsets: offsets.slice(range.lowerBound..<range.upperBound + 1), data: data)
    case .positions(let positions):
      var picked = BufferBuilder<UInt32>(capacity: positions.count + 1)
      let isGapless = positions.withValues { positions in
        offsets.withValues { offsets in
          var end = positions.first.map { offsets[Int($0)] } ?? 0
          var gapless = true
          picked.append(end)
          for position in positions {
            gapless = gapless && offsets[Int(position)] == end
            end = offsets[Int(position) + 1]
            picked.append(end)
          }
          return gapless
        }
      }
      return isGapless ? .bytes(offsets: picked.finish(), data: data) : copy(offsets, data, positions)
    }
  }

  private static func copy(
    _ offsets: Buffer<UInt32>, _ data: Buffer<UInt8>, _ positions: Buffer<UInt32>
  ) -> DenseValues {
    var picked = BufferBuilder<UInt32>(capacity: positions.count + 1)
    var bytes = BufferBuilder<UInt8>(capacity: 64)
    picked.append(0)
    positions.withValues { positions in
      for position in positions {
        let (from, to) = (offsets[Int(position)], offsets[Int(position) + 1])
        bytes.append(contentsOf: data.unsafeBase + Int(from), count: Int(to - from))
        picked.append(UInt32(truncatingIfNeeded: bytes.count))
      }
    }
    withExtendedLifetime(data.storage) {}
    return .bytes(offsets: picked.finish(), data: bytes.finish())
  }

  /// The values that `indices` name, written out.
  static func materialize(_ indices: Buffer<UInt32>, _ dictionary: DenseValues) throws(ParquetError) -> DenseValues {
    switch dictionary {
    case .fixed(let data, let width): return .fixed(pick(data, width: width, .positions(indices)), width: width)
    case .int32(let values): return .int32(pick(values, .positions(indices)))
    case .int64(let values): return .int64(pick(values, .positions(indices)))
    case .bytes(let offsets, let data):
      var total = 0
      indices.withValues {
        for index in $0 { total += Int(offsets.unsafeBase[Int(index) + 1] &- offsets.unsafeBase[Int(index)]) }
      }
      guard total <= Int(UInt32.max) else {
        throw .limitExceeded("bytes of a text column", limit: Int(UInt32.max), found: total)
      }
      var picked = BufferBuilder<UInt32>(capacity: indices.count + 1)
      var bytes = BufferBuilder<UInt8>(capacity: max(1, total))
      let target = UnsafeMutableRawPointer(bytes.reserve(total))
      var written = 0
      picked.append(0)
      indices.withValues { indices in
        for index in indices {
          let (from, to) = (Int(offsets.unsafeBase[Int(index)]), Int(offsets.unsafeBase[Int(index) + 1]))
          ByteArrays.copyShort(
            from: UnsafeRawPointer(data.unsafeBase) + from, to: target + written, count: to - from,
            isWideSafe: from + 16 <= data.count)
          written += to - from
          picked.append(UInt32(truncatingIfNeeded: written))
        }
      }
      bytes.count = total
      withExtendedLifetime((offsets.storage, data.storage)) {}
      return .bytes(offsets: picked.finish(), data: bytes.finish())
    default: throw .malformed("dictionary of another type than text or fixed")
    }
  }
}
