import LakeModel

/// Appends the values of one page in one encoding.
enum ValueEncoder {
  static func encode(
    _ values: DenseValues, _ range: Range<Int>, _ encoding: Encoding, into output: inout BufferBuilder<UInt8>
  ) {
    switch encoding {
    case .deltaBinaryPacked: deltaBinaryPacked(values, range, into: &output)
    case .deltaLengthByteArray: deltaLength(values, range, into: &output)
    case .deltaByteArray: deltaByteArray(values, range, into: &output)
    case .byteStreamSplit:
      raw(values) { base, width in
        ByteStreamSplit.encode(base + range.lowerBound * width, count: range.count, width: width, into: &output)
      }
    case .rle: booleanRuns(values, range, into: &output)
    default: plain(values, range, into: &output)
    }
  }

  /// Hands fixed-width values over as bytes.
  private static func raw(_ values: DenseValues, _ body: (UnsafeRawPointer, Int) -> Void) {
    switch values {
    case .int32(let values): values.withValues { body(UnsafeRawPointer($0.baseAddress!), 4) }
    case .int64(let values): values.withValues { body(UnsafeRawPointer($0.baseAddress!), 8) }
    case .float(let values): values.withValues { body(UnsafeRawPointer($0.baseAddress!), 4) }
    case .double(let values): values.withValues { body(UnsafeRawPointer($0.baseAddress!), 8) }
    case .fixed(let data, let width): data.withValues { body(UnsafeRawPointer($0.baseAddress!), width) }
    case .boolean, .bytes: preconditionFailure("not of a fixed width")
    }
  }

  static func plain(_ values: DenseValues, _ range: Range<Int>, into output: inout BufferBuilder<UInt8>) {
    switch values {
    case .boolean(let values):
      let start = output.count
      values.withValues {
        BitPacking.pack($0.baseAddress! + range.lowerBound, count: range.count, width: 1, into: &output)
      }
      precondition(output.count - start == (range.count + 7) / 8)
    case .bytes(let offsets, let data): plainRuns(offsets, data, range, into: &output)
    default:
      raw(values) { base, width in
        output.append(
          contentsOf: (base + range.lowerBound * width).assumingMemoryBound(to: UInt8.self), count: range.count * width)
      }
    }
  }

  private static func plainRuns(
    _ offsets: Buffer<UInt32>, _ data: Buffer<UInt8>, _ range: Range<Int>, into output: inout BufferBuilder<UInt8>
  ) {
    let offset = offsets.unsafeBase
    let total = Int(offset[range.upperBound] &- offset[range.lowerBound]) + range.count * 4
    let target = UnsafeMutableRawPointer(output.reserve(total))
    let source = UnsafeRawPointer(data.unsafeBase)
    var at = 0
    for index in range {
      let from = Int(offset[index])
      let length = Int(offset[index + 1]) - from
      target.storeBytes(of: UInt32(truncatingIfNeeded: length), toByteOffset: at, as: UInt32.self)
      ByteArrays.copyShort(
        from: source + from, to: target + at + 4, count: length, isWideSafe: from + 16 <= data.count)
      at += 4 + length
    }
    output.count += total
    withExtendedLifetime((offsets.storage, data.storage)) {}
  }

  private static func deltaBinaryPacked(
    _ values: DenseValues, _ range: Range<Int>, into output: inout BufferBuilder<UInt8>
  ) {
    switch values {
    case .int32(let values):
      values.withValues {
        DeltaBinaryPacked.encode($0.baseAddress! + range.lowerBound, count: range.count, into: &output)
      }
    case .int64(let values):
      values.withValues {
        DeltaBinaryPacked.encode($0.baseAddress! + range.lowerBound, count: range.count, into: &output)
      }
    default: preconditionFailure("not integers")
    }
  }

  private static func deltaLength(
    _ values: DenseValues, _ range: Range<Int>, into output: inout BufferBuilder<UInt8>
  ) {
    guard case .bytes(let offsets, let data) = values else { preconditionFailure("not text") }
    let offset = offsets.unsafeBase
    var lengths = BufferBuilder<Int32>(capacity: max(1, range.count))
    for index in range { lengths.append(Int32(truncatingIfNeeded: offset[index + 1] &- offset[index])) }
    DeltaBinaryPacked.encode(lengths.base, count: range.count, into: &output)
    let (from, to) = (Int(offset[range.lowerBound]), Int(offset[range.upperBound]))
    output.append(contentsOf: data.unsafeBase + from, count: to - from)
    withExtendedLifetime((offsets.storage, data.storage)) {}
  }

  private static func deltaByteArray(
    _ values: DenseValues, _ range: Range<Int>, into output: inout BufferBuilder<UInt8>
  ) {
    var prefixes = BufferBuilder<Int32>(capacity: max(1, range.count))
    var suffixes = BufferBuilder<Int32>(capacity: max(1, range.count))
    var rest = BufferBuilder<UInt8>(capacity: 64)
    var previous = UnsafeRawBufferPointer(start: nil, count: 0)
    for index in range {
      let run = values.run(index)
      var shared = 0
      while shared < run.count && shared < previous.count && run[shared] == previous[shared] { shared += 1 }
      prefixes.append(Int32(truncatingIfNeeded: shared))
      suffixes.append(Int32(truncatingIfNeeded: run.count - shared))
      if run.count > shared {
        let start = run.baseAddress! + shared
        rest.append(contentsOf: start.assumingMemoryBound(to: UInt8.self), count: run.count - shared)
      }
      previous = run
    }
    DeltaBinaryPacked.encode(prefixes.base, count: range.count, into: &output)
    DeltaBinaryPacked.encode(suffixes.base, count: range.count, into: &output)
    output.append(contentsOf: rest.base, count: rest.count)
  }

  /// Booleans as runs of one bit, after their length.
  private static func booleanRuns(
    _ values: DenseValues, _ range: Range<Int>, into output: inout BufferBuilder<UInt8>
  ) {
    guard case .boolean(let values) = values else { preconditionFailure("not booleans") }
    let start = output.count
    output.append(repeating: 0, count: 4)
    values.withValues {
      RunLength.encode($0.baseAddress! + range.lowerBound, count: range.count, width: 1, into: &output)
    }
    let length = UInt32(truncatingIfNeeded: output.count - start - 4)
    UnsafeMutableRawPointer(output.base + start).storeBytes(of: length.littleEndian, as: UInt32.self)
  }

  /// Dictionary indices: their width in one byte, then runs.
  static func indices(
    _ indices: Buffer<UInt32>, _ range: Range<Int>, width: Int, into output: inout BufferBuilder<UInt8>
  ) {
    output.append(UInt8(width))
    indices.withValues {
      if let base = $0.baseAddress {
        RunLength.encode(base + range.lowerBound, count: range.count, width: width, into: &output)
      }
    }
  }
}
