import LakeCompression
import LakeModel
import Testing

@Suite("HTTP bodies of unknown size")
struct ContentEncodingTests {
  static let text = Array(
    (0..<3000).map { "line \($0) of a text that is long enough to need several buffers" }.joined().utf8)

  @Test("every encoding gives back what it took", arguments: ContentEncoding.allCases)
  func roundTrip(encoding: ContentEncoding) throws {
    for body in [[], [1], Self.text] {
      let packed = try encoding.encode(Bytes(body))
      #expect(try encoding.decode(packed, limit: 1 << 20).array == body)
      #expect(try encoding.decode(packed, limit: body.count).array == body)
    }
  }

  @Test("one byte over the limit is refused as such", arguments: ContentEncoding.allCases)
  func limit(encoding: ContentEncoding) throws {
    let packed = try encoding.encode(Bytes(Self.text))
    for limit in [0, 10, Self.text.count - 1] {
      #expect(throws: CompressionError.limitExceeded(limit: limit)) { try encoding.decode(packed, limit: limit) }
    }
  }

  @Test(
    "a body cut short anywhere is malformed",
    arguments: ContentEncoding.allCases.filter { $0 != .identity && $0 != .snappyFramed })
  func truncation(encoding: ContentEncoding) throws {
    let packed = try encoding.encode(Bytes(Array(Self.text.prefix(600))))
    for length in 0..<packed.count {
      #expect(throws: CompressionError.self) { try encoding.decode(packed[0..<length], limit: 1 << 20) }
    }
  }

  @Test("gzip members and zstd frames in a row are one text", arguments: [ContentEncoding.gzip, .zstd, .lz4])
  func members(encoding: ContentEncoding) throws {
    let both = try encoding.encode(Bytes("first,")).array + encoding.encode(Bytes("second")).array
    #expect(try encoding.decode(Bytes(both), limit: 100).text == "first,second")
    #expect(throws: CompressionError.self) { try encoding.decode(Bytes(both + [1, 2, 3]), limit: 100) }
  }

  /// Written by Python: zlib.compressobj(9, zlib.DEFLATED, -15) on b"raw raw raw raw".
  @Test("deflate without the zlib header is read too")
  func rawDeflate() throws {
    let raw: [UInt8] = [0x2B, 0x4A, 0x2C, 0x57, 0x28, 0x42, 0x60, 0x00]
    #expect(try ContentEncoding.deflate.decode(Bytes(raw), limit: 100).text == "raw raw raw raw")
  }

  /// Written by the zstd tool from a pipe, which leaves the content size out.
  @Test("a zstd frame without its content size is read")
  func streamedZstd() throws {
    let frame: [UInt8] = [
      0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, 0x39, 0x00, 0x00, 0x70, 0x69, 0x70, 0x65, 0x64, 0x20, 0x0A,
    ]
    let decoded = try? ContentEncoding.zstd.decode(Bytes(frame), limit: 100)
    #expect(decoded?.text == "piped \n")
  }

  /// Written by Google's snappy and by liblz4, through Python's cramjam.
  @Test("snappy's framing format and lz4 frames of others are read")
  func frames() throws {
    let snappy: [UInt8] = [
      0xFF, 0x06, 0x00, 0x00, 0x73, 0x4E, 0x61, 0x50, 0x70, 0x59, 0x00, 0x10, 0x00, 0x00, 0x1C, 0x67, 0x5B, 0x48, 0x1B,
      0x18, 0x73, 0x6E, 0x61, 0x70, 0x70, 0x79, 0x20, 0x4E, 0x07, 0x00,
    ]
    #expect(ContentEncoding.isSnappyFramed(Bytes(snappy)))
    #expect(try ContentEncoding.snappyFramed.decode(Bytes(snappy), limit: 100).text == "snappy snappy snappy snappy")
    // Kinds of chunks that may be passed over, and one that may not.
    #expect(try ContentEncoding.snappyFramed.decode(Bytes(snappy + [0xFE, 2, 0, 0, 1, 2]), limit: 100).count == 27)
    #expect(throws: CompressionError.self) {
      try ContentEncoding.snappyFramed.decode(Bytes(snappy + [0x02, 2, 0, 0, 1, 2]), limit: 100)
    }
    for length in 0..<snappy.count where length != 10 {
      #expect(throws: CompressionError.self) {
        try ContentEncoding.snappyFramed.decode(Bytes(snappy)[0..<length], limit: 100)
      }
    }
    for index in 14..<18 {
      var wrong = snappy
      wrong[index] ^= 1
      #expect(throws: CompressionError.self) { try ContentEncoding.snappyFramed.decode(Bytes(wrong), limit: 100) }
    }
    let lz4: [UInt8] = [
      0x04, 0x22, 0x4D, 0x18, 0x54, 0x40, 0xAE, 0x0D, 0x00, 0x00, 0x00, 0x4A, 0x6C, 0x7A, 0x34, 0x20, 0x04, 0x00, 0x50,
      0x34, 0x20, 0x6C, 0x7A, 0x34, 0xC0, 0x66, 0x20, 0xA9, 0x00, 0x00, 0x00, 0x00, 0xE9, 0xC1, 0xD7, 0x78,
    ]
    #expect(try ContentEncoding.lz4.decode(Bytes(lz4), limit: 100).text == "lz4 lz4 lz4 lz4 lz4 lz4")
  }

  @Test("header tokens are met in any case, unknown ones are nil")
  func tokens() {
    #expect(ContentEncoding(token: "GZIP") == .gzip)
    #expect(ContentEncoding(token: "x-gzip") == .gzip)
    #expect(ContentEncoding(token: "br") == .brotli)
    #expect(ContentEncoding(token: "compress") == nil)
  }
}
