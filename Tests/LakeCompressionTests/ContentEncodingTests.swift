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
    arguments: ContentEncoding.allCases.filter { $0 != .identity })
  func truncation(encoding: ContentEncoding) throws {
    let packed = try encoding.encode(Bytes(Array(Self.text.prefix(600))))
    for length in 0..<packed.count {
      #expect(throws: CompressionError.self) { try encoding.decode(packed[0..<length], limit: 1 << 20) }
    }
  }

  @Test("gzip members and zstd frames in a row are one text", arguments: [ContentEncoding.gzip, .zstd])
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

  @Test("header tokens are met in any case, unknown ones are nil")
  func tokens() {
    #expect(ContentEncoding(token: "GZIP") == .gzip)
    #expect(ContentEncoding(token: "x-gzip") == .gzip)
    #expect(ContentEncoding(token: "br") == .brotli)
    #expect(ContentEncoding(token: "compress") == nil)
  }
}
