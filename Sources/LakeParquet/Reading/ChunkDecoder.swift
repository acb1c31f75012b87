import LakeCompression
import LakeModel
import LakeSchema

/// Decodes the pages of one column chunk, one after another, into levels and values.
///
/// Text and fixed columns stay dictionary-encoded while their pages are. When a writer gave its dictionary up half-way,
/// the values of the plain pages become further entries of the dictionary; when those outnumber the indexed values,
/// everything is written out instead.
final class ChunkDecoder {
  private let leaf: Leaf
  private let chunk: ColumnChunk
  private let limits: ReadLimits
  private let decompressor: Compressor
  /// Bytes of a value in `fixed`; 0 for text.
  private let width: Int
  private let keepsDictionary: Bool

  private var definition: BufferBuilder<UInt8>
  private var repetition: BufferBuilder<UInt8>
  /// The first entries, all present, whose definition levels were not written out: most pages of flat columns are one run.
  private var impliedCount = 0
  private var entryCount = 0
  private var presentCount = 0

  private var fixed: BufferBuilder<UInt8>
  private var text: ByteArraySink
  private var indices: BufferBuilder<UInt32>
  private var isIndexed = false
  private var hasPlainPages = false
  /// Values in `fixed` or `text`.
  private var plainCount = 0
  private var dictionary: Column.Values?
  private var dictionaryCount = 0

  private var scratch = RawStorage(capacity: 0)
  /// Room to take before it is needed, in bytes: what the footer promises, as far as the chunk's bytes make it likely.
  private var expectedBytes = 0
  private var expectedValues = 0

  init(leaf: Leaf, chunk: ColumnChunk, limits: ReadLimits, decompressor: Compressor) throws(ParquetError) {
    self.leaf = leaf
    self.chunk = chunk
    self.limits = limits
    self.decompressor = decompressor
    width = leaf.physicalType == .byteArray ? 0 : leaf.physicalType.width ?? leaf.typeLength
    guard width > 0 || leaf.physicalType == .byteArray else { throw .malformed("\(leaf.pathText) of width 0") }
    switch leaf.type {
    case .string, .binary, .uuid, .fixed: keepsDictionary = true
    default: keepsDictionary = false
    }
    guard chunk.valueCount <= limits.chunkValuesMax else {
      throw .limitExceeded("values of \(leaf.pathText)", limit: limits.chunkValuesMax, found: chunk.valueCount)
    }
    definition = BufferBuilder(capacity: 16)
    repetition = BufferBuilder(capacity: 16)
    fixed = BufferBuilder(capacity: 16)
    text = ByteArraySink(bytesMax: limits.chunkBytesMax)
    indices = BufferBuilder(capacity: 16)
  }

  /// Decodes every page in `bytes`, which are the chunk's.
  func decodeAll(_ bytes: Bytes) throws(ParquetError) {
    let plausible = min(bytes.count, limits.chunkBytesMax / 64) * 64
    expectedBytes = max(0, min(chunk.uncompressedBytes, plausible))
    expectedValues = min(chunk.valueCount, plausible)
    if leaf.maxRepetition > 0 { _ = repetition.reserve(expectedValues + 8) }
    var position = 0
    while entryCount < chunk.valueCount {
      guard position < bytes.count else {
        throw .truncated("values of \(leaf.pathText)", needed: chunk.valueCount, found: entryCount)
      }
      try decodePage(bytes, at: &position)
    }
  }

