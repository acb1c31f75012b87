/// How text becomes positions in an index: the same for the writer, the reader and every version 1 file.
///
/// Grams are taken over bytes after ASCII letters were lowered, never across values. A trigram is spread over 2^16
/// positions, a run of six bytes over 2^20; a smaller bitmap keeps the low bits of the position.
enum TextGrams {
  static let shortBytes = 3
  static let longBytes = 6
  /// log2 of the positions before folding.
  static let shortBits = 16
  static let longBits = 20

  /// - Parameter word: the trigram in its lowest three bytes; what stands above does not matter.
  @inline(__always)
  static func shortPosition(_ word: UInt64) -> Int {
    Int(((UInt32(truncatingIfNeeded: word) & 0xFF_FFFF) &* 0x9E37_79B1) >> 16)
  }

  /// - Parameter word: the six bytes in its lowest six; what stands above does not matter.
  @inline(__always)
  static func longPosition(_ word: UInt64) -> Int {
    Int(((word & 0xFFFF_FFFF_FFFF) &* 0x9E37_79B9_7F4A_7C15) >> 44)
  }

  @inline(__always)
  static func lowered(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

  /// Copies bytes, ASCII letters lowered. Both sides have eight bytes of room beyond `count`.
  static func lower(_ source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int) {
    let (seven, toA, toZ): (UInt64, UInt64, UInt64) = (
      0x7F7F_7F7F_7F7F_7F7F, 0x3F3F_3F3F_3F3F_3F3F, 0x2525_2525_2525_2525
    )
    for at in stride(from: 0, to: count, by: 8) {
      let word = source.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      // The top bit of each byte says: at least A, above Z.
      let (fromA, aboveZ) = ((word & seven) &+ toA, (word & seven) &+ toZ)
      let letters = fromA & ~aboveZ & ~word & 0x8080_8080_8080_8080
      target.storeBytes(of: word | letters >> 2, toByteOffset: at, as: UInt64.self)
    }
  }
}
