import LakeModel

/// A byte string to look for, prepared once per query.
///
/// The search tests two bytes of the needle at 32 positions at once, the two that are rarest in log text; where both
/// fit, the whole needle is compared. With `isFolded` ASCII letters match in either case; other bytes match themselves.
package struct ByteNeedle: Sendable {
  let storage: RawStorage
  package let count: Int
  let isFolded: Bool
  /// Where in the needle the two probed bytes lie, and what they are.
  private let probeA: Int
  private let probeB: Int
  private let byteA: UInt8
  private let byteB: UInt8

  /// - Precondition: `bytes` is not empty.
  package init(_ bytes: [UInt8], isFolded: Bool = false) {
    precondition(!bytes.isEmpty)
    let bytes = isFolded ? bytes.map(ASCII.lowered) : bytes
    storage = Bytes(bytes).storage
    count = bytes.count
    self.isFolded = isFolded
    (probeA, probeB) = ByteNeedle.rarest(bytes)
    byteA = bytes[probeA]
    byteB = bytes[probeB]
  }

  init(_ text: String, isFolded: Bool = false) { self.init(Array(text.utf8), isFolded: isFolded) }

  /// The needle itself, letters lowered when it is folded.
  var bytes: [UInt8] { Bytes(storage: storage, offset: 0, count: count).array }

  /// The first occurrence that lies wholly in `base[start ..< end]`, as an offset from `base`; -1 when there is none.
  ///
  /// Reads nothing outside `start ..< end`.
  package func firstMatch(in base: UnsafeRawPointer, from start: Int, to end: Int) -> Int {
    let last = end - count  // the last position a match can start at
    guard start <= last else { return -1 }
    let maskA: UInt8 = isFolded && ASCII.isLetter(byteA) ? 0x20 : 0
    let maskB: UInt8 = isFolded && ASCII.isLetter(byteB) ? 0x20 : 0
    // Without folding the loop has no masks at all.
    if maskA | maskB == 0 { return search(base, start, last, maskA: nil, maskB: nil) }
    return search(base, start, last, maskA: maskA, maskB: maskB)
  }

  @inline(__always)
  private func search(_ base: UnsafeRawPointer, _ start: Int, _ last: Int, maskA: UInt8?, maskB: UInt8?) -> Int {
    var at = start
    let (probeA, probeB) = (base + probeA, base + probeB)
    let patternA = SIMD32<UInt8>(repeating: byteA)
    let patternB = SIMD32<UInt8>(repeating: byteB)
    while at &+ 31 <= last {
      var a = (probeA + at).loadUnaligned(as: SIMD4<UInt64>.self)
      var b = (probeB + at).loadUnaligned(as: SIMD4<UInt64>.self)
      if let maskA { a |= ByteNeedle.words(SIMD32(repeating: maskA)) }
      if let maskB { b |= ByteNeedle.words(SIMD32(repeating: maskB)) }
      let difference = (a ^ ByteNeedle.words(patternA)) | (b ^ ByteNeedle.words(patternB))
      let zero = ByteNeedle.zeroBytes(difference)
      if ((zero[0] | zero[1]) | (zero[2] | zero[3])) != 0 {
        let found = verify(zero, base, at)
        if found >= 0 { return found }
      }
      at &+= 32
    }
    while at &+ 7 <= last {
      var a = (probeA + at).loadUnaligned(as: UInt64.self)
      var b = (probeB + at).loadUnaligned(as: UInt64.self)
      if let maskA { a |= ByteNeedle.lanes(maskA) }
      if let maskB { b |= ByteNeedle.lanes(maskB) }
      let difference = (a ^ ByteNeedle.lanes(byteA)) | (b ^ ByteNeedle.lanes(byteB))
      var bits = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
      while bits != 0 {
        let candidate = at &+ bits.trailingZeroBitCount >> 3
        if isMatch(base + candidate) { return candidate }
        bits &= bits &- 1
      }
      at &+= 8
    }
    while at <= last {
      if isMatch(base + at) { return at }
      at &+= 1
    }
    return -1
  }

  /// The first of the candidates marked in `zero` (bit 7 of a byte) where the whole needle stands.
  @inline(never)
  private func verify(_ zero: SIMD4<UInt64>, _ base: UnsafeRawPointer, _ at: Int) -> Int {
    for lane in 0..<4 {
      var bits = zero[lane]
      while bits != 0 {
        let candidate = at &+ lane &* 8 &+ bits.trailingZeroBitCount >> 3
        if isMatch(base + candidate) { return candidate }
        bits &= bits &- 1
      }
    }
    return -1
  }

  /// Sets the top bit of bytes that are zero, and perhaps of a few bytes above such a one: candidates are verified.
  @inline(__always)
  private static func zeroBytes(_ words: SIMD4<UInt64>) -> SIMD4<UInt64> {
    (words &- SIMD4(repeating: 0x0101_0101_0101_0101)) & ~words & SIMD4(repeating: 0x8080_8080_8080_8080)
  }

  @inline(__always)
  private static func words(_ bytes: SIMD32<UInt8>) -> SIMD4<UInt64> { unsafeBitCast(bytes, to: SIMD4<UInt64>.self) }

  func occurs(in text: UnsafeRawBufferPointer) -> Bool {
    guard let base = text.baseAddress else { return false }
    return firstMatch(in: base, from: 0, to: text.count) >= 0
  }

  /// Whether the needle stands at `text`; `count` bytes are readable there.
  @inline(__always)
  private func isMatch(_ text: UnsafeRawPointer) -> Bool {
    let needle = UnsafeRawPointer(storage.base)
    if !isFolded {
      var index = 0
      while index + 8 <= count {
        guard
          (text + index).loadUnaligned(as: UInt64.self) == (needle + index).loadUnaligned(as: UInt64.self)
        else { return false }
        index += 8
      }
      while index < count {
        guard text.load(fromByteOffset: index, as: UInt8.self) == needle.load(fromByteOffset: index, as: UInt8.self)
        else { return false }
        index += 1
      }
      return true
    }
    for index in 0..<count {
      let byte = ASCII.lowered(text.load(fromByteOffset: index, as: UInt8.self))
      guard byte == needle.load(fromByteOffset: index, as: UInt8.self) else { return false }
    }
    return true
  }

  private static func lanes(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

  /// Positions of the two bytes that are rarest in log text (the same one twice when the needle has one byte).
  private static func rarest(_ bytes: [UInt8]) -> (Int, Int) {
    var best = 0
    for index in bytes.indices where ASCII.frequency(bytes[index]) < ASCII.frequency(bytes[best]) { best = index }
    guard bytes.count > 1 else { return (0, 0) }
    var second = best == 0 ? 1 : 0
    for index in bytes.indices where index != best && ASCII.frequency(bytes[index]) < ASCII.frequency(bytes[second]) {
      second = index
    }
    return (best, second)
  }
}

enum ASCII {
  @inline(__always)
  static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 97 < 26 }

  @inline(__always)
  static func lowered(_ byte: UInt8) -> UInt8 { byte &- 65 < 26 ? byte | 0x20 : byte }

  @inline(__always)
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

  /// How common a byte is in log lines, roughly, 0 rare to 255 common. Only speed depends on it.
  static func frequency(_ byte: UInt8) -> Int {
    switch byte {
    case UInt8(ascii: " "): 255
    case UInt8(ascii: "e"): 230
    case UInt8(ascii: "t"), UInt8(ascii: "a"), UInt8(ascii: "0"), UInt8(ascii: "1"): 210
    case UInt8(ascii: "\""), UInt8(ascii: "s"), UInt8(ascii: "o"), UInt8(ascii: "n"), UInt8(ascii: "i"): 200
    case UInt8(ascii: "r"), UInt8(ascii: "2"), UInt8(ascii: "d"), UInt8(ascii: "c"): 180
    case UInt8(ascii: "3")...UInt8(ascii: "9"): 160
    case UInt8(ascii: "l"), UInt8(ascii: "p"), UInt8(ascii: "m"), UInt8(ascii: "u"): 150
    case UInt8(ascii: "."), UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "/"): 185
    case UInt8(ascii: ","): 170
    case UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "g"), UInt8(ascii: "h"): 120
    case UInt8(ascii: "v"), UInt8(ascii: "w"), UInt8(ascii: "y"), UInt8(ascii: "k"), UInt8(ascii: "_"): 90
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): 60
    case UInt8(ascii: "x"), UInt8(ascii: "j"), UInt8(ascii: "q"), UInt8(ascii: "z"): 50
    case 128...255: 80
    default: 40
    }
  }
}
