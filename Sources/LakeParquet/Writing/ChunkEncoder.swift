import LakeCompression
import LakeModel
import LakeSchema

/// One leaf of one row group, encoded: a pure function of the leaf's entries and the options. Offsets are relative to
/// the first byte.
struct EncodedChunk: Sendable {
  var bytes: Bytes
  var metadata: RawColumnMetadata
  var offsetIndex: RawOffsetIndex
  /// Nil when some page has values but no bounds.
  var columnIndex: RawColumnIndex?
  var bloomFilter: Bytes?
  var textIndex: BuiltTextIndex?
  var bounds: ValueBounds
  var nullCount: Int
}

struct ChunkEncoder: ~Copyable {
  private let leaf: Leaf
  private let layout: ColumnLayout?
  private let options: ParquetWriterOptions
  private let compressor: Compressor
  private let order: ValueOrder
  private var codec: CompressionCodec

  private var output = BufferBuilder<UInt8>(capacity: 64 << 10)
  private var body = BufferBuilder<UInt8>(capacity: 64 << 10)
  private var uncompressedBytes = 0
  private var offsetIndex = RawOffsetIndex()
  private var columnIndex = RawColumnIndex()
  private var hasColumnIndex = true
  private var pageBounds: [ValueBounds] = []
  private var bounds = ValueBounds()
  private var nullCount = 0
  private var pageCount = 0
  private var repetitionHistogram: [Int]
  private var definitionHistogram: [Int]
  private var textIndex = TextIndexBuilder?.none

  init(leaf: Leaf, layout: ColumnLayout?, options: ParquetWriterOptions, compressor: Compressor) {
    self.leaf = leaf
    self.layout = layout
    self.options = options
    self.compressor = compressor
    order = ValueOrder(leaf)
    codec = options.codec
    repetitionHistogram = Array(repeating: 0, count: leaf.maxRepetition + 1)
    definitionHistogram = Array(repeating: 0, count: leaf.maxDefinition + 1)
  }

  /// What the values of a chunk are written from.
  private enum Source {
    case values(DenseValues, Encoding)
    case dictionary(BuiltDictionary, width: Int)
  }

  consuming func encode(_ shredded: ShreddedLeaf) throws(ParquetError) -> EncodedChunk {
    let selected = try SelectedValues(shredded.column, shredded.selection, leaf: leaf)
    let source = try source(of: selected)
    if try !pays(source) { codec = .none }
    if layout?.hasTextIndex == true, Self.textBytes(source) >= TextIndexBuilder.textBytesMin {
      textIndex = TextIndexBuilder()
    }
    var dictionaryOffset: Int?
    if case .dictionary(let dictionary, _) = source {
      dictionaryOffset = 0
      try writeDictionary(dictionary.entries)
    }
    let dataOffset = output.count
    let pages = PageSplitter(shredded, options: options).pages { Self.bytes(source, $0) }
    for (number, page) in pages.enumerated() {
      try writePage(page, shredded, source)
      // Room for the others, if they are like the first one: growing bit by bit would copy the chunk again and again.
      if number == 0 { _ = output.reserve((output.count - dataOffset) * (pages.count - 1) * 17 / 16) }
    }
    return try finish(shredded, source, dictionaryOffset: dictionaryOffset, dataOffset: dataOffset)
  }

  private func source(of selected: SelectedValues) throws(ParquetError) -> Source {
    let wanted = layout?.encoding ?? .dictionary
    if wanted == .dictionary,
      let built = DictionaryBuilder.build(
        selected, bytesMax: options.dictionaryBytesMax, unites: options.unitesDictionaries,
        arranges: options.arrangesDictionaries)
    {
      // One bit at least: some readers do not take indices of no bits.
      return .dictionary(built, width: max(1, BitPacking.width(of: UInt64(max(1, built.entries.count) - 1))))
    }
    let dense: DenseValues
    switch selected {
    case .dense(let values): dense = values
    case .indexed(let indices, let entries): dense = try Gather.materialize(indices, entries)
    }
    return .values(dense, encoding(wanted, for: dense))
  }

  private func encoding(_ wanted: ColumnLayout.Encoding, for values: DenseValues) -> Encoding {
    switch (wanted, values) {
    case (.plain, _): return .plain
    case (.byteStreamSplit, .boolean), (.byteStreamSplit, .bytes): return .plain
    case (.byteStreamSplit, _): return .byteStreamSplit
    case (.deltaByteArray, .bytes), (.deltaByteArray, .fixed): return .deltaByteArray
    case (_, .boolean): return options.pageVersion == .v2 ? .rle : .plain
    case (.dictionary, .int32), (.dictionary, .int64), (.deltaBinaryPacked, .int32), (.deltaBinaryPacked, .int64):
      return .deltaBinaryPacked
    case (.dictionary, .bytes), (.deltaLengthByteArray, .bytes): return .deltaLengthByteArray
    default: return .plain
    }
  }

