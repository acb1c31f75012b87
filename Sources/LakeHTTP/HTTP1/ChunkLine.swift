import LakeModel

/// `1a;name=value`: the size of a chunk, and extensions, which mean nothing to us.
enum ChunkLine {
  /// More would be no size that fits anywhere.
  private static let digitsMax = 15

  static func size(_ line: UnsafeRawBufferPointer) throws(RequestFailure) -> Int {
    var size = 0
    var index = 0
    while index < line.count, let digit = Hex.value(of: line[index]) {
      guard index < digitsMax else { throw .chunkMalformed }
      size = size << 4 | Int(digit)
      index += 1
    }
    guard index > 0 else { throw .chunkMalformed }
    if index == line.count { return size }
    guard line[index] == UInt8(ascii: ";") else { throw .chunkMalformed }
    for byte in line[index...] where !ByteClass.fieldValue.contains(byte) { throw .chunkMalformed }
    return size
  }
}
