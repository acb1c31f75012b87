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
  /// A byte for each position of longer runs that is kept, and one for all others.
  private let longFlags = RawStorage(capacity: (1 << TextGrams.longBits) + 1)
  /// log2 of the positions that the longer runs of the page before were told apart by, and its bytes of text.
  private var before: (longBits: Int, textBytes: Int) = (TextIndexPage.bitsMin, 1 << TextIndexPage.bitsMin)
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
    let textBytes = runs.reduce(0) { $0 + Int(offsets[$1.upperBound]) - Int(offsets[$1.lowerBound]) }
    let bytesMax = max(pageBytes / Self.pageShare, textBytes / Self.textShare)
    var page = TextIndexPage(firstRow: rows.lowerBound, shortBits: TextGrams.shortBits, longBits: TextGrams.longBits)
    shortWords.base.initializeMemory(as: UInt8.self, repeating: 0, count: shortWords.capacity)
    page.longBits = markUntilDense(bytesMax: bytesMax, textBytes: textBytes) { builder, bits, kept in
      for run in runs { builder.mark(run, offsets, data, longBits: bits, longKept: kept) }
    }
    before = (page.longBits, textBytes)
    let shortBytes = appendShort(&page, packedBytesMax: bytesMax / 3)
    appendLong(&page, bytesMax: max(0, bytesMax - shortBytes - TextIndexFormat.entryBytes))
    pages.append(page)
  }

  /// Marks the page's text, told apart by as many positions as leave between a quarter and half of them set. Only those that the
  /// budget may keep are looked at: they are a sample of all, and lie in a near cache.
  ///
  /// - Parameter mark: the text; the last parameter is how many positions are kept.
  /// - Returns: log2 of the positions.
  private mutating func markUntilDense(
    bytesMax: Int, textBytes: Int, _ mark: (inout TextIndexBuilder, _ bits: Int, _ kept: Int) -> Void
  ) -> Int {
    var bits = longBitsGuess(textBytes: textBytes)
    var wasFolded = false
    while true {
      let kept = min(1 << bits, max(bytesMax * 8, 1 << TextIndexPage.bitsMin))
      longFlags.base.initializeMemory(as: UInt8.self, repeating: 0, count: kept)
      mark(&self, bits, kept)
      let set = Self.sum(longFlags.base.assumingMemoryBound(to: UInt8.self), kept)
      if set * 100 <= 27 * kept && bits > TextIndexPage.bitsMin {
        bits -= 1
        wasFolded = true
      } else if set * 100 > 54 * kept && bits < TextGrams.longBits && !wasFolded {
        bits += 1
      } else {
        return bits
      }
    }
  }

  /// As many positions for its text as the page before had for its own: then most pages need one pass.
  private func longBitsGuess(textBytes: Int) -> Int {
    var (bits, bytes) = before
    while bits < TextGrams.longBits && textBytes > bytes + bytes / 2 { (bits, bytes) = (bits + 1, bytes * 2) }
    while bits > TextIndexPage.bitsMin && textBytes < bytes - bytes / 3 { (bits, bytes) = (bits - 1, bytes / 2) }
    return bits
  }

  private static func sum(_ flags: UnsafePointer<UInt8>, _ count: Int) -> Int {
    var sum = 0
    for at in 0..<count { sum &+= Int(flags[at]) }
    return sum
  }

  private mutating func mark(
    _ run: Range<Int>, _ offsets: Buffer<UInt32>, _ data: Buffer<UInt8>, longBits: Int, longKept: Int
  ) {
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
    // Bits of trigrams are few. Of longer runs a byte each is written, without a look: what lies there is often far away.
    let short = shortWords.base.assumingMemoryBound(to: UInt64.self)
    let long = longFlags.base.assumingMemoryBound(to: UInt8.self)
    let mask = 1 << longBits - 1
    for value in run {
      var at = Int(offset[value]) - first
      let end = Int(offset[value + 1]) - first
      while at <= end - TextGrams.longBytes {
        let word = lowered.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        let shortPosition = TextGrams.shortPosition(word)
        short[shortPosition &>> 6] |= 1 &<< UInt64(shortPosition & 63)
        long[min(TextGrams.longPosition(word) & mask, longKept)] = 1
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

  /// Appends as many of the longer runs' bits as the budget allows.
  private mutating func appendLong(_ page: inout TextIndexPage, bytesMax: Int) {
    page.longBytes = min((1 << page.longBits) / 8, bytesMax)
    let target = long.reserve(page.longBytes)
    for at in 0..<page.longBytes {
      // Eight bytes of 0 or 1, the first lowest, become the bits of one.
      let flags = longFlags.base.loadUnaligned(fromByteOffset: at * 8, as: UInt64.self).littleEndian
      target[at] = UInt8(truncatingIfNeeded: (flags &* 0x0102_0408_1020_4080) &>> 56)
    }
    long.count += page.longBytes
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
