import LakeModel

/// Memory for messages that had to be put together, alive as long as the decode.
struct Arena: ~Copyable {
  private var pieces: [Buffer<UInt8>] = []
  private var bytesLeft = MergedBytes.pieceBytesMax

  /// A message in two pieces as one. Source: protobuf encoding, "Last One Wins".
  mutating func join(_ a: RawBytes, _ b: RawBytes) throws(WireError) -> RawBytes {
    bytesLeft -= a.count + b.count
    guard bytesLeft >= 0 else { throw WireError(.manyPieces, at: b.start) }
    var joined = BufferBuilder<UInt8>(capacity: a.count + b.count)
    joined.append(a)
    joined.append(b)
    let buffer = joined.finish()
    pieces.append(buffer)
    return RawBytes(buffer.unsafeBase, buffer.count)
  }
}