  /// Decodes the one page that starts at `position` and moves past it.
  func decodePage(_ bytes: Bytes, at position: inout Int) throws(ParquetError) {
    let header = try PageHeader(decoding: bytes, at: &position)
    guard header.compressedBytes <= bytes.count - position else {
      throw .truncated("page of \(leaf.pathText)", needed: header.compressedBytes, found: bytes.count - position)
    }
    let payload = bytes[position..<position + header.compressedBytes]
    position += header.compressedBytes
    guard header.uncompressedBytes <= limits.pageBytesMax else {
      throw .limitExceeded(
        "bytes of a page of \(leaf.pathText)", limit: limits.pageBytesMax, found: header.uncompressedBytes)
    }
    if let checksum = header.checksum, limits.verifiesChecksums, CRC32.checksum(payload) != checksum {
      throw .checksumMismatch(column: leaf.pathText)
    }
    try payload.withUnsafeBytes { payload throws(ParquetError) in
      switch header.kind {
      case .other: return
      case .dictionary(let count, let encoding):
        let body = try decompress(payload, to: header.uncompressedBytes)
        try decodeDictionary(body, count: count, encoding: encoding)
      case .data(let data): try decodeV1(data, try decompress(payload, to: header.uncompressedBytes))
      case .dataV2(let data): try decodeV2(data, payload, uncompressedBytes: header.uncompressedBytes)
      }
    }
    withExtendedLifetime(scratch) {}
  }

  /// The page's bytes, in memory that stays until the next page.
  private func decompress(
    _ payload: UnsafeRawBufferPointer, to count: Int
  ) throws(ParquetError) -> UnsafeRawBufferPointer {
    if chunk.codec == .none {
      guard payload.count == count else { throw .malformed("uncompressed page of two sizes") }
      return payload
    }
    if count == 0 { return UnsafeRawBufferPointer(start: scratch.base, count: 0) }
    if scratch.capacity < count { scratch = RawStorage(capacity: max(count, scratch.capacity * 2)) }
    let target = UnsafeMutableRawBufferPointer(start: scratch.base, count: count)
    let found: Int
    do {
      found =
        chunk.isHadoopLz4
        ? try HadoopLz4.decompress(payload, into: target, decompressor)
        : try decompressor.decompress(payload, codec: chunk.codec, into: target)
    } catch { throw .compression(error) }
    guard found == count else { throw .compression(.sizeMismatch(expected: count, found: found)) }
    return UnsafeRawBufferPointer(target)
  }
}

extension ChunkDecoder {
  private func decodeDictionary(
    _ body: UnsafeRawBufferPointer, count: Int, encoding: Encoding
  ) throws(ParquetError) {
    guard dictionary == nil else { throw .malformed("second dictionary of \(leaf.pathText)") }
    guard encoding == .plain || encoding == .plainDictionary else {
      throw .unsupported("dictionary in encoding \(encoding)")
    }
    guard leaf.physicalType != .boolean else { throw .malformed("dictionary of booleans") }
    dictionaryCount = count
    if leaf.physicalType == .byteArray {
      var sink = ByteArraySink(bytesMax: limits.chunkBytesMax)
      try ByteArrays.decodePlain(body, count: count, into: &sink)
      dictionary = sink.values()
    } else {
      let bytes = try fixedBytes(count, in: body)
      var values = BufferBuilder<UInt8>(capacity: max(1, bytes))
      if bytes > 0 {
        values.append(contentsOf: body.baseAddress!.assumingMemoryBound(to: UInt8.self), count: bytes)
      }
      dictionary = .fixed(values.finish(), width: width)
    }
  }

  private func fixedBytes(_ count: Int, in body: UnsafeRawBufferPointer) throws(ParquetError) -> Int {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow && bytes <= body.count else {
      throw .truncated("values of \(leaf.pathText)", needed: overflow ? .max : bytes, found: body.count)
    }
    return bytes
  }

  private func decodeV1(_ page: PageHeader.DataV1, _ body: UnsafeRawBufferPointer) throws(ParquetError) {
    try admit(page.valueCount)
    var cursor = ByteCursor(body)
    try levels(&cursor, page.repetitionEncoding, count: page.valueCount, max: leaf.maxRepetition, into: &repetition)
    if page.definitionEncoding == .rle, leaf.maxDefinition > 0 {
      let length = Int(try cursor.uint32())
      try definitions(try cursor.take(length), count: page.valueCount)
    } else {
      writeImpliedLevels()
      try levels(&cursor, page.definitionEncoding, count: page.valueCount, max: leaf.maxDefinition, into: &definition)
    }
    try checkRecordStart()
    try decodeValues(cursor.rest, page.encoding, present: presentEntries(page.valueCount))
    entryCount += page.valueCount
  }

