import LakeHash
package import LakeModel
package import LakePorts

/// The fingerprints of one commit, as an object: sorted, each once.
///
///     +----------+---------+------------+------------------------+-----------------+
///     | "IGFPRT" | version | count      | count x 16 bytes       | xxh64 of all    |
///     | 6 bytes  | u16 = 1 | u64        | high u64, low u64      | that goes before|
///     +----------+---------+------------+------------------------+-----------------+
///
/// Numbers are big endian, so that entries order as bytes do.
package struct FingerprintSet: Sendable {
  package let fingerprints: [Fingerprint]

  package init(_ fingerprints: some Swift.Sequence<Fingerprint>) { self.fingerprints = Set(fingerprints).sorted() }

  private static let magic = Array("IGFPRT".utf8)
  private static let version: UInt16 = 1
  private static let headerBytes = 16
  private static let entryBytes = 16
  private static let checksumBytes = 8

  package func encoded() -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: FingerprintSet.headerBytes + fingerprints.count * 16 + 8)
    for byte in FingerprintSet.magic { out.append(byte) }
    FingerprintSet.append(FingerprintSet.version, to: &out)
    FingerprintSet.append(UInt64(fingerprints.count), to: &out)
    for fingerprint in fingerprints {
      FingerprintSet.append(fingerprint.high, to: &out)
      FingerprintSet.append(fingerprint.low, to: &out)
    }
    let sum = out.withValues { XXHash.xxh64(UnsafeRawBufferPointer($0)) }
    FingerprintSet.append(sum, to: &out)
    let bytes = out.finish()
    return Bytes(storage: bytes.storage, offset: bytes.offset, count: bytes.count)
  }

  /// - Throws: `.damaged` or `.newerFormat`.
  package init(_ bytes: Bytes, key: ObjectKey) throws(WALError) {
    let least = FingerprintSet.headerBytes + FingerprintSet.checksumBytes
    guard bytes.count >= least, bytes[0..<6].array == FingerprintSet.magic else {
      throw .damaged(key, "not a fingerprint object")
    }
    let version: UInt16 = FingerprintSet.number(bytes, 6)
    guard version == FingerprintSet.version else { throw .newerFormat(key, version: "\(version)") }
    let count: UInt64 = FingerprintSet.number(bytes, 8)
    guard UInt64(bytes.count - least) / UInt64(FingerprintSet.entryBytes) == count,
      (bytes.count - least) % FingerprintSet.entryBytes == 0
    else { throw .damaged(key, "\(count) fingerprints in \(bytes.count) bytes") }
    let body = bytes[0..<bytes.count - FingerprintSet.checksumBytes]
    let sum: UInt64 = FingerprintSet.number(bytes, body.count)
    guard body.withUnsafeBytes({ XXHash.xxh64($0) }) == sum else { throw .damaged(key, "checksum") }
    fingerprints = (0..<Int(count)).map { index in
      let at = FingerprintSet.headerBytes + index * FingerprintSet.entryBytes
      return Fingerprint(high: FingerprintSet.number(bytes, at), low: FingerprintSet.number(bytes, at + 8))
    }
  }

  /// Letters, digits and `-`: what may stand in a key.
  static func isName(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 64
      && name.utf8.allSatisfy { (48...57).contains($0) || (97...122).contains($0) || $0 == 45 }
  }

  private static func append<T: FixedWidthInteger>(_ value: T, to out: inout BufferBuilder<UInt8>) {
    withUnsafeBytes(of: value.bigEndian) { for byte in $0 { out.append(byte) } }
  }

  private static func number<T: FixedWidthInteger>(_ bytes: Bytes, _ at: Int) -> T {
    bytes[at..<at + MemoryLayout<T>.size].withUnsafeBytes { T(bigEndian: $0.loadUnaligned(as: T.self)) }
  }
}
