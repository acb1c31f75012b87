import LakeModel

/// Where decoded text and binary values go: Arrow-like offsets and data, growing over the pages of a chunk.
struct ByteArraySink: ~Copyable {
  var offsets: BufferBuilder<UInt32>
  var data: BufferBuilder<UInt8>
  /// Data bytes it will hold; at most what 32-bit offsets can tell.
  let bytesMax: Int

  init(bytesMax: Int) {
    self.bytesMax = min(bytesMax, Int(UInt32.max))
    offsets = BufferBuilder(capacity: 16)
    data = BufferBuilder(capacity: 16)
    offsets.append(0)
  }

  var count: Int { offsets.count - 1 }

  /// Makes room for `extra` bytes of data.
  mutating func reserveData(_ extra: Int) throws(ParquetError) -> UnsafeMutableRawPointer {
    let (total, overflow) = data.count.addingReportingOverflow(extra)
    guard !overflow && total <= bytesMax else {
      throw .limitExceeded("bytes of a text column", limit: bytesMax, found: overflow ? .max : total)
    }
    return UnsafeMutableRawPointer(data.reserve(extra))
  }

  consuming func values() -> Column.Values { .bytes(offsets: offsets.finish(), data: data.finish()) }
}

/// Encodings of text and binary values.
enum ByteArrays {
  /// Copies a short run by one wide store where both sides have room for it.
  @inline(__always)
  static func copyShort(
    from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, isWideSafe: Bool
  ) {
    if count <= 16 && isWideSafe {
      target.storeBytes(of: source.loadUnaligned(as: SIMD2<UInt64>.self), as: SIMD2<UInt64>.self)
    } else {
      target.copyMemory(from: source, byteCount: count)
    }
  }

  /// PLAIN: a 32-bit length before each value.
  static func decodePlain(
    _ source: UnsafeRawBufferPointer, count: Int, into sink: inout ByteArraySink
  ) throws(ParquetError) {
    guard count <= source.count / 4 else {
      throw .truncated(
        "text values", needed: count.multipliedReportingOverflow(by: 4).partialValue, found: source.count)
    }
    guard count > 0 else { return }
    let data = try sink.reserveData(source.count - count * 4)
    let offsets = sink.offsets.reserve(count)
    let base = source.baseAddress!
    let start = sink.data.count
    var at = 0
    var written = 0
    for index in 0..<count {
      guard at + 4 <= source.count else { throw .truncated("text length", needed: 4, found: source.count - at) }
      let length = Int(base.loadUnaligned(fromByteOffset: at, as: UInt32.self))
      at += 4
      guard length <= source.count - at else {
        throw .truncated("text value", needed: length, found: source.count - at)
      }
      guard written + length <= source.count - count * 4 else { throw .malformed("text values overrun their page") }
      // The target's storage is padded by 64 bytes.
      copyShort(from: base + at, to: data + written, count: length, isWideSafe: at + 16 <= source.count)
      at += length
      written += length
      offsets[index] = UInt32(truncatingIfNeeded: start + written)
    }
    sink.offsets.count += count
    sink.data.count += written
  }

  /// DELTA_LENGTH_BYTE_ARRAY: all lengths, delta-packed, then all bytes.
  static func decodeDeltaLength(
    _ source: UnsafeRawBufferPointer, count: Int, into sink: inout ByteArraySink
  ) throws(ParquetError) {
    var cursor = ByteCursor(source)
    let lengths = try decodeLengths(&cursor, count: count)
    let total = try sum(lengths, atMost: cursor.remaining)
    let data = try sink.reserveData(total)
    if total > 0 { data.copyMemory(from: cursor.base + cursor.position, byteCount: total) }
    let offsets = sink.offsets.reserve(count)
    var end = UInt32(truncatingIfNeeded: sink.data.count)
    lengths.withValues { lengths in
      for index in 0..<count {
        end &+= UInt32(bitPattern: lengths[index])
        offsets[index] = end
      }
    }
    sink.offsets.count += count
    sink.data.count += total
  }

  /// DELTA_BYTE_ARRAY: how much each value shares with the one before, then the rest of each.
  static func decodeDelta(
    _ source: UnsafeRawBufferPointer, count: Int, into sink: inout ByteArraySink
  ) throws(ParquetError) {
    var cursor = ByteCursor(source)
    let prefixes = try decodeLengths(&cursor, count: count)
    let suffixes = try decodeLengths(&cursor, count: count)
    let suffixBytes = try sum(suffixes, atMost: cursor.remaining)
    let prefixBytes = try sum(prefixes, atMost: .max)
    let (total, overflow) = suffixBytes.addingReportingOverflow(prefixBytes)
    let data = try sink.reserveData(overflow ? .max : total)
    let offsets = sink.offsets.reserve(count)
    let start = sink.data.count
    var from = cursor.base + cursor.position
    var written = 0
    var previousStart = 0
    var previousLength = 0
    for index in 0..<count {
      let prefix = Int(prefixes[index])
      let suffix = Int(suffixes[index])
      guard prefix <= previousLength else { throw .malformed("prefix longer than the value before") }
      let valueStart = written
      if prefix > 0 { (data + written).copyMemory(from: data + previousStart, byteCount: prefix) }
      if suffix > 0 { (data + written + prefix).copyMemory(from: from, byteCount: suffix) }
      from += suffix
      written += prefix + suffix
      previousStart = valueStart
      previousLength = prefix + suffix
      offsets[index] = UInt32(truncatingIfNeeded: start + written)
    }
    sink.offsets.count += count
    sink.data.count += written
  }

  /// FIXED_LEN_BYTE_ARRAY values under DELTA_BYTE_ARRAY, or any other run of equal lengths.
  static func requireWidth(_ offsets: Buffer<UInt32>, width: Int) throws(ParquetError) {
    let isEven = offsets.withValues { offsets in
      var wrong = false
      for index in 1..<max(1, offsets.count) {
        wrong = wrong || Int(offsets[index] &- offsets[index - 1]) != width
      }
      return !wrong
    }
    if !isEven { throw .malformed("value of another width than \(width)") }
  }

  private static func decodeLengths(
    _ cursor: inout ByteCursor, count: Int
  ) throws(ParquetError) -> Buffer<Int32> {
    var lengths = BufferBuilder<Int32>(capacity: 16)
    let found = try DeltaBinaryPacked.decode(&cursor, countMax: count) { lengths.reserve($0) }
    guard found == count else { throw .malformed("\(found) lengths for \(count) values") }
    lengths.count = count
    return lengths.finish()
  }

  /// The sum of lengths, none of them negative.
  private static func sum(_ lengths: Buffer<Int32>, atMost limit: Int) throws(ParquetError) -> Int {
    let (total, signs) = lengths.withValues { lengths in
      var total = 0
      var signs: Int32 = 0
      for length in lengths {
        total &+= Int(length)
        signs |= length
      }
      return (total, signs)
    }
    guard signs >= 0 else { throw .malformed("negative length") }
    guard total <= limit else { throw .truncated("text values", needed: total, found: limit) }
    return total
  }
}
