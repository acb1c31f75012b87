import LakeCompression
import LakeHash
import LakeModel

/// Which pages of one text column of one row group may hold a substring. It may say yes for nothing, never no wrongly.
package struct TextIndex: Sendable {
  package let rowCount: Int
  private let pages: [TextIndexPage]
  /// Where the bits of each page start.
  private let shortStarts: [Int]
  private let longStarts: [Int]
  private let short: Bytes
  private let long: Bytes

  package var pageCount: Int { pages.count }

  /// Bytes it holds in memory.
  package var memoryBytes: Int { short.count + long.count + pages.count * 64 + 128 }

  /// The rows of a page, counted from the start of the row group.
  package func rows(ofPage page: Int) -> Range<Int> {
    pages[page].firstRow..<(page + 1 < pages.count ? pages[page + 1].firstRow : rowCount)
  }

  package func mayContain(_ needle: TextNeedle, page: Int) -> Bool {
    let entry = pages[page]
    return short.withUnsafeBytes { short in
      long.withUnsafeBytes { long in
        for position in needle.short {
          let at = position & (1 << entry.shortBits - 1)
          if short[shortStarts[page] + at >> 3] >> UInt8(at & 7) & 1 == 0 { return false }
        }
        for position in needle.long {
          let at = position & (1 << entry.longBits - 1)
          if at >> 3 >= entry.longBytes { continue }
          if long[longStarts[page] + at >> 3] >> UInt8(at & 7) & 1 == 0 { return false }
        }
        return true
      }
    }
  }

  /// The rows of pages that may hold every one of the needles, ascending, neighbours joined: all rows when the needles
  /// exclude nothing.
  package func rows(holdingAll needles: [TextNeedle]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    for page in pages.indices where needles.allSatisfy({ mayContain($0, page: page) }) {
      let rows = rows(ofPage: page)
      if let last = found.last, last.upperBound == rows.lowerBound {
        found[found.count - 1] = last.lowerBound..<rows.upperBound
      } else if !rows.isEmpty {
        found.append(rows)
      }
    }
    return found
  }
}

extension TextIndex {
  /// - Parameter chunk: where the column chunk lies that the index must belong to.
  init(_ bytes: Bytes, rowCount: Int, chunk: Range<Int>, limits: ReadLimits) throws(ParquetError) {
    let head = try Head(bytes)
    guard head.rowCount == rowCount, head.chunk == chunk else { throw .malformed("text index of another column chunk") }
    self.rowCount = rowCount
    let entries = try head.pages(bytes, rowCount: rowCount)
    var (shorts, longs): ([Int], [Int]) = ([], [])
    var (shortBytes, longBytes) = (0, 0)
    for page in entries {
      shorts.append(shortBytes)
      longs.append(longBytes)
      shortBytes += page.shortBytes
      longBytes += page.longBytes
    }
    guard shortBytes <= limits.pageBytesMax else {
      throw .limitExceeded("bytes of a text index", limit: limits.pageBytesMax, found: shortBytes)
    }
    let packed = try head.packed(bytes, pageCount: entries.count)
    guard bytes.count - packed.upperBound == longBytes else { throw .malformed("text index of uneven length") }
    do { short = try Compressor().decompress(bytes[packed], codec: .zstd, uncompressedSize: shortBytes) } catch {
      throw .compression(error)
    }
    long = bytes[packed.upperBound..<bytes.count]
    (pages, shortStarts, longStarts) = (entries, shorts, longs)
  }

  private struct Head {
    let rowCount: Int
    let pageCount: Int
    let chunk: Range<Int>

    init(_ bytes: Bytes) throws(ParquetError) {
      guard bytes.count >= TextIndexFormat.headBytes else {
        throw .truncated("text index", needed: TextIndexFormat.headBytes, found: bytes.count)
      }
      guard bytes.number(0, UInt32.self) == TextIndexFormat.magic else { throw .malformed("no text index") }
      let hash = bytes[12..<bytes.count].withUnsafeBytes { XXHash.xxh64($0) }
      guard hash == bytes.number(4, UInt64.self) else { throw .checksumMismatch(column: "text index") }
      rowCount = Int(bytes.number(12, UInt32.self))
      pageCount = Int(bytes.number(16, UInt32.self))
      let (start, count) = (bytes.number(20, UInt64.self), bytes.number(28, UInt64.self))
      guard start < 1 << 60, count < 1 << 60 else { throw .malformed("text index of another column chunk") }
      chunk = Int(start)..<Int(start + count)
    }

    func pages(_ bytes: Bytes, rowCount: Int) throws(ParquetError) -> [TextIndexPage] {
      let room = bytes.count - TextIndexFormat.headBytes
      guard pageCount <= room / TextIndexFormat.entryBytes else {
        throw .truncated("pages of a text index", needed: pageCount, found: room / TextIndexFormat.entryBytes)
      }
      var pages: [TextIndexPage] = []
      for index in 0..<pageCount {
        let at = TextIndexFormat.headBytes + index * TextIndexFormat.entryBytes
        let bits = Int(bytes.number(at + 4, UInt32.self))
        let page = TextIndexPage(
          firstRow: Int(bytes.number(at, UInt32.self)), shortBits: bits & 0xFF, longBits: bits >> 8,
          longBytes: Int(bytes.number(at + 8, UInt32.self)))
        guard (TextIndexPage.bitsMin...TextGrams.shortBits).contains(page.shortBits),
          (TextIndexPage.bitsMin...TextGrams.longBits).contains(page.longBits),
          page.longBytes <= (1 << page.longBits) / 8, page.firstRow <= rowCount,
          page.firstRow >= pages.last?.firstRow ?? 0, index > 0 || page.firstRow == 0
        else { throw .malformed("page of a text index") }
        pages.append(page)
      }
      guard !pages.isEmpty || rowCount == 0 else { throw .malformed("text index without pages") }
      return pages
    }

    func packed(_ bytes: Bytes, pageCount: Int) throws(ParquetError) -> Range<Int> {
      let at = TextIndexFormat.headBytes + pageCount * TextIndexFormat.entryBytes
      guard bytes.count - at >= 4 else { throw .truncated("text index", needed: at + 4, found: bytes.count) }
      let count = Int(bytes.number(at, UInt32.self))
      guard count <= bytes.count - at - 4 else {
        throw .truncated("text index", needed: count, found: bytes.count - at - 4)
      }
      return at + 4..<at + 4 + count
    }
  }
}

extension Bytes {
  fileprivate func number<T: FixedWidthInteger & BitwiseCopyable>(_ at: Int, _ type: T.Type) -> T {
    withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: at, as: T.self)) }
  }
}
