import LakeJSON

/// A run of bytes inside memory that somebody else keeps alive: a field's text inside the request.
struct RawBytes: @unchecked Sendable {  // a view: whoever makes one keeps the memory alive and unchanged meanwhile
  let start: UnsafePointer<UInt8>
  let count: Int

  @inline(__always)
  init(_ start: UnsafePointer<UInt8>, _ count: Int) {
    self.start = start
    self.count = count
  }

  @inline(__always)
  init(_ text: StaticString) {
    start = text.utf8Start
    count = text.utf8CodeUnitCount
  }

  @inline(__always)
  var end: UnsafePointer<UInt8> { start + count }
  @inline(__always)
  var isEmpty: Bool { count == 0 }
  var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

  @inline(__always)
  func equals(_ other: RawBytes) -> Bool { count == other.count && equalBytes(start, other.start, count) }

  /// Bytes of no field: never read.
  static let none = RawBytes("")

  /// Of a number's text: it reads as a double.
  var hasPointOrExponent: Bool { buffer.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "e") } }

  @inline(__always)
  var isValidUTF8: Bool { isASCII || UTF8Check.isValid(buffer) }

  /// Whether no byte has its high bit set.
  @inline(__always)
  var isASCII: Bool {
    let raw = UnsafeRawPointer(start)
    var index = 0
    var seen: UInt64 = 0
    while index &+ 32 <= count {
      let a = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      let b = raw.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self)
      let c = raw.loadUnaligned(fromByteOffset: index &+ 16, as: UInt64.self)
      let d = raw.loadUnaligned(fromByteOffset: index &+ 24, as: UInt64.self)
      seen |= a | b | c | d
      index &+= 32
    }
    if count >= 8 {
      while index &+ 8 < count {
        seen |= raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        index &+= 8
      }
      seen |= raw.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
    } else if count >= 4 {
      seen = UInt64(load32(start)) | UInt64(load32(start + (count &- 4)))
    } else {
      while index < count {
        seen |= UInt64(start[index])
        index &+= 1
      }
    }
    return seen & 0x8080_8080_8080_8080 == 0
  }
}

@inline(__always)
func load64(_ at: UnsafePointer<UInt8>) -> UInt64 { UnsafeRawPointer(at).loadUnaligned(as: UInt64.self) }
@inline(__always)
func load32(_ at: UnsafePointer<UInt8>) -> UInt32 { UnsafeRawPointer(at).loadUnaligned(as: UInt32.self) }

/// Compares without reading beyond either run: the last word overlaps the one before it.
@inline(__always)
func equalBytes(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>, _ count: Int) -> Bool {
  if count >= 8 {
    var index = 0
    while index &+ 8 < count {
      if load64(a + index) != load64(b + index) { return false }
      index &+= 8
    }
    return load64(a + (count &- 8)) == load64(b + (count &- 8))
  }
  if count >= 4 { return load32(a) == load32(b) && load32(a + (count &- 4)) == load32(b + (count &- 4)) }
  var index = 0
  while index < count {
    if a[index] != b[index] { return false }
    index &+= 1
  }
  return true
}

/// Copies short runs without a call. The two runs do not overlap.
@inline(__always)
func copyBytes(_ from: UnsafePointer<UInt8>, to: UnsafeMutablePointer<UInt8>, _ count: Int) {
  let out = UnsafeMutableRawPointer(to)
  if count > 64 {
    out.copyMemory(from: from, byteCount: count)
  } else if count > 16 {
    let raw = UnsafeRawPointer(from)
    var index = 0
    while index &+ 16 < count {
      out.storeBytes(
        of: raw.loadUnaligned(fromByteOffset: index, as: SIMD2<UInt64>.self), toByteOffset: index,
        as: SIMD2<UInt64>.self)
      index &+= 16
    }
    let last = raw.loadUnaligned(fromByteOffset: count &- 16, as: SIMD2<UInt64>.self)
    out.storeBytes(of: last, toByteOffset: count &- 16, as: SIMD2<UInt64>.self)
  } else if count >= 8 {
    let (first, last) = (load64(from), load64(from + (count &- 8)))
    out.storeBytes(of: first, as: UInt64.self)
    out.storeBytes(of: last, toByteOffset: count &- 8, as: UInt64.self)
  } else if count >= 4 {
    let (first, last) = (load32(from), load32(from + (count &- 4)))
    out.storeBytes(of: first, as: UInt32.self)
    out.storeBytes(of: last, toByteOffset: count &- 4, as: UInt32.self)
  } else {
    var index = 0
    while index < count {
      to[index] = from[index]
      index &+= 1
    }
  }
}

/// Hashes for tables inside one decode; `seed` keeps collisions from being prepared.
@inline(__always)
func hashBytes(_ bytes: RawBytes, seed: UInt64) -> UInt64 {
  let count = bytes.count
  var hash = seed ^ UInt64(truncatingIfNeeded: count) &* 0xA076_1D64_78BD_642F
  if count >= 8 {
    var index = 0
    while index &+ 8 < count {
      hash = foldMultiply(hash ^ load64(bytes.start + index), seed | 0xE703_7ED1_A0B4_28DB)
      index &+= 8
    }
    return foldMultiply(hash ^ load64(bytes.start + (count &- 8)), seed ^ 0x8EBC_6AF0_9C88_C6E3)
  }
  var word: UInt64 = 0
  if count >= 4 {
    word = UInt64(load32(bytes.start)) | UInt64(load32(bytes.start + (count &- 4))) << 32
  } else if count > 0 {
    word =
      UInt64(bytes.start[0]) | UInt64(bytes.start[count >> 1]) << 8 | UInt64(bytes.start[count &- 1]) << 16
  }
  return foldMultiply(hash ^ word, seed ^ 0x8EBC_6AF0_9C88_C6E3)
}

@inline(__always)
func foldMultiply(_ a: UInt64, _ b: UInt64) -> UInt64 {
  let (high, low) = a.multipliedFullWidth(by: b)
  return high ^ low
}
