import CSnappy
import CZstd
package import LakeModel

/// How an HTTP body is compressed.
package enum ContentEncoding: String, Sendable, Hashable, CaseIterable {
  case identity, gzip, deflate, zstd
  /// One snappy block (Prometheus remote write, Loki push), not the framing format.
  case snappy
  /// Snappy's framing format.
  case snappyFramed = "x-snappy-framed"
  /// LZ4 frames.
  case lz4
  case brotli = "br"

  /// One token of a `Content-Encoding` or `Accept-Encoding` header, in any case; nil when we do not have it.
  package init?(token: some StringProtocol) {
    switch token.lowercased() {
    case "", "identity": self = .identity
    case "gzip", "x-gzip": self = .gzip
    case "deflate", "zlib": self = .deflate
    case "zstd": self = .zstd
    case "snappy", "x-snappy": self = .snappy
    case "x-snappy-framed": self = .snappyFramed
    case "lz4": self = .lz4
    case "br": self = .brotli
    default: return nil
    }
  }

  /// Decompresses a body of unknown size, never holding more than `limit` bytes of it (plus the codec's window).
  ///
  /// Several gzip members, zstd or lz4 frames in a row are one text. `deflate` is zlib as RFC 9110 says, or raw deflate as
  /// some clients send it.
  /// - Throws: `.limitExceeded` when the text is longer than `limit`; `.malformed` when it is broken or cut short.
  package func decode(_ body: Bytes, limit: Int) throws(CompressionError) -> Bytes {
    try body.withUnsafeBytes { source throws(CompressionError) in
      switch self {
      case .identity:
        guard body.count <= limit else { throw .limitExceeded(limit: limit) }
        return body
      case .gzip: return try Self.inflate(source, windowBits: 31, limit: limit)
      case .deflate: return try Self.decodeDeflate(source, limit: limit)
      case .zstd: return try ZstdBody.decode(source, limit: limit)
      case .snappy: return try Self.decodeSnappy(source, limit: limit)
      case .snappyFramed: return try SnappyFrames.decode(source, limit: limit)
      case .lz4: return try LZ4Body.decode(source, limit: limit)
      case .brotli: return try BrotliBody.decode(source, limit: limit)
      }
    }
  }

  /// True when `body` begins as snappy's framing format does. Some senders call that `snappy`.
  package static func isSnappyFramed(_ body: Bytes) -> Bool { body.withUnsafeBytes { SnappyFrames.isAtStart(of: $0) } }

  /// Compresses a whole body. `level` is the codec's own scale.
  package func encode(_ body: Bytes, level: Int? = nil) throws(CompressionError) -> Bytes {
    switch self {
    case .identity: return body
    case .gzip: return try Compressor().compress(body, codec: .gzip, level: level)
    case .zstd: return try Compressor().compress(body, codec: .zstd, level: level)
    case .snappy: return try Compressor().compress(body, codec: .snappy)
    case .snappyFramed: return try SnappyFrames.encode(body)
    case .lz4: return try LZ4Body.encode(body)
    case .brotli: return try Compressor().compress(body, codec: .brotli, level: level)
    case .deflate:
      let storage = RawStorage(capacity: Compressor.bound(body.count, codec: .gzip))
      let count = try body.withUnsafeBytes { source throws(CompressionError) in
        try DeflateStream(windowBits: 15).compress(
          source, level: level ?? 6,
          into: UnsafeMutableRawBufferPointer(start: storage.base, count: storage.capacity))
      }
      return Bytes(storage: storage, offset: 0, count: count)
    }
  }

  /// A zlib header is a multiple of 31 with method 8 in its low nibble; raw deflate data almost never is, and when it
  /// is, the zlib attempt fails and raw is tried.
  private static func decodeDeflate(_ source: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> Bytes {
    if source.count >= 2, source[0] & 15 == 8, (Int(source[0]) << 8 | Int(source[1])) % 31 == 0 {
      do { return try inflate(source, windowBits: 15, limit: limit) } catch {
        guard case .malformed = error else { throw error }
      }
    }
    return try inflate(source, windowBits: -15, limit: limit)
  }

  static func inflate(
    _ source: UnsafeRawBufferPointer, windowBits: Int32, limit: Int, allowsTrailer: Bool = false
  ) throws(CompressionError) -> Bytes {
    let stream = try InflateStream(windowBits: windowBits, allowsTrailer: allowsTrailer)
    try stream.begin(source)
    var output = BodyBuffer(expected: source.count, limit: limit)
    while true {
      switch try stream.step(into: output.space, written: &output.count) {
      case .finished: return output.finish()
      case .needsOutput(let next):
        try output.grow()
        output.space[output.count] = next
        output.count += 1
      }
    }
  }

  private static func decodeSnappy(_ source: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> Bytes {
    var count = 0
    guard snappy_uncompressed_length(source.bytesOrEmpty, source.count, &count) == SNAPPY_OK else {
      throw .malformed(codec: "snappy")
    }
    guard count <= limit else { throw .limitExceeded(limit: limit) }
    // A copy element makes at most 64 bytes from 2 or more.
    guard count / 64 <= source.count else { throw .malformed(codec: "snappy") }
    let storage = RawStorage(capacity: count)
    let written = try Compressor().decompress(
      source, codec: .snappy, into: UnsafeMutableRawBufferPointer(start: storage.base, count: count))
    return Bytes(storage: storage, offset: 0, count: written)
  }
}

/// Output of unknown size: doubles up to a limit.
struct BodyBuffer: ~Copyable {
  private var storage: RawStorage
  let limit: Int
  var count = 0

  init(expected: Int, limit: Int) {
    self.limit = max(limit, 0)
    let guess = expected.multipliedReportingOverflow(by: 6).overflow ? limit : expected * 6
    storage = RawStorage(capacity: min(max(guess, 4096), self.limit))
  }

  var space: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: storage.base, count: storage.capacity)
  }

  mutating func grow() throws(CompressionError) {
    guard storage.capacity < limit else { throw .limitExceeded(limit: limit) }
    let larger = RawStorage(capacity: min(storage.capacity * 2 + 4096, limit))
    larger.base.copyMemory(from: storage.base, byteCount: count)
    storage = larger
  }

  consuming func finish() -> Bytes { Bytes(storage: storage, offset: 0, count: count) }
}