  /// The first entry of all begins a row.
  private func checkRecordStart() throws(ParquetError) {
    guard entryCount == 0, leaf.maxRepetition > 0, repetition.count > 0, repetition[0] != 0 else { return }
    throw .malformed("\(leaf.pathText) begins within a row")
  }

  private func decodeV2(
    _ page: PageHeader.DataV2, _ payload: UnsafeRawBufferPointer, uncompressedBytes: Int
  ) throws(ParquetError) {
    try admit(page.valueCount)
    var cursor = ByteCursor(payload)
    let repetitions = try cursor.take(page.repetitionBytes)
    let definitions = try cursor.take(page.definitionBytes)
    try runs(repetitions, count: page.valueCount, max: leaf.maxRepetition, into: &repetition)
    try self.definitions(definitions, count: page.valueCount)
    try checkRecordStart()
    let levelBytes = page.repetitionBytes + page.definitionBytes
    guard uncompressedBytes >= levelBytes else { throw .malformed("page smaller than its levels") }
    let body =
      page.isCompressed && chunk.codec != .none && !(cursor.remaining == 0 && uncompressedBytes == levelBytes)
      ? try decompress(cursor.rest, to: uncompressedBytes - levelBytes) : cursor.rest
    try decodeValues(body, page.encoding, present: presentEntries(page.valueCount))
    entryCount += page.valueCount
  }

  private func admit(_ count: Int) throws(ParquetError) {
    guard count <= chunk.valueCount - entryCount else {
      throw .malformed("more values in the pages of \(leaf.pathText) than the chunk has")
    }
  }

  private func levels(
    _ cursor: inout ByteCursor, _ encoding: Encoding, count: Int, max: Int, into levels: inout BufferBuilder<UInt8>
  ) throws(ParquetError) {
    guard max > 0 else { return }
    switch encoding {
    case .rle:
      let length = Int(try cursor.uint32())
      try runs(try cursor.take(length), count: count, max: max, into: &levels)
    case .bitPacked:
      let target = levels.reserve(RunLength.room(count))
      let width = BitPacking.width(of: UInt64(max))
      let used = try RunLength.decodeLegacyBitPacked(cursor.rest, width: width, count: count, into: target)
      cursor.position += used
      try check(target, count: count, max: max)
      levels.count += count
    default: throw .unsupported("levels in encoding \(encoding)")
    }
  }

  private func runs(
    _ bytes: UnsafeRawBufferPointer, count: Int, max: Int, into levels: inout BufferBuilder<UInt8>
  ) throws(ParquetError) {
    guard max > 0 else { return }
    let target = levels.reserve(RunLength.room(count))
    _ = try RunLength.decode(bytes, width: BitPacking.width(of: UInt64(max)), count: count, into: target)
    try check(target, count: count, max: max)
    levels.count += count
  }

  private func definitions(_ bytes: UnsafeRawBufferPointer, count: Int) throws(ParquetError) {
    guard leaf.maxDefinition > 0 else { return }
    if leaf.maxRepetition == 0, definition.count == 0,
      RunLength.isOneRun(bytes, of: UInt8(leaf.maxDefinition), count: count)
    {
      impliedCount += count
      return
    }
    writeImpliedLevels()
    try runs(bytes, count: count, max: leaf.maxDefinition, into: &definition)
  }

  private func writeImpliedLevels() {
    guard leaf.maxDefinition > 0, definition.count == 0 else { return }
    _ = definition.reserve(max(expectedValues, impliedCount) + 8)
    definition.append(repeating: UInt8(leaf.maxDefinition), count: impliedCount)
    impliedCount = 0
  }

  private func check(_ levels: UnsafePointer<UInt8>, count: Int, max: Int) throws(ParquetError) {
    guard (max + 1) & max != 0 else { return }
    var highest: UInt8 = 0
    for index in 0..<count { highest = Swift.max(highest, levels[index]) }
    guard highest <= max else { throw .malformed("level \(highest) above \(max)") }
  }

