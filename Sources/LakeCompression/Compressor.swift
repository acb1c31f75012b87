import CBrotli
import CLz4
import CSnappy
import CZlib
import CZstd
package import LakeModel

/// Compresses and decompresses blocks, keeping the libraries' working memory between calls.
///
/// One per thread of work (an encoder of column chunks, a scan): it is not `Sendable`, and making one costs nothing until
/// a codec is first used. A zstd compression context is about 1 MB at level 1 to 3, a decompression context 160 KB.
package final class Compressor {
  private var zstdCompression: OpaquePointer?
  private var zstdDecompression: OpaquePointer?
  private var deflation: DeflateStream?
  private var inflation: InflateStream?

  package init() {}

  deinit {
    if let zstdCompression { ZSTD_freeCCtx(zstdCompression) }
    if let zstdDecompression { ZSTD_freeDCtx(zstdDecompression) }
  }

  /// Bytes that `compress` may need for `count` bytes of input.
  package static func bound(_ count: Int, codec: CompressionCodec) -> Int {
    switch codec {
    case .none: count
    case .snappy: snappy_max_compressed_length(count)
    case .gzip: count + count / 1000 + 64 + 5 * (count / 16383 + 1)
    case .zstd: ZSTD_compressBound(count)
    case .lz4raw: count + count / 255 + 16
    case .brotli: max(BrotliEncoderMaxCompressedSize(count), count + count / 1000 + 64)
    }
  }

  /// Compresses `source` into `destination`, which has at least `bound` bytes.
  ///
  /// `level` is the codec's own scale; nil is 1 for zstd, 6 for gzip, 5 for brotli. snappy and lz4 have none.
  /// - Returns: bytes written.
  package func compress(
    _ source: UnsafeRawBufferPointer, codec: CompressionCodec, level: Int? = nil,
    into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    precondition(destination.count >= Compressor.bound(source.count, codec: codec))
    switch codec {
    case .none:
      destination.copyMemory(from: source)
      return source.count
    case .snappy: return try compressSnappy(source, into: destination)
    case .gzip:
      if deflation == nil { deflation = try DeflateStream(windowBits: 31) }
      return try deflation!.compress(source, level: level ?? 6, into: destination)
    case .zstd: return try compressZstd(source, level: level ?? 1, into: destination)
    case .lz4raw: return try compressLz4(source, into: destination)
    case .brotli: return try compressBrotli(source, quality: level ?? 5, into: destination)
    }
  }

  /// Decompresses one block into `destination`; a block that needs more than its bytes is an error.
  /// - Returns: bytes written.
  package func decompress(
    _ source: UnsafeRawBufferPointer, codec: CompressionCodec, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    switch codec {
    case .none:
      guard source.count <= destination.count else { throw .limitExceeded(limit: destination.count) }
      destination.copyMemory(from: source)
      return source.count
    case .snappy: return try decompressSnappy(source, into: destination)
    case .gzip:
      if inflation == nil { inflation = try InflateStream(windowBits: 47) }
      return try inflation!.decompress(source, into: destination)
    case .zstd: return try decompressZstd(source, into: destination)
    case .lz4raw: return try decompressLz4(source, into: destination)
    case .brotli: return try decompressBrotli(source, into: destination)
    }
  }

  /// `compress` into memory of its own.
  package func compress(_ source: Bytes, codec: CompressionCodec, level: Int? = nil) throws(CompressionError) -> Bytes {
    let storage = RawStorage(capacity: Compressor.bound(source.count, codec: codec))
    let count = try source.withUnsafeBytes { bytes throws(CompressionError) in
      try compress(
        bytes, codec: codec, level: level,
        into: UnsafeMutableRawBufferPointer(start: storage.base, count: storage.capacity))
    }
    return Bytes(storage: storage, offset: 0, count: count)
  }

  /// Decompresses a block whose size is known from its container; any other size is an error.
  package func decompress(
    _ source: Bytes, codec: CompressionCodec, uncompressedSize: Int
  ) throws(CompressionError) -> Bytes {
    precondition(uncompressedSize >= 0)
    let storage = RawStorage(capacity: uncompressedSize)
    let count = try source.withUnsafeBytes { bytes throws(CompressionError) in
      try decompress(
        bytes, codec: codec, into: UnsafeMutableRawBufferPointer(start: storage.base, count: uncompressedSize))
    }
    guard count == uncompressedSize else { throw .sizeMismatch(expected: uncompressedSize, found: count) }
    return Bytes(storage: storage, offset: 0, count: count)
  }
}

extension Compressor {
  private func compressSnappy(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    var count = destination.count
    let status = snappy_compress(
      source.bytesOrEmpty, source.count, destination.baseAddress?.assumingMemoryBound(to: CChar.self), &count)
    guard status == SNAPPY_OK else { throw .inputTooLarge(codec: "snappy", bytes: source.count) }
    return count
  }

