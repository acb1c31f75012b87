import LakeModel

/// Unsigned integers of 0 to 64 bits, packed from the lowest bit of the first byte on.
enum BitPacking {
  /// Unpacks groups of eight values; `count` is rounded up to whole groups, which `target` has room for.
  ///
  /// - Precondition: `source` has `width * groups` bytes.
  static func unpack<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawBufferPointer, width: Int, groups: Int, into target: UnsafeMutablePointer<T>
  ) {
    precondition(source.count >= width * groups && width <= 64)
    guard groups > 0 else { return }
    if width == 0 {
      target.update(repeating: 0, count: groups * 8)
      return
    }
    // A group's last load reads up to nine bytes beyond the group: the last groups go through a padded copy.
    let base = source.baseAddress!
    let safe = max(0, min(groups, (source.count - 9) / width))
    unpackUnchecked(base, width: width, groups: safe, into: target)
    if safe < groups { unpackTail(base + safe * width, width: width, groups: groups - safe, into: target + safe * 8) }
  }

  private static func unpackTail<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, width: Int, groups: Int, into target: UnsafeMutablePointer<T>
  ) {
    withUnsafeTemporaryAllocation(byteCount: 64 + 16, alignment: 16) { scratch in
      for group in 0..<groups {
        scratch.baseAddress!.copyMemory(from: source + group * width, byteCount: width)
        unpackUnchecked(UnsafeRawPointer(scratch.baseAddress!), width: width, groups: 1, into: target + group * 8)
      }
    }
  }

  /// One loop per width, so that every shift and offset is a constant.
  private static func unpackUnchecked<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, width: Int, groups: Int, into target: UnsafeMutablePointer<T>
  ) {
    switch width {
    case 1: run(source, 1, groups, target)
    case 2: run(source, 2, groups, target)
    case 3: run(source, 3, groups, target)
    case 4: run(source, 4, groups, target)
    case 5: run(source, 5, groups, target)
    case 6: run(source, 6, groups, target)
    case 7: run(source, 7, groups, target)
    case 8: run(source, 8, groups, target)
    case 9: run(source, 9, groups, target)
    case 10: run(source, 10, groups, target)
    case 11: run(source, 11, groups, target)
    case 12: run(source, 12, groups, target)
    case 13: run(source, 13, groups, target)
    case 14: run(source, 14, groups, target)
    case 15: run(source, 15, groups, target)
    case 16: run(source, 16, groups, target)
    case 17: run(source, 17, groups, target)
    case 18: run(source, 18, groups, target)
    case 19: run(source, 19, groups, target)
    case 20: run(source, 20, groups, target)
    case 24: run(source, 24, groups, target)
    case 32: run(source, 32, groups, target)
    case ..<57: run(source, width, groups, target)
    default: runWide(source, width, groups, target)
    }
  }

  @inline(__always)
  private static func run<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ width: Int, _ groups: Int, _ target: UnsafeMutablePointer<T>
  ) {
    let mask: UInt64 = (1 << UInt64(width)) &- 1
    var from = source
    var to = target
    for _ in 0..<groups {
      for lane in 0..<8 {
        let bit = lane &* width
        let word = from.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self)
        to[lane] = T(truncatingIfNeeded: (word &>> UInt64(truncatingIfNeeded: bit & 7)) & mask)
      }
      from += width
      to += 8
    }
  }

  /// 57 to 64 bits: a value may need nine bytes.
  private static func runWide<T: FixedWidthInteger & BitwiseCopyable>(
    _ source: UnsafeRawPointer, _ width: Int, _ groups: Int, _ target: UnsafeMutablePointer<T>
  ) {
    let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) &- 1
    for group in 0..<groups {
      let from = source + group * width
      for lane in 0..<8 {
        let bit = lane * width
        let shift = UInt64(bit & 7)
        let low = from.loadUnaligned(fromByteOffset: bit >> 3, as: UInt64.self) >> shift
        let high = UInt64(from.load(fromByteOffset: bit >> 3 + 8, as: UInt8.self))
        let word = shift == 0 ? low : low | high << (64 - shift)
        target[group * 8 + lane] = T(truncatingIfNeeded: word & mask)
      }
    }
  }

  /// Packs `count` values, filling up the last group of eight with zeros; `width` bytes per group.
  static func pack<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, count: Int, width: Int, into output: inout BufferBuilder<UInt8>
  ) {
    let bytes = (count + 7) / 8 * width
    // Stores are whole words: up to eight bytes beyond the end, which the storage's padding holds.
    let target = UnsafeMutableRawPointer(output.reserve(bytes))
    let whole = packWhole(values, width: width, groups: count / 8, into: target) ? count / 8 : 0
    packRest(values + whole * 8, count: count - whole * 8, width: width, into: target + whole * width)
    output.count += bytes
  }

  /// One loop per width, so that every shift and offset is a constant. - Returns: false for widths without one.
  private static func packWhole<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, width: Int, groups: Int, into target: UnsafeMutableRawPointer
  ) -> Bool {
    switch width {
    case 1 where MemoryLayout<T>.size == 1: packBits(UnsafeRawPointer(values), groups, target)
    case 1: packRun(values, 1, groups, target)
    case 2: packRun(values, 2, groups, target)
    case 3: packRun(values, 3, groups, target)
    case 4: packRun(values, 4, groups, target)
    case 5: packRun(values, 5, groups, target)
    case 6: packRun(values, 6, groups, target)
    case 7: packRun(values, 7, groups, target)
    case 8: packRun(values, 8, groups, target)
    case 9: packRun(values, 9, groups, target)
    case 10: packRun(values, 10, groups, target)
    case 11: packRun(values, 11, groups, target)
    case 12: packRun(values, 12, groups, target)
    case 13: packRun(values, 13, groups, target)
    case 14: packRun(values, 14, groups, target)
    case 15: packRun(values, 15, groups, target)
    case 16: packRun(values, 16, groups, target)
    case 17: packRun(values, 17, groups, target)
    case 18: packRun(values, 18, groups, target)
    case 19: packRun(values, 19, groups, target)
    case 20: packRun(values, 20, groups, target)
    default: return false
    }
    return true
  }

  /// Bytes that are 0 or 1, eight to a byte: the product brings the lowest bit of each byte to the top, none onto another.
  private static func packBits(_ values: UnsafeRawPointer, _ groups: Int, _ target: UnsafeMutableRawPointer) {
    for group in 0..<groups {
      let word = values.loadUnaligned(fromByteOffset: group &* 8, as: UInt64.self).littleEndian & 0x0101_0101_0101_0101
      let byte = UInt8(truncatingIfNeeded: (word &* 0x0102_0408_1020_4080) &>> 56)
      target.storeBytes(of: byte, toByteOffset: group, as: UInt8.self)
    }
  }

  @inline(__always)
  private static func packRun<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, _ width: Int, _ groups: Int, _ target: UnsafeMutableRawPointer
  ) {
    var from = values
    var to = target
    for _ in 0..<groups {
      var word: UInt64 = 0
      var filled = 0
      var at = 0
      for lane in 0..<8 {
        word |= UInt64(truncatingIfNeeded: from[lane]) &<< UInt64(truncatingIfNeeded: filled)
        filled &+= width
        if filled >= 32 {
          to.storeBytes(of: UInt32(truncatingIfNeeded: word).littleEndian, toByteOffset: at, as: UInt32.self)
          word &>>= 32
          filled &-= 32
          at &+= 4
        }
      }
      // The next group overwrites what this one stores beyond its end.
      if filled > 0 {
        to.storeBytes(of: UInt32(truncatingIfNeeded: word).littleEndian, toByteOffset: at, as: UInt32.self)
      }
      from += 8
      to += width
    }
  }

  private static func packRest<T: FixedWidthInteger & BitwiseCopyable>(
    _ values: UnsafePointer<T>, count: Int, width: Int, into target: UnsafeMutableRawPointer
  ) {
    var word: UInt64 = 0
    var filled = 0
    var at = 0
    for index in 0..<count {
      let value = UInt64(truncatingIfNeeded: values[index])
      word |= value &<< UInt64(truncatingIfNeeded: filled)
      filled += width
      if filled >= 64 {
        target.storeBytes(of: word, toByteOffset: at, as: UInt64.self)
        at += 8
        filled -= 64
        word = filled == 0 ? 0 : value &>> UInt64(truncatingIfNeeded: width - filled)
      }
    }
    var rest = (count + 7) / 8 * width - at
    while rest > 0 {
      target.storeBytes(of: word, toByteOffset: at, as: UInt64.self)
      word = 0
      at += 8
      rest -= 8
    }
  }

  /// Bits that `value` needs.
  @inline(__always)
  static func width(of value: UInt64) -> Int { UInt64.bitWidth - value.leadingZeroBitCount }
}