  /// Present values among the last `count` entries.
  private func presentEntries(_ count: Int) -> Int {
    guard leaf.maxDefinition > 0, impliedCount == 0 else { return count }
    return Levels.count(definition.base + (definition.count - count), count, atLeast: UInt8(leaf.maxDefinition))
  }
}

extension ChunkDecoder {
  private func decodeValues(
    _ body: UnsafeRawBufferPointer, _ encoding: Encoding, present: Int
  ) throws(ParquetError) {
    presentCount += present
    switch encoding {
    case .plainDictionary, .rleDictionary: try decodeIndices(body, present: present)
    default:
      if present == 0 { return }
      if isIndexed && !hasPlainPages { try leaveDictionaryEarly() }
      if !hasPlainPages { try expectPlainPages() }
      hasPlainPages = true
      if isIndexed { appendExtraIndices(present) }
      try decodePlainPage(body, encoding, present: present)
      plainCount += present
    }
  }

  /// Takes room for plain pages at once, rather than by doubling.
  private func expectPlainPages() throws(ParquetError) {
    if leaf.physicalType == .byteArray {
      _ = try text.reserveData(min(expectedBytes, text.bytesMax - text.data.count))
      _ = text.offsets.reserve(expectedValues - min(entryCount, expectedValues))
    } else {
      let (bytes, overflow) = expectedValues.multipliedReportingOverflow(by: width)
      _ = fixed.reserve(overflow ? 0 : min(bytes, max(expectedBytes, 1) * 8, limits.chunkBytesMax - fixed.count))
    }
  }

  /// At the first plain page: when most of the chunk is still to come, what was indexed is written out at once.
  private func leaveDictionaryEarly() throws(ParquetError) {
    guard chunk.valueCount - entryCount > entryCount, let dictionary else { return }
    let indexed = take(&indices)
    try indexed.withValues { indexed throws(ParquetError) in
      if let base = indexed.baseAddress { try append(base, count: indexed.count, of: dictionary) }
    }
    plainCount = indexed.count
    isIndexed = false
  }

  /// The values of a plain page become further dictionary entries.
  private func appendExtraIndices(_ count: Int) {
    let first = dictionaryCount + plainCount
    let target = indices.reserve(count)
    for index in 0..<count { target[index] = UInt32(truncatingIfNeeded: first + index) }
    indices.count += count
  }

  private func decodeIndices(_ body: UnsafeRawBufferPointer, present: Int) throws(ParquetError) {
    guard present > 0 else { return }
    guard let dictionary else { throw .malformed("page of \(leaf.pathText) without its dictionary") }
    guard let width = body.first, width <= 32 else { throw .malformed("indices of \(leaf.pathText)") }
    if indices.count == 0 { _ = indices.reserve(expectedValues + 8) }
    let start = indices.count
    let target = indices.reserve(RunLength.room(present))
    _ = try RunLength.decode(
      UnsafeRawBufferPointer(rebasing: body.dropFirst()), width: Int(width), count: present, into: target)
    try checkIndices(target, count: present, width: Int(width))
    if keepsDictionary && (isIndexed || !hasPlainPages) {
      isIndexed = true
      indices.count += present
    } else {
      // Written out at once: the indices are only passing through.
      try append(target, count: present, of: dictionary)
      plainCount += present
      indices.count = start
    }
  }

  private func checkIndices(_ indices: UnsafePointer<UInt32>, count: Int, width: Int) throws(ParquetError) {
    if width < 32 && 1 << width <= dictionaryCount { return }
    guard let limit = Int32(exactly: dictionaryCount) else {
      throw .limitExceeded("dictionary of \(leaf.pathText)", limit: Int(Int32.max), found: dictionaryCount)
    }
    // The top bit says that an index has it itself, or is above the last one: no comparison, which SSE2 lacks.
    let last = UInt32(bitPattern: limit &- 1)
    var outside: UInt32 = 0
    for index in 0..<count { outside |= indices[index] | (last &- indices[index]) }
    guard outside >> 31 == 0 else { throw .malformed("index beyond the dictionary of \(leaf.pathText)") }
  }

