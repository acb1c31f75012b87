import LakeHash
import LakeModel

/// The bytes of an index.
///
///     index   | "ITX1", 4 | XXH64 of the rest, 8 | rows, 4 | pages, 4 | chunk offset, 8 | chunk bytes, 8 |
///             | page entries | packed bytes, 4 | trigram bits of all pages, zstd | bits of longer runs of all pages |
///     entry   | first row, 4 | log2 of trigram positions, 1 | log2 of longer positions, 1 | 0, 2 | longer bytes, 4 |
///
/// Little-endian. The chunk's place binds an index to its file: footers are copied by some tools, indexes are not.
enum TextIndexFormat {
  static let magic: UInt32 = 0x3158_5449
  static let headBytes = 36
  static let entryBytes = 12
  /// The footer key; the value is a line `1`, then per indexed leaf a line `LEAF OFFSET+BYTES ...` with one entry per
  /// row group, `-` where there is none.
  static let key = "icegate.text-index"
  static let version = "1"
}

extension BuiltTextIndex {
  func encoded(rowCount: Int, chunk: Range<Int>) -> Bytes {
    var out = BufferBuilder<UInt8>(
      capacity: TextIndexFormat.headBytes + pages.count * TextIndexFormat.entryBytes + packed.count + long.count + 4)
    out.append(littleEndian: TextIndexFormat.magic)
    out.append(littleEndian: UInt64(0))
    out.append(littleEndian: UInt32(truncatingIfNeeded: rowCount))
    out.append(littleEndian: UInt32(truncatingIfNeeded: pages.count))
    out.append(littleEndian: UInt64(chunk.lowerBound))
    out.append(littleEndian: UInt64(chunk.count))
    for page in pages {
      out.append(littleEndian: UInt32(truncatingIfNeeded: page.firstRow))
      out.append(littleEndian: UInt32(page.shortBits | page.longBits << 8))
      out.append(littleEndian: UInt32(truncatingIfNeeded: page.longBytes))
    }
    out.append(littleEndian: UInt32(truncatingIfNeeded: packed.count))
    for piece in [packed, long] {
      piece.withUnsafeBytes { bytes in
        if let base = bytes.bindMemory(to: UInt8.self).baseAddress { out.append(contentsOf: base, count: bytes.count) }
      }
    }
    let hash = XXHash.xxh64(UnsafeRawBufferPointer(start: out.base + 12, count: out.count - 12))
    UnsafeMutableRawPointer(out.base).storeBytes(of: hash.littleEndian, toByteOffset: 4, as: UInt64.self)
    let count = out.count
    return Bytes(storage: out.finish().storage, offset: 0, count: count)
  }
}

extension BufferBuilder where Element == UInt8 {
  fileprivate mutating func append<T: FixedWidthInteger & BitwiseCopyable>(littleEndian value: T) {
    let size = MemoryLayout<T>.size
    UnsafeMutableRawPointer(reserve(size)).storeBytes(of: value.littleEndian, as: T.self)
    count += size
  }
}
