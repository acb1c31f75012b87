package import LakeModel

/// Deflate without any framing (RFC 1951), as Avro's blocks have it.
package enum RawDeflate {
  package static func encode(_ bytes: Bytes, level: Int = 6) throws(CompressionError) -> Bytes {
    let storage = RawStorage(capacity: Compressor.bound(bytes.count, codec: .gzip))
    let count = try bytes.withUnsafeBytes { source throws(CompressionError) in
      try DeflateStream(windowBits: -15).compress(
        source, level: level, into: UnsafeMutableRawBufferPointer(start: storage.base, count: storage.capacity))
    }
    return Bytes(storage: storage, offset: 0, count: count)
  }

  /// Bytes after the text are passed over: Python's Avro writers leave the first bytes of a zlib checksum there.
  ///
  /// - Throws: `.limitExceeded` when the text is longer than `limit` bytes; `.malformed` when it is broken or cut short.
  package static func decode(_ bytes: Bytes, limit: Int) throws(CompressionError) -> Bytes {
    try bytes.withUnsafeBytes { source throws(CompressionError) in
      try ContentEncoding.inflate(source, windowBits: -15, limit: limit, allowsTrailer: true)
    }
  }
}