  private func append(
    _ indices: UnsafePointer<UInt32>, count: Int, of dictionary: Column.Values
  ) throws(ParquetError) {
    switch dictionary {
    case .fixed(let data, _): try appendFixed(indices, count: count, of: data)
    case .bytes(let offsets, let data):
      try appendText(indices, count: count, offsets: offsets, data: data)
    default: preconditionFailure("no such dictionary")
    }
  }

  private func reserveFixed(_ count: Int) throws(ParquetError) -> UnsafeMutableRawPointer {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: width)
    guard !overflow, bytes <= limits.chunkBytesMax - fixed.count else {
      throw .limitExceeded("bytes of \(leaf.pathText)", limit: limits.chunkBytesMax, found: overflow ? .max : bytes)
    }
    return UnsafeMutableRawPointer(fixed.reserve(bytes))
  }

  private func appendFixed(
    _ indices: UnsafePointer<UInt32>, count: Int, of data: Buffer<UInt8>
  ) throws(ParquetError) {
    let target = try reserveFixed(count)
    let source = UnsafeRawPointer(data.unsafeBase)
    switch width {
    case 4:
      let (to, from) = (target.assumingMemoryBound(to: UInt32.self), source.assumingMemoryBound(to: UInt32.self))
      for index in 0..<count { to[index] = from[Int(indices[index])] }
    case 8:
      let (to, from) = (target.assumingMemoryBound(to: UInt64.self), source.assumingMemoryBound(to: UInt64.self))
      for index in 0..<count { to[index] = from[Int(indices[index])] }
    default:
      for index in 0..<count {
        (target + index * width).copyMemory(from: source + Int(indices[index]) * width, byteCount: width)
      }
    }
    fixed.count += count * width
    withExtendedLifetime(data.storage) {}
  }

  private func appendText(
    _ indices: UnsafePointer<UInt32>, count: Int, offsets: Buffer<UInt32>, data: Buffer<UInt8>
  ) throws(ParquetError) {
    let offset = offsets.unsafeBase
    var total = 0
    for index in 0..<count { total &+= Int(offset[Int(indices[index]) + 1] &- offset[Int(indices[index])]) }
    let target = try text.reserveData(total)
    let ends = text.offsets.reserve(count)
    let source = UnsafeRawPointer(data.unsafeBase)
    let start = text.data.count
    var written = 0
    for index in 0..<count {
      let from = Int(offset[Int(indices[index])])
      let length = Int(offset[Int(indices[index]) + 1]) - from
      ByteArrays.copyShort(
        from: source + from, to: target + written, count: length, isWideSafe: from + 16 <= data.count)
      written += length
      ends[index] = UInt32(truncatingIfNeeded: start + written)
    }
    text.offsets.count += count
    text.data.count += total
    withExtendedLifetime((offsets.storage, data.storage)) {}
  }

  private func decodePlainPage(
    _ body: UnsafeRawBufferPointer, _ encoding: Encoding, present: Int
  ) throws(ParquetError) {
    switch (leaf.physicalType, encoding) {
    case (.boolean, .plain): try decodeBits(body, present: present)
    case (.boolean, .rle): try decodeBooleanRuns(body, present: present)
    case (.byteArray, .plain): try ByteArrays.decodePlain(body, count: present, into: &text)
    case (.byteArray, .deltaLengthByteArray): try ByteArrays.decodeDeltaLength(body, count: present, into: &text)
    case (.byteArray, .deltaByteArray): try ByteArrays.decodeDelta(body, count: present, into: &text)
    case (.fixedLengthByteArray, .deltaByteArray): try decodeFixedDelta(body, present: present)
    case (.boolean, _), (.byteArray, _): throw unexpected(encoding)
    case (_, .plain):
      let bytes = try fixedBytes(present, in: body)
      try reserveFixed(present).copyMemory(from: body.baseAddress!, byteCount: bytes)
      fixed.count += bytes
    case (_, .byteStreamSplit) where leaf.physicalType != .int96:
      guard try fixedBytes(present, in: body) == body.count else { throw .malformed("split streams of uneven length") }
      ByteStreamSplit.decode(body, count: present, width: width, into: try reserveFixed(present))
      fixed.count += present * width
    case (.int32, .deltaBinaryPacked): try decodeDelta(body, present: present, as: Int32.self)
    case (.int64, .deltaBinaryPacked): try decodeDelta(body, present: present, as: Int64.self)
    default: throw unexpected(encoding)
    }
  }

  private func unexpected(_ encoding: Encoding) -> ParquetError {
    .unsupported("\(leaf.physicalType) column \(leaf.pathText) in encoding \(encoding)")
  }

  private func decodeBits(_ body: UnsafeRawBufferPointer, present: Int) throws(ParquetError) {
    let bytes = (present + 7) / 8
    guard body.count >= bytes else { throw .truncated("booleans", needed: bytes, found: body.count) }
    let target = fixed.reserve(bytes * 8)
    BitPacking.unpack(UnsafeRawBufferPointer(rebasing: body[..<bytes]), width: 1, groups: bytes, into: target)
    fixed.count += present
  }

  private func decodeBooleanRuns(_ body: UnsafeRawBufferPointer, present: Int) throws(ParquetError) {
    var cursor = ByteCursor(body)
    let length = Int(try cursor.uint32())
    let target = fixed.reserve(RunLength.room(present))
    _ = try RunLength.decode(try cursor.take(length), width: 1, count: present, into: target)
    fixed.count += present
  }

  private func decodeDelta<T: FixedWidthInteger & BitwiseCopyable>(
    _ body: UnsafeRawBufferPointer, present: Int, as type: T.Type
  ) throws(ParquetError) {
    var cursor = ByteCursor(body)
    let target = try reserveFixed(present).assumingMemoryBound(to: T.self)
    let found = try DeltaBinaryPacked.decode(&cursor, countMax: present) { _ in target }
    guard found == present else { throw .malformed("\(found) values where \(present) are present") }
    fixed.count += present * width
  }

  private func decodeFixedDelta(_ body: UnsafeRawBufferPointer, present: Int) throws(ParquetError) {
    var sink = ByteArraySink(bytesMax: limits.chunkBytesMax)
    try ByteArrays.decodeDelta(body, count: present, into: &sink)
    guard case .bytes(let offsets, let data) = sink.values() else { return }
    try ByteArrays.requireWidth(offsets, width: width)
    try reserveFixed(present).copyMemory(from: data.unsafeBase, byteCount: present * width)
    fixed.count += present * width
    withExtendedLifetime(data.storage) {}
  }
}

