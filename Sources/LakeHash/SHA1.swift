import CCrypto

/// SHA-1 (libcrypto): broken against malice, but some protocols name it (WebSocket's handshake).
package enum SHA1 {
  /// 20 bytes.
  package static func hash(_ text: String) -> [UInt8] {
    var text = text
    return text.withUTF8 { bytes in
      [UInt8](unsafeUninitializedCapacity: 20) { buffer, count in
        var length: UInt32 = 0
        precondition(
          EVP_Digest(bytes.baseAddress, bytes.count, buffer.baseAddress, &length, EVP_sha1(), nil) == 1 && length == 20)
        count = 20
      }
    }
  }
}