  /// Whether the chunk is to be compressed.
  private func pays(_ source: Source) throws(ParquetError) -> Bool {
    guard codec != .none, let shareMax = options.compressedShareMax else { return true }
    let values: DenseValues
    switch source {
    case .values(let dense, _): values = dense
    case .dictionary(let dictionary, _): values = dictionary.entries
    }
    do {
      return try CompressionSample.pays(values, shareMax: shareMax, codec: codec, level: options.level, compressor)
    } catch {
      throw .compression(error)
    }
  }

  /// Bytes of some values before compression, roughly.
  private static func bytes(_ source: Source, _ range: Range<Int>) -> Int {
    switch source {
    case .values(let values, _): values.plainBytes(range)
    case .dictionary(_, let width): range.count * width / 8 + 1
    }
  }

  /// Bytes of the texts to be written, each entry of a dictionary once; 0 for other types.
  private static func textBytes(_ source: Source) -> Int {
    switch source {
    case .values(let values, _): values.unencodedBytes(0..<values.count) ?? 0
    case .dictionary(let dictionary, _): dictionary.entries.unencodedBytes(0..<dictionary.entries.count) ?? 0
    }
  }

  private mutating func writeDictionary(_ entries: DenseValues) throws(ParquetError) {
    body.count = 0
    ValueEncoder.plain(entries, 0..<entries.count, into: &body)
    let header = PageHeader(kind: .dictionary(valueCount: entries.count, encoding: .plain))
    _ = try append(header, uncompressedPrefix: 0)
  }

  private mutating func writePage(
    _ page: PageSplitter.Page, _ shredded: ShreddedLeaf, _ source: Source
  ) throws(ParquetError) {
    body.count = 0
    let repetitionBytes = appendLevels(shredded.repetition, page.entries, max: leaf.maxRepetition)
    let definitionBytes = appendLevels(shredded.definition, page.entries, max: leaf.maxDefinition)
    let encoding: Encoding
    switch source {
    case .values(let values, let chosen):
      encoding = chosen
      if !page.values.isEmpty || chosen != .plain { ValueEncoder.encode(values, page.values, chosen, into: &body) }
    case .dictionary(let dictionary, let width):
      encoding = .rleDictionary
      ValueEncoder.indices(dictionary.indices, page.values, width: width, into: &body)
    }
    let nulls = page.entries.count - page.values.count
    let kind: PageHeader.Kind
    switch options.pageVersion {
    case .v1: kind = .data(PageHeader.DataV1(valueCount: page.entries.count, encoding: encoding))
    case .v2:
      kind = .dataV2(
        PageHeader.DataV2(
          valueCount: page.entries.count, nullCount: nulls, rowCount: page.rows.count, encoding: encoding,
          definitionBytes: definitionBytes, repetitionBytes: repetitionBytes))
    }
    let offset = output.count
    let prefix = options.pageVersion == .v2 ? repetitionBytes + definitionBytes : 0
    let bytes = try append(PageHeader(kind: kind), uncompressedPrefix: prefix)
    offsetIndex.locations.append(.init(offset: offset, bytes: bytes, firstRow: page.rows.lowerBound))
    switch source {
    case .values(let values, _):
      note(page, shredded, Summary(values, page.values, order), nulls: nulls)
      textIndex?.add(rows: page.rows, values, [page.values], pageBytes: bytes)
    case .dictionary(let dictionary, _):
      let use = DictionaryUse(dictionary, page.values)
      note(page, shredded, Summary(use, order), nulls: nulls)
      if textIndex != nil { textIndex?.add(rows: page.rows, dictionary.entries, use.runs, pageBytes: bytes) }
    }
  }

  /// Appends levels to the page: in v1 after their length, in v2 bare. Returns their bytes without the length.
  private mutating func appendLevels(_ levels: Buffer<UInt8>?, _ entries: Range<Int>, max: Int) -> Int {
    guard max > 0, let levels else { return 0 }
    let start = body.count
    let prefix = options.pageVersion == .v1 ? 4 : 0
    body.append(repeating: 0, count: prefix)
    levels.withValues {
      RunLength.encode(
        $0.baseAddress! + entries.lowerBound, count: entries.count, width: BitPacking.width(of: UInt64(max)),
        into: &body)
    }
    let bytes = body.count - start - prefix
    if prefix > 0 {
      UnsafeMutableRawPointer(body.base + start).storeBytes(of: UInt32(bytes).littleEndian, as: UInt32.self)
    }
    return bytes
  }