extension ChunkDecoder {
  /// What was decoded. The decoder is of no further use.
  func finish() throws(ParquetError) -> LeafData {
    let isAllPresent = definition.count == 0 && impliedCount == entryCount && leaf.maxRepetition == 0
    let definition = take(&definition)
    let repetition = take(&repetition)
    return LeafData(
      entryCount: entryCount, definition: leaf.maxDefinition > 0 && !isAllPresent ? definition : nil,
      repetition: leaf.maxRepetition > 0 ? repetition : nil, values: try takeValues(), presentCount: presentCount)
  }

  private func take<T: BitwiseCopyable>(_ builder: inout BufferBuilder<T>) -> Buffer<T> {
    var taken = BufferBuilder<T>(capacity: 1)
    swap(&taken, &builder)
    return taken.finish()
  }

  private func takeValues() throws(ParquetError) -> Column.Values {
    if isIndexed {
      let all = take(&indices)
      guard let dictionary else { preconditionFailure("indices without a dictionary") }
      if plainCount == 0 {
        return .dictionary(indices: all, dictionary: Column(dictionary, count: dictionaryCount))
      }
      let extra = takePlain()
      let joined = try Self.join(dictionary, dictionaryCount, extra, plainCount)
      if plainCount * 2 <= presentCount {
        return .dictionary(indices: all, dictionary: Column(joined, count: dictionaryCount + plainCount))
      }
      // Mostly plain: the indices would cost more than they save.
      plainCount = 0
      fixed.count = 0
      text = ByteArraySink(bytesMax: limits.chunkBytesMax)
      try all.withValues { all throws(ParquetError) in
        if let base = all.baseAddress { try append(base, count: all.count, of: joined) }
      }
    }
    return typed(takePlain())
  }

