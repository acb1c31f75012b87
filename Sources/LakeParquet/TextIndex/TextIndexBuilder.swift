import LakeCompression
import LakeModel

/// Gathers the text index of one column chunk, page by page. See README.md, "Text index".
struct TextIndexBuilder: ~Copyable {
  /// A chunk with less text than this gets no index: reading it costs less than asking.
  static let textBytesMin = 64 << 10
  /// The index of a page takes at most this share of its compressed bytes, as a divisor; trigrams at most a third of it.
  static let pageShare = 11
  /// Or this share of its text, where that is more: text that compresses better than 1 : 12 is dear to search all the same.
  static let textShare = 128

  private let shortWords = RawStorage(capacity: (1 << TextGrams.shortBits) / 8)
  private let longWords = RawStorage(capacity: (1 << TextGrams.longBits) / 8)
  private var text = BufferBuilder<UInt8>(capacity: 1 << 20)
  private var pages: [TextIndexPage] = []
  private var short = BufferBuilder<UInt8>(capacity: 1 << 16)
  private var long = BufferBuilder<UInt8>(capacity: 1 << 16)

  /// Notes the values of one page, given as runs of neighbours.
  ///
  /// - Parameters:
  ///   - rows: of the page, counted from the start of the row group.
  ///   - pageBytes: its compressed size; the index is cut to a share of it.
  mutating func add(rows: Range<Int>, _ values: DenseValues, _ runs: [Range<Int>], pageBytes: Int) {
    guard case .bytes(let offsets, let data) = values else { preconditionFailure("a text index is of text") }
    shortWords.base.initializeMemory(as: UInt8.self, repeating: 0, count: shortWords.capacity)
    longWords.base.initializeMemory(as: UInt8.self, repeating: 0, count: longWords.capacity)
    for run in runs { mark(run, offsets, data) }
    var page = TextIndexPage(firstRow: rows.lowerBound, shortBits: TextGrams.shortBits, longBits: TextGrams.longBits)
    let textBytes = runs.reduce(0) { $0 + Int(offsets[$1.upperBound]) - Int(offsets[$1.lowerBound]) }
    let bytesMax = max(pageBytes / Self.pageShare, textBytes / Self.textShare)
    let shortBytes = appendShort(&page, packedBytesMax: bytesMax / 3)
    appendLong(&page, bytesMax: max(0, bytesMax - shortBytes - TextIndexFormat.entryBytes))
    pages.append(page)
  }

  private mutating func mark(_ run: Range<Int>, _ offsets: Buffer<UInt32>, _ data: Buffer<UInt8>) {
    let offset = offsets.unsafeBase
    let first = Int(offset[run.lowerBound])
    let count = Int(offset[run.upperBound]) - first
    text.count = 0
    let lowered = UnsafeMutableRawPointer(text.reserve(count + 16))
    let whole = max(0, min(count, data.count - first - 8))
    let source = UnsafeRawPointer(data.unsafeBase) + first
    TextGrams.lower(source, to: lowered, count: whole)
    for index in whole..<max(whole, count) {
      lowered.storeBytes(
        of: TextGrams.lowered(source.load(fromByteOffset: index, as: UInt8.self)), toByteOffset: index, as: UInt8.self)
    }
    // Bits rather than bytes: both stay in the nearest cache.
    let short = shortWords.base.assumingMemoryBound(to: UInt64.self)
    let long = longWords.base.assumingMemoryBound(to: UInt64.self)
    for value in run {
      var at = Int(offset[value]) - first
      let end = Int(offset[value + 1]) - first
      while at <= end - TextGrams.longBytes {
        let word = lowered.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        let shortPosition = TextGrams.shortPosition(word)
        short[shortPosition >> 6] |= 1 << UInt64(shortPosition & 63)
        let position = TextGrams.longPosition(word)
        long[position >> 6] |= 1 << UInt64(position & 63)
        at += 1
      }
      while at <= end - TextGrams.shortBytes {
        let position = TextGrams.shortPosition(lowered.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        short[position >> 6] |= 1 << UInt64(position & 63)
        at += 1
      }
    }
    withExtendedLifetime((offsets.storage, data.storage)) {}
  }

  /// Folds the bits until an eighth of them is set, or until they are small enough, and appends them.
  /// - Returns: the bytes they will take at most, packed.
  private mutating func appendShort(_ page: inout TextIndexPage, packedBytesMax: Int) -> Int {
    let words = shortWords.base.assumingMemoryBound(to: UInt64.self)
    var packedBytes: Int
    repeat {
      var set = 0
      for index in 0..<(1 << page.shortBits) / 64 { set &+= words[index].nonzeroBitCount }
      // A line above the entropy of so many random bits: 15 % and 3.3 bits for each that is set.
      packedBytes = min(page.shortBytes, page.shortBytes * 3 / 20 + set * 33 / 80) + 8
      let isSparse = set * 16 <= 1 << page.shortBits
      guard page.shortBits > TextIndexPage.bitsMin, isSparse || packedBytes > packedBytesMax else { break }
      page.shortBits -= 1
      let half = (1 << page.shortBits) / 64
      for index in 0..<half { words[index] |= words[index + half] }
    } while true
    short.append(contentsOf: shortWords.base.assumingMemoryBound(to: UInt8.self), count: page.shortBytes)
    return packedBytes
  }

  /// Folds the bits until between a third and half of them are set, and appends as many as the budget allows.
  private mutating func appendLong(_ page: inout TextIndexPage, bytesMax: Int) {
    let words = longWords.base.assumingMemoryBound(to: UInt64.self)
    func isSparse() -> Bool {
      var set = 0
      for index in 0..<(1 << page.longBits) / 64 { set &+= words[index].nonzeroBitCount }
      return set * 10 <= 3 << page.longBits
    }
    while page.longBits > TextIndexPage.bitsMin && isSparse() {
      page.longBits -= 1
      let half = (1 << page.longBits) / 64
      for index in 0..<half { words[index] |= words[index + half] }
    }
    page.longBytes = min((1 << page.longBits) / 8, bytesMax)
    long.append(contentsOf: longWords.base.assumingMemoryBound(to: UInt8.self), count: page.longBytes)
  }

  consuming func finish(_ compressor: Compressor) throws(ParquetError) -> BuiltTextIndex {
    let (pages, shortCount, longCount) = (pages, short.count, long.count)
    let (short, long) = (short.finish(), long.finish())
    do {
      return BuiltTextIndex(
        pages: pages,
        packed: try compressor.compress(Bytes(storage: short.storage, offset: 0, count: shortCount), codec: .zstd),
        long: Bytes(storage: long.storage, offset: 0, count: longCount))
    } catch { throw .compression(error) }
  }
}

/// Where the bits of one page lie within the index.
struct TextIndexPage: Sendable, Equatable {
  /// Counted from the start of the row group.
  var firstRow: Int
  /// log2 of the positions that are told apart.
  var shortBits: Int
  var longBits: Int
  /// Stored bytes of the longer runs; positions beyond them were cut off and say nothing.
  var longBytes = 0

  static let bitsMin = 9
  var shortBytes: Int { (1 << shortBits) / 8 }
}

/// The index of a chunk that has no place in a file yet.
struct BuiltTextIndex: Sendable {
  let pages: [TextIndexPage]
  /// The trigram bits of all pages under zstd.
  let packed: Bytes
  let long: Bytes
}