  /// Compresses `body` beyond its prefix and appends header and page. Returns their bytes.
  private mutating func append(_ header: PageHeader, uncompressedPrefix: Int) throws(ParquetError) -> Int {
    var header = header
    let compressible = body.count - uncompressedPrefix
    guard body.count <= Int(Int32.max) else {
      throw .limitExceeded("bytes of a page of \(leaf.pathText)", limit: Int(Int32.max), found: body.count)
    }
    header.uncompressedBytes = body.count
    let scratch: RawStorage?
    var packed = body.count
    if codec == .none || compressible == 0 && options.pageVersion == .v2 && uncompressedPrefix > 0 {
      scratch = nil
      if case .dataV2(var data) = header.kind {
        data.isCompressed = false
        header.kind = .dataV2(data)
      }
    } else {
      let storage = RawStorage(capacity: uncompressedPrefix + Compressor.bound(compressible, codec: codec))
      packed = uncompressedPrefix + (try compress(from: uncompressedPrefix, into: storage))
      scratch = storage
    }
    header.compressedBytes = packed
    let payload = scratch?.base ?? UnsafeMutableRawPointer(body.base)
    if options.writesPageChecksums {
      header.checksum = CRC32.checksum(UnsafeRawBufferPointer(start: payload, count: packed))
    }
    let start = output.count
    let head = header.encoded()
    head.withUnsafeBufferPointer { output.append(contentsOf: $0.baseAddress!, count: $0.count) }
    output.append(contentsOf: UnsafePointer(payload.assumingMemoryBound(to: UInt8.self)), count: packed)
    withExtendedLifetime(scratch) {}
    uncompressedBytes += head.count + body.count
    return output.count - start
  }

  private func compress(from prefix: Int, into storage: RawStorage) throws(ParquetError) -> Int {
    storage.base.copyMemory(from: body.base, byteCount: prefix)
    let source = UnsafeRawBufferPointer(start: body.base + prefix, count: body.count - prefix)
    let target = UnsafeMutableRawBufferPointer(start: storage.base + prefix, count: storage.capacity - prefix)
    do {
      return try compressor.compress(source, codec: codec, level: options.level, into: target)
    } catch {
      throw .compression(error)
    }
  }

  /// What is told of the values of a page.
  private struct Summary {
    let bounds: ValueBounds
    let unencodedBytes: Int?

    init(_ values: DenseValues, _ range: Range<Int>, _ order: ValueOrder) {
      bounds = ValueBounds(values, range, order: order)
      unencodedBytes = values.unencodedBytes(range)
    }

    init(_ use: DictionaryUse, _ order: ValueOrder) {
      bounds = use.bounds(order: order)
      unencodedBytes = use.unencodedBytes
    }
  }

  /// Statistics of the page just written.
  private mutating func note(
    _ page: PageSplitter.Page, _ shredded: ShreddedLeaf, _ summary: Summary, nulls: Int
  ) {
    pageCount += 1
    nullCount += nulls
    let histograms = (
      Self.histogram(shredded.repetition, page.entries, max: leaf.maxRepetition),
      Self.histogram(shredded.definition, page.entries, max: leaf.maxDefinition)
    )
    for level in 0...leaf.maxRepetition { repetitionHistogram[level] += histograms.0[level] }
    for level in 0...leaf.maxDefinition { definitionHistogram[level] += histograms.1[level] }
    if leaf.maxRepetition > 0 { columnIndex.repetitionHistograms += histograms.0 }
    if leaf.maxDefinition > 0 { columnIndex.definitionHistograms += histograms.1 }
    let found = summary.bounds
    if let bytes = summary.unencodedBytes { offsetIndex.unencodedBytes.append(bytes) }
    bounds.merge(found, order: order)
    columnIndex.nullPages.append(page.values.isEmpty)
    columnIndex.nullCounts.append(nulls)
    if page.values.isEmpty {
      columnIndex.minValues.append(Bytes())
      columnIndex.maxValues.append(Bytes())
    } else if let (low, high) = shortened(found) {
      columnIndex.minValues.append(low.bytes)
      columnIndex.maxValues.append(high.bytes)
      pageBounds.append(found)
    } else {
      hasColumnIndex = false
    }
  }

