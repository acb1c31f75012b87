import CBrotli
import CZstd
import LakeModel

/// zstd bodies: frames with and without a content size, several in a row, skippable ones between.
enum ZstdBody {
  /// The window a frame may ask for when the limit is smaller: RFC 8878 asks HTTP receivers for 8 MB.
  static let windowLogMin: Int32 = 23

  static func decode(_ source: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> Bytes {
    guard !source.isEmpty else { throw .malformed(codec: "zstd") }
    guard let context = ZSTD_createDCtx() else { throw .unavailable(codec: "zstd") }
    defer { ZSTD_freeDCtx(context) }
    let limitLog = Int32(Int.bitWidth - max(limit, 1).leadingZeroBitCount)
    ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, min(max(limitLog, windowLogMin), 27))
    var output = BodyBuffer(expected: expectedBytes(source, limit: limit), limit: limit)
    var input = ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: 0)
    while true {
      var target = ZSTD_outBuffer(dst: output.space.baseAddress, size: output.space.count, pos: output.count)
      let status = ZSTD_decompressStream(context, &target, &input)
      output.count = target.pos
      guard ZSTD_isError(status) == 0 else { throw .malformed(codec: "zstd") }
      if status == 0 && input.pos == input.size { return output.finish() }
      if target.pos == target.size {
        try output.grow()
      } else if input.pos == input.size {
        throw .malformed(codec: "zstd")
      }
    }
  }

  /// A sixth of the first frame's content size when it says so (`BodyBuffer` multiplies), never beyond the limit.
  private static func expectedBytes(_ source: UnsafeRawBufferPointer, limit: Int) -> Int {
    let size = ZSTD_getFrameContentSize(source.baseAddress, source.count)
    guard size <= UInt64(max(limit, 0)) else { return source.count }
    return Int(size) / 6 + 1
  }
}

enum BrotliBody {
  static func decode(_ source: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> Bytes {
    guard let state = BrotliDecoderCreateInstance(nil, nil, nil) else { throw .unavailable(codec: "brotli") }
    defer { BrotliDecoderDestroyInstance(state) }
    var inputCount = source.count
    var input: UnsafePointer<UInt8>? = source.octetsOrEmpty
    var buffer = BodyBuffer(expected: source.count, limit: limit)
    while true {
      var room = buffer.space.count - buffer.count
      var target: UnsafeMutablePointer<UInt8>? =
        buffer.space.baseAddress!.assumingMemoryBound(to: UInt8.self) + buffer.count
      let before = room
      let result = BrotliDecoderDecompressStream(state, &inputCount, &input, &room, &target, nil)
      buffer.count += before - room
      switch result {
      case BROTLI_DECODER_RESULT_SUCCESS where inputCount == 0: return buffer.finish()
      case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: try buffer.grow()
      default: throw .malformed(codec: "brotli")
      }
    }
  }
}
