import LakeCompression
import LakeModel
import Testing

@Suite("Blocks of known size")
struct CompressorTests {
  static let texts: [[UInt8]] = [
    [], [7], Array("the same words, the same words, the same words, the same words".utf8),
    Array(repeating: 0, count: 100_000), (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) },
  ]

  @Test(
    "every codec gives back what it took, into memory of exactly the right size", arguments: CompressionCodec.allCases)
  func roundTrip(codec: CompressionCodec) throws {
    let compressor = Compressor()
    for text in Self.texts {
      let packed = try compressor.compress(Bytes(text), codec: codec)
      #expect(try compressor.decompress(packed, codec: codec, uncompressedSize: text.count).array == text)
    }
  }

  @Test("a block that is larger or smaller than promised is an error", arguments: CompressionCodec.allCases)
  func wrongSize(codec: CompressionCodec) throws {
    let compressor = Compressor()
    let text = Array(repeating: UInt8(ascii: "x"), count: 1000)
    let packed = try compressor.compress(Bytes(text), codec: codec)
    for size in [0, 1, 999] {
      #expect(throws: CompressionError.self) {
        try compressor.decompress(packed, codec: codec, uncompressedSize: size)
      }
    }
    #expect(throws: CompressionError.sizeMismatch(expected: 1001, found: 1000)) {
      try compressor.decompress(packed, codec: codec, uncompressedSize: 1001)
    }
  }

  @Test(
    "a block cut short anywhere is an error",
    arguments: CompressionCodec.allCases.filter { $0 != .none })
  func truncation(codec: CompressionCodec) throws {
    let compressor = Compressor()
    let text = Array("alpha beta alpha beta gamma alpha beta delta 0123456789".utf8)
    let packed = try compressor.compress(Bytes(text), codec: codec)
    for length in 0..<packed.count {
      #expect(throws: CompressionError.self) {
        try compressor.decompress(packed[0..<length], codec: codec, uncompressedSize: text.count)
      }
    }
  }

  @Test("lzo is refused with its reason, an unknown name with the names there are")
  func names() throws {
    #expect(try CompressionCodec.named("ZSTD") == .zstd)
    #expect(try CompressionCodec.named("lz4_raw") == .lz4raw)
    #expect(
      throws: CompressionError.unsupported(
        "lzo: the only complete implementation is GPL and no current reader ships it; use zstd, snappy or lz4_raw")
    ) { try CompressionCodec.named("lzo") }
    #expect(throws: CompressionError.unsupported("lz5: not one of none, snappy, gzip, zstd, lz4_raw, brotli")) {
      try CompressionCodec.named("lz5")
    }
  }

  @Test("the checksum is the one every zip tool computes")
  func crc() {
    #expect(CRC32.checksum(Bytes("123456789")) == 0xCBF4_3926)
    #expect(CRC32.checksum(Bytes()) == 0)
  }

  @Test("the checksum is that of bit after bit, whatever length, place and beginning")
  func crcBitByBit() {
    func model(_ bytes: ArraySlice<UInt8>, _ previous: UInt32) -> UInt32 {
      var rest = ~previous
      for byte in bytes {
        rest ^= UInt32(byte)
        for _ in 0..<8 { rest = rest & 1 != 0 ? rest >> 1 ^ 0xEDB8_8320 : rest >> 1 }
      }
      return ~rest
    }
    var random: UInt64 = 7
    let bytes = (0..<1100).map { _ -> UInt8 in
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: random >> 56)
    }
    for count in Array(0...300) + [511, 512, 513, 1023, 1024, 1031] {
      for start in [0, 1, 7, 16] {
        let part = bytes[start..<start + count]
        let whole = part.withUnsafeBytes { CRC32.checksum($0) }
        #expect(whole == model(part, 0), "\(count) bytes from \(start)")
        let first = part.prefix(count / 3).withUnsafeBytes { CRC32.checksum($0) }
        let continued = part.dropFirst(count / 3).withUnsafeBytes { CRC32.checksum($0, continuing: first) }
        #expect(continued == whole, "\(count) bytes from \(start) in two pieces")
      }
    }
  }
}
