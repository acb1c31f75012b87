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
}
