import LakeCompression
import LakeModel

/// Tells from a sample whether the texts of a chunk are worth compressing.
enum CompressionSample {
  static let bytesMax = 16 << 10
  /// Less says little, and costs little either way.
  static let bytesMin = 2 << 10

  /// Whether a run in the middle of `values` comes to at most `shareMax` of its bytes. Numbers, and texts too few to say, are taken to.
  static func pays(
    _ values: DenseValues, shareMax: Double, codec: CompressionCodec, level: Int?, _ compressor: Compressor
  ) throws(CompressionError) -> Bool {
    let data: Buffer<UInt8>
    switch values {
    case .fixed(let all, _): data = all
    case .bytes(let offsets, let all): data = all.slice(Int(offsets[0])..<Int(offsets[values.count]))
    case .boolean, .int32, .int64, .float, .double: return true
    }
    guard data.count >= bytesMin else { return true }
    let count = min(data.count, bytesMax)
    let start = (data.count - count) / 2
    let packed = RawStorage(capacity: Compressor.bound(count, codec: codec))
    let bytes = try data.slice(start..<start + count).withValues { sample throws(CompressionError) in
      try compressor.compress(
        UnsafeRawBufferPointer(sample), codec: codec, level: level,
        into: UnsafeMutableRawBufferPointer(start: packed.base, count: packed.capacity))
    }
    return Double(bytes) <= shareMax * Double(count)
  }
}
