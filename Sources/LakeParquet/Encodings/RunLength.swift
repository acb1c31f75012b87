import LakeModel

/// The hybrid of run-length and bit-packed runs (encoding RLE): levels, dictionary indices, booleans.
enum RunLength {
  /// Decodes exactly `count` values into `target`, which has room for `count` rounded up to eight more than that.
  /// - Returns: bytes read.
  static func decode<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ source: UnsafeRawBufferPointer, width: Int, count: Int, into target: UnsafeMutablePointer<T>
  ) throws(ParquetError) -> Int {
    var cursor = ByteCursor(source)
    var done = 0
    while done < count {
      let header = try cursor.varint()
      if header & 1 == 0 {
        let value = T(truncatingIfNeeded: try value(&cursor, width: width))
        let run = Int(min(header >> 1, UInt64(count - done)))
        guard run > 0 else { throw .malformed("run of no values") }
        (target + done).update(repeating: value, count: run)
        done += run
      } else {
        let groups = header >> 1
        guard groups > 0 else { throw .malformed("run of no values") }
        // The last run of a page may be longer than needed, and some writers cut off its padding.
        let wanted = min(groups, UInt64((count - done + 7) / 8))
        try unpack(&cursor, width: width, groups: Int(wanted), values: count - done, into: target + done)
        let extra = groups - wanted
        let (skipped, overflow) = Int(clamping: extra).multipliedReportingOverflow(by: width)
        if extra > 0 { cursor.position += overflow ? cursor.remaining : min(skipped, cursor.remaining) }
        done = Int(min(UInt64(count), UInt64(done) + wanted * 8))
      }
    }
    return cursor.position
  }

  /// Whether the first `count` levels, which take a byte, are one run of `value`.
  static func isOneRun(_ source: UnsafeRawBufferPointer, of value: UInt8, count: Int) -> Bool {
    var cursor = ByteCursor(source)
    guard let header = try? cursor.varint(), header & 1 == 0, header >> 1 >= UInt64(count), header > 0,
      let byte = try? cursor.byte()
    else { return false }
    return byte == value
  }

  private static func unpack<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ cursor: inout ByteCursor, width: Int, groups: Int, values: Int, into target: UnsafeMutablePointer<T>
  ) throws(ParquetError) {
    if cursor.remaining >= groups * width {
      BitPacking.unpack(try cursor.take(groups * width), width: width, groups: groups, into: target)
      return
    }
    let needed = (min(values, groups * 8) * width + 7) / 8
    guard cursor.remaining >= needed else { throw .truncated("run", needed: needed, found: cursor.remaining) }
    let padded = RawStorage(capacity: groups * width)
    padded.base.initializeMemory(as: UInt8.self, repeating: 0, count: groups * width)
    padded.base.copyMemory(from: cursor.base + cursor.position, byteCount: cursor.remaining)
    cursor.position = cursor.end
    BitPacking.unpack(
      UnsafeRawBufferPointer(start: padded.base, count: groups * width), width: width, groups: groups, into: target)
    withExtendedLifetime(padded) {}
  }

  private static func value(_ cursor: inout ByteCursor, width: Int) throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<((width + 7) / 8) { value |= UInt64(try cursor.byte()) << UInt64(index * 8) }
    if width < 64 && value >> UInt64(width) != 0 { throw .malformed("run value wider than \(width) bits") }
    return value
  }

  /// Values a target of `decode` needs room for.
  static func room(_ count: Int) -> Int { count + 8 }

  /// Encodes `count` values of `width` bits.
  static func encode<T: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, count: Int, width: Int, into output: inout BufferBuilder<UInt8>
  ) {
    if width == 0 {
      if count > 0 { appendVarint(UInt64(count) << 1, to: &output) }
      return
    }
    // A run pays when it is shorter than its packed form and the header of the packed run after it.
    let runMin = width == 1 ? 32 : width == 2 ? 16 : 8
    var literalStart = 0
    var at = 0
    while at < count {
      let run = runLength(values + at, limit: count - at, enough: runMin)
      if run >= runMin {
        literal(values + literalStart, count: at - literalStart, width: width, into: &output)
        let length = run + continuation(of: values + at, from: run, limit: count - at)
        appendVarint(UInt64(length) << 1, to: &output)
        appendValue(UInt64(truncatingIfNeeded: values[at]), width: width, to: &output)
        at += length
        literalStart = at
      } else {
        at += 8
      }
    }
    literal(values + literalStart, count: count - literalStart, width: width, into: &output)
  }

  /// How many values from the start are equal, looking at no more than `enough` of them.
  @inline(__always)
  private static func runLength<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, limit: Int, enough: Int
  ) -> Int {
    let first = values[0]
    let end = min(limit, enough)
    var length = 1
    if MemoryLayout<T>.size == 1 {
      // Levels: eight at a time.
      let all = UInt64(truncatingIfNeeded: first) & 0xFF &* 0x0101_0101_0101_0101
      let bytes = UnsafeRawPointer(values)
      length = 0
      while length + 8 <= end {
        let difference = bytes.loadUnaligned(fromByteOffset: length, as: UInt64.self).littleEndian ^ all
        if difference != 0 { return length + difference.trailingZeroBitCount / 8 }
        length += 8
      }
    }
    while length < end && values[length] == first { length += 1 }
    return length
  }

  @inline(__always)
  private static func continuation<T: FixedWidthInteger & BitwiseCopyable>(
    of values: UnsafePointer<T>, from start: Int, limit: Int
  ) -> Int {
    let first = values[0]
    var end = start
    while end + 8 <= limit {
      var difference: T = 0
      for lane in 0..<8 { difference |= values[end + lane] ^ first }
      if difference != 0 { break }
      end += 8
    }
    while end < limit && values[end] == first { end += 1 }
    return end - start
  }

  private static func literal<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, count: Int, width: Int, into output: inout BufferBuilder<UInt8>
  ) {
    guard count > 0 else { return }
    appendVarint(UInt64((count + 7) / 8) << 1 | 1, to: &output)
    BitPacking.pack(values, count: count, width: width, into: &output)
  }

  private static func appendValue(_ value: UInt64, width: Int, to output: inout BufferBuilder<UInt8>) {
    for index in 0..<((width + 7) / 8) { output.append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8))) }
  }

  static func appendVarint(_ value: UInt64, to output: inout BufferBuilder<UInt8>) {
    var rest = value
    while rest >= 0x80 {
      output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    output.append(UInt8(rest))
  }

  /// Decodes the deprecated BIT_PACKED encoding of levels: `width` bits each from the highest bit of the first byte on.
  /// - Returns: bytes read.
  static func decodeLegacyBitPacked(
    _ source: UnsafeRawBufferPointer, width: Int, count: Int, into target: UnsafeMutablePointer<UInt8>
  ) throws(ParquetError) -> Int {
    let needed = (count * width + 7) / 8
    guard source.count >= needed else { throw .truncated("levels", needed: needed, found: source.count) }
    for index in 0..<count {
      var value: UInt8 = 0
      for bit in index * width..<(index + 1) * width {
        value = value << 1 | (source[bit >> 3] >> UInt8(7 - bit & 7)) & 1
      }
      target[index] = value
    }
    return needed
  }
}
