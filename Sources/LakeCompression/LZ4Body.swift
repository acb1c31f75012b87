import CLz4
import LakeModel

/// lz4 bodies: frames (magic 0x184D2204), several in a row, skippable ones between.
enum LZ4Body {
  static func decode(_ source: UnsafeRawBufferPointer, limit: Int) throws(CompressionError) -> Bytes {
    guard !source.isEmpty else { throw .malformed(codec: "lz4") }
    var context: OpaquePointer?
    guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0 else {
      throw .unavailable(codec: "lz4")
    }
    defer { LZ4F_freeDecompressionContext(context) }
    var output = BodyBuffer(expected: source.count, limit: limit)
    var read = 0
    while true {
      var room = output.space.count - output.count
      var taken = source.count - read
      let wanted = LZ4F_decompress(
        context, output.space.baseAddress! + output.count, &room, source.baseAddress! + read, &taken, nil)
      guard LZ4F_isError(wanted) == 0 else { throw .malformed(codec: "lz4") }
      output.count += room
      read += taken
      if wanted == 0 && read == source.count { return output.finish() }
      if output.count == output.space.count {
        try output.grow()
      } else if read == source.count {
        throw .malformed(codec: "lz4")
      }
    }
  }

  static func encode(_ body: Bytes) throws(CompressionError) -> Bytes {
    let storage = RawStorage(capacity: LZ4F_compressFrameBound(body.count, nil))
    let count = body.withUnsafeBytes { source in
      LZ4F_compressFrame(storage.base, storage.capacity, source.bytesOrEmpty, source.count, nil)
    }
    guard LZ4F_isError(count) == 0 else { throw .unavailable(codec: "lz4") }
    return Bytes(storage: storage, offset: 0, count: count)
  }
}
