import LakeModel

/// DELTA_BINARY_PACKED: differences to the value before, less the smallest of their block, bit-packed.
///
///     header   | block size | miniblocks per block | value count | first value |   varints, the last zigzag
///     block    | smallest difference | width of each miniblock, 1 byte each | miniblocks |
///
/// Arithmetic wraps, as the format says.
enum DeltaBinaryPacked {
  static let blockSize = 128
  static let miniblocks = 4
  static let miniblockSize = 32

  /// Decodes a run of at most `countMax` values, handing the number there are to `reserve` for the place they go to;
  /// that has room for `miniblockMax` values more. `cursor` ends up behind the run.
  static func decode<T: FixedWidthInteger & BitwiseCopyable>(
    _ cursor: inout ByteCursor, countMax: Int, reserve: (Int) -> UnsafeMutablePointer<T>
  ) throws(ParquetError) -> Int {
    let (miniblockSize, miniblocks, count) = try header(&cursor, countMax: countMax)
    let first = try cursor.zigzag()
    let target = reserve(count)
    guard count > 0 else { return 0 }
    target[0] = T(truncatingIfNeeded: first)
    var last = first
    var done = 1
    let scratch = RawStorage(capacity: miniblockSize * 8)
    let deltas = scratch.base.bindMemory(to: UInt64.self, capacity: miniblockSize)
    while done < count {
      let smallest = try cursor.zigzag()
      let widths = try cursor.take(miniblocks)
      for width in widths where done < count {
        let wanted = min(miniblockSize, count - done)
        try unpack(&cursor, width: Int(width), size: miniblockSize, wanted: wanted, into: deltas)
        for index in 0..<wanted {
          last = last &+ smallest &+ Int64(bitPattern: deltas[index])
          target[done &+ index] = T(truncatingIfNeeded: last)
        }
        done += wanted
      }
    }
    withExtendedLifetime(scratch) {}
    return count
  }

  private static func header(
    _ cursor: inout ByteCursor, countMax: Int
  ) throws(ParquetError) -> (miniblockSize: Int, miniblocks: Int, count: Int) {
    let blockSize = try cursor.varint()
    let miniblocks = try cursor.varint()
    let count = try cursor.varint()
    guard blockSize > 0, blockSize <= 1 << 16, miniblocks > 0, miniblocks <= 1 << 9, blockSize % miniblocks == 0,
      (blockSize / miniblocks) % 32 == 0
    else { throw .malformed("delta block of \(blockSize) values in \(miniblocks) miniblocks") }
    guard count <= UInt64(countMax) else { throw .malformed("delta run of \(count) values where \(countMax) fit") }
    return (Int(blockSize / miniblocks), Int(miniblocks), Int(count))
  }

  private static func unpack(
    _ cursor: inout ByteCursor, width: Int, size: Int, wanted: Int, into deltas: UnsafeMutablePointer<UInt64>
  ) throws(ParquetError) {
    guard width <= 64 else { throw .malformed("delta width \(width)") }
    let bytes = size / 8 * width
    if cursor.remaining >= bytes {
      BitPacking.unpack(try cursor.take(bytes), width: width, groups: size / 8, into: deltas)
      return
    }
    // The padding of the very last miniblock may be missing.
    let needed = (wanted * width + 7) / 8
    guard cursor.remaining >= needed else { throw .truncated("delta run", needed: needed, found: cursor.remaining) }
    let padded = RawStorage(capacity: bytes)
    padded.base.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
    padded.base.copyMemory(from: cursor.base + cursor.position, byteCount: cursor.remaining)
    cursor.position = cursor.end
    BitPacking.unpack(
      UnsafeRawBufferPointer(start: padded.base, count: bytes), width: width, groups: size / 8, into: deltas)
    withExtendedLifetime(padded) {}
  }

  /// Encodes values of 32 or 64 bits. Differences wrap at the type's own width, so that they never need more bits.
  static func encode<T: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, count: Int, into output: inout BufferBuilder<UInt8>
  ) {
    RunLength.appendVarint(UInt64(blockSize), to: &output)
    RunLength.appendVarint(UInt64(miniblocks), to: &output)
    RunLength.appendVarint(UInt64(count), to: &output)
    appendZigzag(count == 0 ? 0 : Int64(values[0]), to: &output)
    withUnsafeTemporaryAllocation(of: UInt64.self, capacity: blockSize) { scratch in
      let deltas = scratch.baseAddress!
      var at = 1
      while at < count {
        let taken = min(blockSize, count - at)
        block(values + at, count: taken, deltas: deltas, into: &output)
        at += taken
      }
    }
  }

  private static func block<T: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, count: Int, deltas: UnsafeMutablePointer<UInt64>,
    into output: inout BufferBuilder<UInt8>
  ) {
    var smallest = T.max
    for index in 0..<count {
      let delta = values[index] &- values[index - 1]
      smallest = min(smallest, delta)
    }
    let mask: UInt64 = T.bitWidth == 64 ? .max : (1 << UInt64(T.bitWidth)) &- 1
    for index in 0..<count {
      let delta = values[index] &- values[index - 1] &- smallest
      deltas[index] = UInt64(truncatingIfNeeded: delta) & mask
    }
    (deltas + count).update(repeating: 0, count: blockSize - count)
    appendZigzag(Int64(smallest), to: &output)
    let widthsAt = output.count
    output.append(repeating: 0, count: miniblocks)
    for miniblock in 0..<miniblocks where miniblock * miniblockSize < count {
      let part = deltas + miniblock * miniblockSize
      var union: UInt64 = 0
      for index in 0..<miniblockSize { union |= part[index] }
      let width = BitPacking.width(of: union)
      output[widthsAt + miniblock] = UInt8(width)
      BitPacking.pack(part, count: miniblockSize, width: width, into: &output)
    }
  }

  private static func appendZigzag(_ value: Int64, to output: inout BufferBuilder<UInt8>) {
    RunLength.appendVarint(UInt64(bitPattern: value << 1 ^ value >> 63), to: &output)
  }
}
