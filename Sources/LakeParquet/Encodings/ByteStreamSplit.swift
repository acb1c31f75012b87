import LakeModel

/// BYTE_STREAM_SPLIT: first bytes of all values, then all second bytes, and so on.
enum ByteStreamSplit {
  /// - Precondition: `source` has `count * width` bytes and `target` room for as many.
  static func decode(
    _ source: UnsafeRawBufferPointer, count: Int, width: Int, into target: UnsafeMutableRawPointer
  ) {
    guard count > 0 else { return }
    let from = source.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let to = target.assumingMemoryBound(to: UInt8.self)
    for stream in 0..<width {
      let column = from + stream * count
      for index in 0..<count { to[index &* width &+ stream] = column[index] }
    }
  }

  static func encode(
    _ source: UnsafeRawPointer, count: Int, width: Int, into output: inout BufferBuilder<UInt8>
  ) {
    let from = source.assumingMemoryBound(to: UInt8.self)
    let to = output.reserve(count * width)
    for stream in 0..<width {
      let column = to + stream * count
      for index in 0..<count { column[index] = from[index &* width &+ stream] }
    }
    output.count += count * width
  }
}
