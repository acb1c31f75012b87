import CZlib
package import LakeModel

/// CRC-32 as gzip and Parquet pages use it (polynomial 0x04C11DB7, reflected).
package enum CRC32 {
  package static func checksum(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
    guard let base = bytes.baseAddress else { return previous }
    return UInt32(
      truncatingIfNeeded: icegate_crc32(UInt(previous), base.assumingMemoryBound(to: UInt8.self), bytes.count))
  }

  package static func checksum(_ bytes: Bytes) -> UInt32 { bytes.withUnsafeBytes { checksum($0) } }
}
