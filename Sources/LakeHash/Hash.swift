import CCrypto
import CXXHash
package import LakeModel

/// SHA-256 (libcrypto).
package struct SHA256: ~Copyable {
  private var context: OpaquePointer

  package init() {
    context = EVP_MD_CTX_new()
    precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1)
  }

  deinit { EVP_MD_CTX_free(context) }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1)
  }

  package mutating func update(_ bytes: Bytes) { bytes.withUnsafeBytes { update($0) } }

  package mutating func update(_ text: String) {
    var text = text
    text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
  }

  /// 32 bytes.
  package consuming func finish() -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      var length: UInt32 = 0
      precondition(EVP_DigestFinal_ex(context, buffer.baseAddress, &length) == 1 && length == 32)
      count = 32
    }
  }

  package static func hash(_ bytes: Bytes) -> [UInt8] {
    var digest = SHA256()
    digest.update(bytes)
    return digest.finish()
  }
}

/// MD5 (libcrypto): broken against malice; object stores name it as a check of what was carried.
package enum MD5 {
  /// 16 bytes; nil where the system's policy forbids it.
  package static func hash(_ bytes: Bytes) -> [UInt8]? {
    bytes.withUnsafeBytes { bytes in
      var digest = [UInt8](repeating: 0, count: 16)
      var length: UInt32 = 0
      guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, &length, EVP_md5(), nil) == 1, length == 16 else {
        return nil
      }
      return digest
    }
  }
}

/// xxHash, 64 bits: not against malice.
package enum XXHash {
  /// XXH64, the hash of Parquet's Bloom filters.
  @inline(__always)
  package static func xxh64(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
    XXH64(bytes.baseAddress, bytes.count, seed)
  }

  /// XXH3, the fastest for short keys.
  @inline(__always)
  package static func xxh3(_ bytes: UnsafeRawBufferPointer) -> UInt64 { XXH3_64bits(bytes.baseAddress, bytes.count) }

  package static func xxh3_128(_ bytes: UnsafeRawBufferPointer) -> (high: UInt64, low: UInt64) {
    let hash = XXH3_128bits(bytes.baseAddress, bytes.count)
    return (hash.high64, hash.low64)
  }
}

/// HMAC-SHA-256 (libcrypto).
package enum HMAC {
  /// 32 bytes.
  package static func sha256(key: [UInt8], _ message: String) -> [UInt8] {
    var message = message
    return message.withUTF8 { text in
      [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
        var length: UInt32 = 0
        let result = CCrypto.HMAC(
          EVP_sha256(), key, Int32(key.count), text.baseAddress, text.count, buffer.baseAddress, &length)
        precondition(result != nil && length == 32)
        count = 32
      }
    }
  }
}
