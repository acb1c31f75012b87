/// How a run of bytes is compressed inside a file. Blocks of known size, as Parquet and Avro use them.
package enum CompressionCodec: String, Sendable, Hashable, CaseIterable {
  case none, snappy, gzip, zstd
  /// LZ4 blocks without any framing (Parquet's LZ4_RAW).
  case lz4raw
  case brotli

  /// A codec by its name in a configuration (`zstd`, `ZSTD`, `uncompressed`, `lz4_raw`, `lz4`).
  /// - Throws: `.unsupported` with the reason; `lzo` has one of its own.
  package static func named(_ name: String) throws(CompressionError) -> CompressionCodec {
    switch name.lowercased() {
    case "none", "uncompressed": return .none
    case "snappy": return .snappy
    case "gzip": return .gzip
    case "zstd": return .zstd
    case "lz4raw", "lz4_raw", "lz4": return .lz4raw
    case "brotli": return .brotli
    case "lzo":
      throw .unsupported(
        "lzo: the only complete implementation is GPL and no current reader ships it; use zstd, snappy or lz4_raw")
    default:
      throw .unsupported("\(name): not one of none, snappy, gzip, zstd, lz4_raw, brotli")
    }
  }
}

/// Why bytes could not be compressed or decompressed.
package enum CompressionError: Error, Equatable, Sendable {
  /// The bytes are not what the codec writes, or end too early.
  case malformed(codec: String)
  /// The decompressed form is larger than `limit` bytes.
  case limitExceeded(limit: Int)
  /// The decompressed form has another size than the container said.
  case sizeMismatch(expected: Int, found: Int)
  /// The input is larger than the codec takes.
  case inputTooLarge(codec: String, bytes: Int)
  /// A codec we do not have, with the reason.
  case unsupported(String)
  /// The library refused to work (out of memory).
  case unavailable(codec: String)
}
