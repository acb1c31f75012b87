package import LakeCompression

/// Why bytes are not a Parquet file we can read, or a batch not one we can write.
package enum ParquetError: Error, Equatable, Sendable {
  /// The magic bytes are missing.
  case notParquet
  /// The file is encrypted.
  case encrypted
  /// The bytes end before what they announce: `needed` bytes were wanted, `found` are there.
  case truncated(String, needed: Int, found: Int)
  /// The bytes contradict themselves or the format.
  case malformed(String)
  /// A valid file with something we do not read, or a schema we do not write.
  case unsupported(String)
  /// Something is larger than the limit of the reader allows.
  case limitExceeded(String, limit: Int, found: Int)
  /// A page's CRC is not that of its bytes.
  case checksumMismatch(column: String)
  /// A page does not decompress.
  case compression(CompressionError)
  /// The requested field cannot be made from the file's column.
  case schemaMismatch(field: String, found: String, wanted: String)
  /// The bytes handed over do not cover this range of the file.
  case bytesMissing(Range<Int>)
}