  private func takePlain() -> Column.Values {
    if leaf.physicalType == .byteArray {
      var sink = ByteArraySink(bytesMax: 0)
      swap(&sink, &text)
      return sink.values()
    }
    return .fixed(take(&fixed), width: width)
  }

  private static func join(
    _ a: Column.Values, _ aCount: Int, _ b: Column.Values, _ bCount: Int
  ) throws(ParquetError) -> Column.Values {
    switch (a, b) {
    case (.fixed(let left, let width), .fixed(let right, _)):
      var joined = BufferBuilder<UInt8>(capacity: max(1, left.count + right.count))
      joined.append(contentsOf: left.unsafeBase, count: left.count)
      joined.append(contentsOf: right.unsafeBase, count: right.count)
      withExtendedLifetime((left.storage, right.storage)) {}
      return .fixed(joined.finish(), width: width)
    case (.bytes(let leftOffsets, let left), .bytes(let rightOffsets, let right)):
      guard left.count + right.count <= Int(UInt32.max) else {
        throw .limitExceeded("bytes of a text column", limit: Int(UInt32.max), found: left.count + right.count)
      }
      var offsets = BufferBuilder<UInt32>(capacity: aCount + bCount + 1)
      offsets.append(contentsOf: leftOffsets.unsafeBase, count: aCount + 1)
      let shift = leftOffsets[aCount]
      for index in 1..<bCount + 1 { offsets.append(rightOffsets[index] + shift) }
      var joined = BufferBuilder<UInt8>(capacity: max(1, left.count + right.count))
      joined.append(contentsOf: left.unsafeBase, count: Int(shift))
      joined.append(contentsOf: right.unsafeBase, count: right.count)
      withExtendedLifetime((leftOffsets.storage, left.storage, right.storage)) {}
      return .bytes(offsets: offsets.finish(), data: joined.finish())
    default: preconditionFailure("dictionary of another kind")
    }
  }

  /// Fixed-width bytes as what they are.
  private func typed(_ values: Column.Values) -> Column.Values {
    guard case .fixed(let data, _) = values else { return values }
    func view<T: BitwiseCopyable>(_ type: T.Type) -> Buffer<T> {
      Buffer(storage: data.storage, offset: data.offset, count: data.count / MemoryLayout<T>.stride)
    }
    switch leaf.physicalType {
    case .boolean: return .boolean(data)
    case .int32: return .int32(view(Int32.self))
    case .int64: return .int64(view(Int64.self))
    case .float: return .float(view(Float.self))
    case .double: return .double(view(Double.self))
    case .int96, .fixedLengthByteArray, .byteArray: return values
    }
  }
}

/// LZ4 as Hadoop frames it (the deprecated codec LZ4): big-endian sizes before each block; some writers left them out.
enum HadoopLz4 {
  static func decompress(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ decompressor: Compressor
  ) throws(CompressionError) -> Int {
    if let count = try framed(source, into: target, decompressor) { return count }
    return try decompressor.decompress(source, codec: .lz4raw, into: target)
  }

  private static func framed(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, _ decompressor: Compressor
  ) throws(CompressionError) -> Int? {
    var at = 0
    var written = 0
    while source.count - at >= 8 {
      let plain = Int(UInt32(bigEndian: source.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
      let packed = Int(UInt32(bigEndian: source.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self)))
      at += 8
      guard packed <= source.count - at, plain <= target.count - written else { return nil }
      let block = UnsafeRawBufferPointer(rebasing: source[at..<at + packed])
      let room = UnsafeMutableRawBufferPointer(rebasing: target[written..<written + plain])
      guard (try? decompressor.decompress(block, codec: .lz4raw, into: room)) == plain else { return nil }
      at += packed
      written += plain
    }
    return at == source.count ? written : nil
  }
}
