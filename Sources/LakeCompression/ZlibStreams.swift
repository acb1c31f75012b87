import CZlib

/// A reusable zlib compressor for whole blocks.
final class DeflateStream {
  private var stream: UnsafeMutablePointer<z_stream>
  private var level: Int32

  /// - Parameter windowBits: 31 for gzip, 15 for zlib, -15 for raw deflate.
  init(windowBits: Int32) throws(CompressionError) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    level = 6
    let status = deflateInit2_(
      stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else {
      stream.deallocate()
      throw .unavailable(codec: "gzip")
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  func compress(
    _ source: UnsafeRawBufferPointer, level wanted: Int, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    guard source.count <= Int(UInt32.max), destination.count <= Int(UInt32.max) else {
      throw .inputTooLarge(codec: "gzip", bytes: source.count)
    }
    deflateReset(stream)
    let clamped = Int32(min(max(wanted, 0), 9))
    if clamped != level {
      deflateParams(stream, clamped, Z_DEFAULT_STRATEGY)
      level = clamped
    }
    stream.pointee.next_in = UnsafeMutablePointer(mutating: source.octetsOrEmpty)
    stream.pointee.avail_in = UInt32(source.count)
    stream.pointee.next_out = destination.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(destination.count)
    guard deflate(stream, Z_FINISH) == Z_STREAM_END else { throw .unavailable(codec: "gzip") }
    return destination.count - Int(stream.pointee.avail_out)
  }
}

/// A reusable zlib decompressor. Several gzip members in a row are one text, as RFC 1952 has it.
final class InflateStream {
  enum Step {
    case finished
    /// The destination is full; `next` is the byte that follows and is not delivered again.
    case needsOutput(next: UInt8)
  }

  private var stream: UnsafeMutablePointer<z_stream>
  private let isGzip: Bool
  /// Whether bytes after the text are passed over; they are an error otherwise.
  private let allowsTrailer: Bool

  /// - Parameter windowBits: 47 for gzip or zlib by header, 15 for zlib, -15 for raw deflate.
  init(windowBits: Int32, allowsTrailer: Bool = false) throws(CompressionError) {
    self.allowsTrailer = allowsTrailer
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    isGzip = windowBits > 15
    guard inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      stream.deallocate()
      throw .unavailable(codec: "gzip")
    }
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  func decompress(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    try begin(source)
    var written = 0
    switch try step(into: destination, written: &written) {
    case .finished: return written
    case .needsOutput: throw .limitExceeded(limit: destination.count)
    }
  }

  /// Starts a new text. `source` stays valid until the last `step`.
  func begin(_ source: UnsafeRawBufferPointer) throws(CompressionError) {
    guard source.count <= Int(UInt32.max) else { throw .inputTooLarge(codec: "gzip", bytes: source.count) }
    inflateReset(stream)
    stream.pointee.next_in = UnsafeMutablePointer(mutating: source.octetsOrEmpty)
    stream.pointee.avail_in = UInt32(source.count)
  }

  /// Fills `destination` from `written` on, as far as the text goes.
  func step(into destination: UnsafeMutableRawBufferPointer, written: inout Int) throws(CompressionError) -> Step {
    // One byte beyond the destination tells "exactly full and finished" from "there is more".
    var spare: UInt8 = 0
    while true {
      let room = min(destination.count - written, Int(UInt32.max))
      let status: Int32
      let produced: Int
      if room > 0 {
        stream.pointee.next_out = destination.baseAddress!.assumingMemoryBound(to: UInt8.self) + written
        stream.pointee.avail_out = UInt32(room)
        status = inflate(stream, Z_NO_FLUSH)
        produced = room - Int(stream.pointee.avail_out)
        written += produced
      } else {
        (status, produced) = withUnsafeMutablePointer(to: &spare) { spare in
          stream.pointee.next_out = spare
          stream.pointee.avail_out = 1
          let status = inflate(stream, Z_NO_FLUSH)
          return (status, 1 - Int(stream.pointee.avail_out))
        }
        if produced > 0 { return .needsOutput(next: spare) }
      }
      switch status {
      case Z_STREAM_END:
        if stream.pointee.avail_in == 0 || allowsTrailer { return .finished }
        guard isGzip else { throw .malformed(codec: "deflate") }
        inflateReset(stream)
      case Z_OK: continue
      case Z_MEM_ERROR: throw .unavailable(codec: "gzip")
      default: throw .malformed(codec: isGzip ? "gzip" : "deflate")
      }
    }
  }
}
