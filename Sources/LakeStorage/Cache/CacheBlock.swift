import LakeHash
import LakeModel
import LakePorts

/// One block of one content of one object.
struct BlockID: Hashable, Sendable {
  let key: ObjectKey
  let tag: ContentTag
  let index: Int
}

/// A block's file: what it is, of which object, and a checksum over all of it.
///
/// Source: README.md, "Files of the read cache".
struct CacheBlock: Sendable {
  let id: BlockID
  /// Of the object.
  let size: Int
  let modified: Int64
  let bytes: Bytes

  static let magic: [UInt8] = Array("IGC1".utf8)
  static let fixedBytes = 44

  func encoded() -> [UInt8] {
    let key = Array(id.key.text.utf8)
    let tag = Array(id.tag.text.utf8)
    var out = CacheBlock.magic
    out.reserveCapacity(CacheBlock.fixedBytes + key.count + tag.count + bytes.count)
    append(UInt32(truncatingIfNeeded: CacheBlock.fixedBytes + key.count + tag.count), &out)
    append(UInt64(0), &out)
    append(UInt64(truncatingIfNeeded: size), &out)
    append(UInt64(bitPattern: modified), &out)
    append(UInt32(truncatingIfNeeded: id.index), &out)
    append(UInt32(truncatingIfNeeded: bytes.count), &out)
    append(UInt16(truncatingIfNeeded: key.count), &out)
    append(UInt16(truncatingIfNeeded: tag.count), &out)
    out += key
    out += tag
    bytes.withUnsafeBytes { out += $0 }
    let sum = out.withUnsafeBytes { XXHash.xxh64(UnsafeRawBufferPointer(rebasing: $0[16...])) }
    for byte in 0..<8 { out[8 + byte] = UInt8(truncatingIfNeeded: sum >> (8 * UInt64(byte))) }
    return out
  }

  private func append<Number: FixedWidthInteger>(_ number: Number, _ out: inout [UInt8]) {
    for byte in 0..<Number.bitWidth / 8 { out.append(UInt8(truncatingIfNeeded: number >> Number(8 * byte))) }
  }

  init(id: BlockID, size: Int, modified: Int64, bytes: Bytes) {
    self.id = id
    self.size = size
    self.modified = modified
    self.bytes = bytes
  }

  /// - Returns: nil for anything that is not whole and as it was written.
  init?(file: Bytes) {
    guard file.count >= CacheBlock.fixedBytes, (0..<4).allSatisfy({ file[$0] == CacheBlock.magic[$0] }) else {
      return nil
    }
    func number(_ at: Int, _ width: Int) -> UInt64 {
      (0..<width).reduce(0) { $0 | UInt64(file[at + $1]) << UInt64(8 * $1) }
    }
    let (header, payload) = (Int(number(4, 4)), Int(number(36, 4)))
    let (keyBytes, tagBytes) = (Int(number(40, 2)), Int(number(42, 2)))
    guard header == CacheBlock.fixedBytes + keyBytes + tagBytes, file.count == header + payload else { return nil }
    let sum = file.withUnsafeBytes { XXHash.xxh64(UnsafeRawBufferPointer(rebasing: $0[16...])) }
    guard sum == number(8, 8), let size = Int(exactly: number(16, 8)) else { return nil }
    let at = CacheBlock.fixedBytes
    guard let key = ObjectKey(file[at..<at + keyBytes].text) else { return nil }
    id = BlockID(key: key, tag: ContentTag(file[at + keyBytes..<header].text), index: Int(number(32, 4)))
    self.size = size
    modified = Int64(bitPattern: number(24, 8))
    bytes = file[header..<file.count]
  }

  /// `<hash of key><hash of tag>-<index>`: blocks of one object share the first 16 digits.
  static func fileName(_ id: BlockID) -> String { "\(fileName(of: id.key))\(hash(id.tag.text))-\(id.index)" }
  static func fileName(of key: ObjectKey) -> String { hash(key.text) }

  private static func hash(_ text: String) -> String {
    Hex.text(Bytes(text).withUnsafeBytes { XXHash.xxh64($0) })
  }
}