  private static func histogram(_ levels: Buffer<UInt8>?, _ entries: Range<Int>, max: Int) -> [Int] {
    guard let levels else { return [entries.count] }
    return levels.withValues { levels in
      // How many reach each level, in vectors; the differences are the histogram.
      let from = levels.baseAddress! + entries.lowerBound
      var counts = [entries.count]
      for level in stride(from: 1, through: max, by: 1) {
        counts.append(Levels.count(from, entries.count, atLeast: UInt8(level)))
        counts[level - 1] -= counts[level]
      }
      return counts
    }
  }

  private var isText: Bool { leaf.type == .string }

  private func shortened(_ bounds: ValueBounds) -> (ShortenedBound, ShortenedBound)? {
    guard let low = bounds.min?.plain, let high = bounds.max?.plain else { return nil }
    if leaf.physicalType == .byteArray {
      let limit = options.statisticsBytesMax
      guard let upper = ShortenedBound.upper(high, limit: limit, isText: isText) else { return nil }
      return (.lower(low, limit: limit, isText: isText), upper)
    }
    return (ShortenedBound(bytes: low, isExact: true), ShortenedBound(bytes: high, isExact: true))
  }

  private consuming func finish(
    _ shredded: ShreddedLeaf, _ source: Source, dictionaryOffset: Int?, dataOffset: Int
  ) throws(ParquetError) -> EncodedChunk {
    var metadata = RawColumnMetadata()
    metadata.type = leaf.physicalType
    metadata.path = leaf.path
    metadata.codec = codec.parquetCode
    metadata.valueCount = shredded.count
    metadata.uncompressedBytes = uncompressedBytes
    metadata.compressedBytes = output.count
    metadata.dataPageOffset = dataOffset
    metadata.dictionaryPageOffset = dictionaryOffset
    metadata.statistics = statistics(source)
    describeEncodings(source, in: &metadata)
    metadata.sizeStatistics = SizeStatistics(
      unencodedBytes: leaf.physicalType == .byteArray ? offsetIndex.unencodedBytes.reduce(0, +) : nil,
      repetitionHistogram: leaf.maxRepetition > 0 ? repetitionHistogram : [],
      definitionHistogram: leaf.maxDefinition > 0 ? definitionHistogram : [])
    columnIndex.boundaryOrder = Self.boundaryOrder(pageBounds, order)
    let bloom = layout?.hasBloomFilter == true ? bloomFilter(source) : nil
    let index = hasColumnIndex && options.writesStatistics ? columnIndex : nil
    let (offsets, bounds, nulls, count) = (offsetIndex, bounds, nullCount, output.count)
    let bytes = output.finish()
    let text = try textIndex.take()?.finish(compressor)
    return EncodedChunk(
      bytes: Bytes(storage: bytes.storage, offset: 0, count: count), metadata: metadata, offsetIndex: offsets,
      columnIndex: index, bloomFilter: bloom, textIndex: text, bounds: bounds, nullCount: nulls)
  }

  private func statistics(_ source: Source) -> RawStatistics? {
    guard options.writesStatistics else { return nil }
    var statistics = RawStatistics()
    statistics.nullCount = nullCount
    if case .dictionary(let dictionary, _) = source, dictionary.isDistinct {
      statistics.distinctCount = dictionary.entries.count
    }
    if let low = bounds.min?.plain, let high = bounds.max?.plain {
      let limit = leaf.physicalType == .byteArray ? options.statisticsBytesMax : .max
      let lower = ShortenedBound.lower(low, limit: limit, isText: isText)
      statistics.min = lower.bytes
      statistics.isMinExact = lower.isExact
      if let upper = ShortenedBound.upper(high, limit: limit, isText: isText) {
        statistics.max = upper.bytes
        statistics.isMaxExact = upper.isExact
      }
    }
    return statistics
  }

  private func describeEncodings(_ source: Source, in metadata: inout RawColumnMetadata) {
    let levels = leaf.maxDefinition > 0 || leaf.maxRepetition > 0 ? [Int(Encoding.rle.rawValue)] : []
    let dataPage = options.pageVersion == .v2 ? 3 : 0
    switch source {
    case .values(_, let encoding):
      metadata.encodings = Array(Set([Int(encoding.rawValue)] + levels)).sorted()
      metadata.encodingStatistics = [(dataPage, Int(encoding.rawValue), pageCount)]
    case .dictionary:
      metadata.encodings = [Int(Encoding.plain.rawValue)] + levels + [Int(Encoding.rleDictionary.rawValue)]
      metadata.encodingStatistics = [
        (2, Int(Encoding.plain.rawValue), 1), (dataPage, Int(Encoding.rleDictionary.rawValue), pageCount),
      ]
    }
  }