  private func decompressSnappy(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    var count = 0
    guard snappy_uncompressed_length(source.bytesOrEmpty, source.count, &count) == SNAPPY_OK else {
      throw .malformed(codec: "snappy")
    }
    guard count <= destination.count else { throw .limitExceeded(limit: destination.count) }
    if count == 0 { return 0 }
    let target = destination.baseAddress!.assumingMemoryBound(to: CChar.self)
    guard snappy_uncompress(source.bytesOrEmpty, source.count, target, &count) == SNAPPY_OK else {
      throw .malformed(codec: "snappy")
    }
    return count
  }

  private func compressZstd(
    _ source: UnsafeRawBufferPointer, level: Int, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    if zstdCompression == nil { zstdCompression = ZSTD_createCCtx() }
    guard let context = zstdCompression else { throw .unavailable(codec: "zstd") }
    let clamped = Int32(min(max(level, Int(ZSTD_minCLevel())), Int(ZSTD_maxCLevel())))
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, clamped)
    // Level 1 remembers 8,192 places, which a page of log lines soon overwrites. Four times as many take a fortieth off its size for
    // a tenth of time; level 2 takes a quarter more time for as much.
    ZSTD_CCtx_setParameter(context, ZSTD_c_hashLog, clamped == 1 ? 15 : 0)
    let count = ZSTD_compress2(
      context, destination.baseAddress, destination.count, source.baseAddress, source.count)
    guard ZSTD_isError(count) == 0 else { throw .unavailable(codec: "zstd") }
    return count
  }

  private func decompressZstd(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    if zstdDecompression == nil { zstdDecompression = ZSTD_createDCtx() }
    guard let context = zstdDecompression else { throw .unavailable(codec: "zstd") }
    let count = ZSTD_decompressDCtx(
      context, destination.baseAddress, destination.count, source.baseAddress, source.count)
    if ZSTD_isError(count) != 0 {
      if ZSTD_getErrorCode(count) == ZSTD_error_dstSize_tooSmall { throw .limitExceeded(limit: destination.count) }
      throw .malformed(codec: "zstd")
    }
    return count
  }

  private func compressLz4(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    guard source.count <= 0x7E00_0000 else { throw .inputTooLarge(codec: "lz4", bytes: source.count) }
    let count = LZ4_compress_default(
      source.bytesOrEmpty, destination.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(source.count),
      Int32(clamping: destination.count))
    guard count > 0 else { throw .unavailable(codec: "lz4") }
    return Int(count)
  }

  private func decompressLz4(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    guard source.count <= Int(Int32.max) else { throw .inputTooLarge(codec: "lz4", bytes: source.count) }
    var nothing: CChar = 0
    let count =
      if let base = destination.baseAddress, !destination.isEmpty {
        LZ4_decompress_safe(
          source.bytesOrEmpty, base.assumingMemoryBound(to: CChar.self), Int32(source.count),
          Int32(clamping: destination.count))
      } else {
        LZ4_decompress_safe(source.bytesOrEmpty, &nothing, Int32(source.count), 0)
      }
    guard count >= 0 else { throw .malformed(codec: "lz4") }
    return Int(count)
  }

  private func compressBrotli(
    _ source: UnsafeRawBufferPointer, quality: Int, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    var count = destination.count
    let done = BrotliEncoderCompress(
      Int32(min(max(quality, 0), 11)), 22, BROTLI_MODE_GENERIC, source.count, source.octetsOrEmpty, &count,
      destination.baseAddress?.assumingMemoryBound(to: UInt8.self))
    guard done == BROTLI_TRUE else { throw .unavailable(codec: "brotli") }
    return count
  }

  private func decompressBrotli(
    _ source: UnsafeRawBufferPointer, into destination: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int {
    guard let state = BrotliDecoderCreateInstance(nil, nil, nil) else { throw .unavailable(codec: "brotli") }
    defer { BrotliDecoderDestroyInstance(state) }
    var inputCount = source.count
    var input: UnsafePointer<UInt8>? = source.octetsOrEmpty
    var outputCount = destination.count
    var output = destination.baseAddress?.assumingMemoryBound(to: UInt8.self)
    var total = 0
    switch BrotliDecoderDecompressStream(state, &inputCount, &input, &outputCount, &output, &total) {
    case BROTLI_DECODER_RESULT_SUCCESS where inputCount == 0: return destination.count - outputCount
    case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: throw .limitExceeded(limit: destination.count)
    default: throw .malformed(codec: "brotli")
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The first byte, or some valid address when there is none: C libraries dislike null even for no bytes.
  var bytesOrEmpty: UnsafePointer<CChar> {
    (baseAddress ?? EmptyInput.address).assumingMemoryBound(to: CChar.self)
  }

  var octetsOrEmpty: UnsafePointer<UInt8> {
    (baseAddress ?? EmptyInput.address).assumingMemoryBound(to: UInt8.self)
  }
}

private enum EmptyInput {
  nonisolated(unsafe) static let address = UnsafeRawPointer(
    UnsafeMutableRawPointer.allocate(byteCount: 8, alignment: 8))
}