  private func bloomFilter(_ source: Source) -> Bytes? {
    let values: DenseValues
    switch source {
    case .values(let dense, _): values = dense
    case .dictionary(let dictionary, _): values = dictionary.entries
    }
    return BloomFilterBuilder.build(
      values, falsePositives: options.bloomFalsePositives, bytesMax: options.bloomBytesMax)
  }

  /// How the bounds of the pages with values follow one another.
  private static func boundaryOrder(_ pages: [ValueBounds], _ order: ValueOrder) -> Int {
    var ascends = true
    var descends = true
    for (before, after) in zip(pages, pages.dropFirst()) {
      guard let beforeMin = before.min, let beforeMax = before.max, let min = after.min, let max = after.max else {
        return 0
      }
      ascends = ascends && !order.isLess(min, beforeMin) && !order.isLess(max, beforeMax)
      descends = descends && !order.isLess(beforeMin, min) && !order.isLess(beforeMax, max)
    }
    return ascends ? 1 : descends ? 2 : 0
  }
}

/// Which dictionary entries a page uses.
struct DictionaryUse {
  private let entries: DenseValues
  private let indices: Buffer<UInt32>
  /// Ascending; nil: all of them.
  private let used: Buffer<UInt32>?
  /// Bytes of the page's texts; nil for other types.
  private(set) var unencodedBytes: Int?

  /// - Precondition: the indices of the dictionary use each of its entries.
  init(_ dictionary: BuiltDictionary, _ range: Range<Int>) {
    entries = dictionary.entries
    indices = dictionary.indices.slice(range)
    used = range.count == dictionary.indices.count ? nil : Self.used(indices, entryCount: entries.count)
    if case .bytes(let offsets, _) = entries { unencodedBytes = Self.textBytes(offsets, indices) }
  }

  private static func textBytes(_ offsets: Buffer<UInt32>, _ indices: Buffer<UInt32>) -> Int {
    offsets.withValues { offsets in
      indices.withValues { indices in
        var total = 0
        for index in indices { total &+= Int(offsets[Int(index) &+ 1] &- offsets[Int(index)]) }
        return total
      }
    }
  }

  private static func used(_ indices: Buffer<UInt32>, entryCount: Int) -> Buffer<UInt32> {
    // A byte for each: only written, so that no look waits for the one before.
    let flags = Buffer<UInt8>(count: entryCount) { flags in
      flags.update(repeating: 0, count: entryCount)
      indices.withValues { for index in $0 { flags[Int(index)] = 1 } }
    }
    var used = BufferBuilder<UInt32>(capacity: max(1, entryCount))
    let target = used.reserve(entryCount)
    var count = 0
    flags.withValues { flags in
      // Written in any case, kept when used: no branch to foresee.
      for entry in 0..<flags.count {
        target[count] = UInt32(truncatingIfNeeded: entry)
        count &+= Int(flags[entry])
      }
    }
    used.count = count
    return used.finish()
  }

  /// The entries as runs of neighbours.
  var runs: [Range<Int>] {
    guard let used else { return [0..<entries.count] }
    return RowRanges.normalized(used.array.map { Int($0)..<Int($0) + 1 }, rowCount: entries.count)
  }

  func bounds(order: ValueOrder) -> ValueBounds {
    switch entries {
    case .boolean(let values): return whole(.boolean(picked(values)), order)
    case .int32(let values): return whole(.int32(picked(values)), order)
    case .int64(let values): return whole(.int64(picked(values)), order)
    // Every value, not every entry: NaN is counted.
    case .float(let values): return whole(.float(Gather.pick(values, .positions(indices))), order)
    case .double(let values): return whole(.double(Gather.pick(values, .positions(indices))), order)
    case .fixed, .bytes:
      guard let used else { return whole(entries, order) }
      guard used.count > 0 else { return ValueBounds() }
      let (low, high) = used.withValues { used in entries.extremeRuns(used.count, order) { Int(used[$0]) } }
      return ValueBounds(
        min: .bytes(Bytes(copying: entries.run(low))), max: .bytes(Bytes(copying: entries.run(high))))
    }
  }

  private func picked<T: BitwiseCopyable>(_ values: Buffer<T>) -> Buffer<T> {
    used.map { Gather.pick(values, .positions($0)) } ?? values
  }

  private func whole(_ values: DenseValues, _ order: ValueOrder) -> ValueBounds {
    ValueBounds(values, 0..<values.count, order: order)
  }
}

extension CompressionCodec {
  /// The format's number.
  var parquetCode: Int {
    switch self {
    case .none: 0
    case .snappy: 1
    case .gzip: 2
    case .brotli: 4
    case .zstd: 6
    case .lz4raw: 7
    }
  }
}
