import LakeCompression
import LakeModel
import LakeSchema
import Testing

@testable import LakeParquet

@Suite("Encodings")
struct EncodingTests {
  private static func encoded(_ body: (inout BufferBuilder<UInt8>) -> Void) -> [UInt8] {
    var output = BufferBuilder<UInt8>()
    body(&output)
    return output.withValues { Array($0) }
  }

  private static func runs(_ bytes: [UInt8], width: Int, count: Int) throws -> [UInt32] {
    let target = UnsafeMutablePointer<UInt32>.allocate(capacity: RunLength.room(count))
    defer { target.deallocate() }
    _ = try bytes.withUnsafeBytes { try RunLength.decode($0, width: width, count: count, into: target) }
    return Array(UnsafeBufferPointer(start: target, count: count))
  }

  /// The example of the format's text: the numbers 0 to 7 at three bits.
  @Test("bit packing is the format's example")
  func packingExample() {
    let values: [UInt32] = [0, 1, 2, 3, 4, 5, 6, 7]
    #expect(Self.encoded { BitPacking.pack(values, count: 8, width: 3, into: &$0) } == [0x88, 0xC6, 0xFA])
  }

  @Test("packed values of every width come back, at every count up to three groups", arguments: 0...64)
  func packing(width: Int) {
    var random = TestRandom(UInt64(width))
    let mask: UInt64 = width == 64 ? .max : (1 << UInt64(width)) - 1
    for count in 1...24 {
      let values = (0..<count).map { _ in random.next() & mask }
      let bytes = Self.encoded { BitPacking.pack(values, count: count, width: width, into: &$0) }
      let groups = (count + 7) / 8
      #expect(bytes.count == groups * width)
      let target = UnsafeMutablePointer<UInt64>.allocate(capacity: groups * 8)
      defer { target.deallocate() }
      bytes.withUnsafeBytes { BitPacking.unpack($0, width: width, groups: groups, into: target) }
      #expect(Array(UnsafeBufferPointer(start: target, count: count)) == values)
    }
  }

  @Test("levels that reach a level are counted one as the other, whatever the count")
  func countingLevels() {
    var random = TestRandom(11)
    for count in Array(0...40) + [128, 2039, 2040, 2041, 2048, 5000] {
      for top in [1, 2, 7, 127, 255] as [UInt64] {
        let levels = (0..<count).map { _ in UInt8(random.next() % (top + 1)) }
        for level in [0, 1, 2, 3, 7, 127, 128, 129, 255] as [UInt8] {
          let expected = levels.filter { $0 >= level }.count
          let found = levels.withUnsafeBufferPointer { levels in
            levels.baseAddress.map { Levels.count($0, levels.count, atLeast: level) } ?? 0
          }
          #expect(found == expected, "\(count) levels up to \(top), at least \(level)")
        }
      }
    }
    let full = [UInt8](repeating: 1, count: 100_000)
    #expect(Levels.count(full, full.count, atLeast: 1) == 100_000)
  }

  @Test("levels are packed as wider integers are", arguments: 1...8)
  func packingLevels(width: Int) {
    var random = TestRandom(UInt64(width))
    for count in 0...70 {
      let levels = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) & UInt8((1 << width) - 1) }
      let narrow = Self.encoded { BitPacking.pack(levels, count: count, width: width, into: &$0) }
      #expect(
        narrow == Self.encoded { BitPacking.pack(levels.map { UInt64($0) }, count: count, width: width, into: &$0) })
      var expected = [UInt8](repeating: 0, count: (count + 7) / 8 * width)
      for (index, level) in levels.enumerated() {
        for bit in 0..<width where level >> UInt8(bit) & 1 == 1 {
          let place = index * width + bit
          expected[place / 8] |= 1 << UInt8(place % 8)
        }
      }
      #expect(narrow == expected)
    }
  }

  @Test("a run of equal values is its length and the value; others are packed")
  func runLayout() throws {
    let equal = [UInt32](repeating: 4, count: 100)
    #expect(Self.encoded { RunLength.encode(equal, count: 100, width: 3, into: &$0) } == [0xC8, 0x01, 4])
    #expect(try Self.runs([0xC8, 0x01, 4], width: 3, count: 100) == equal)
    #expect(try Self.runs([3, 0x88, 0xC6, 0xFA], width: 3, count: 8) == [0, 1, 2, 3, 4, 5, 6, 7])
    #expect(try Self.runs([3, 0x88, 0xC6, 0xFA], width: 3, count: 5) == [0, 1, 2, 3, 4])
  }

  @Test(
    "runs of random lengths come back, and cut short anywhere they are errors", arguments: [1, 2, 3, 7, 8, 9, 17, 32])
  func runsRoundTrip(width: Int) throws {
    var random = TestRandom(UInt64(width))
    for _ in 0..<30 {
      var values: [UInt32] = []
      while values.count < 200 {
        let value = UInt32(truncatingIfNeeded: random.next()) & UInt32((UInt64(1) << UInt64(width)) - 1)
        values += [UInt32](repeating: value, count: [1, 1, 2, 9, 40][random.below(5)])
      }
      let bytes = Self.encoded { RunLength.encode(values, count: values.count, width: width, into: &$0) }
      #expect(try Self.runs(bytes, width: width, count: values.count) == values)
      for length in 0..<bytes.count where length < bytes.count - width {
        #expect(throws: ParquetError.self) { try Self.runs(Array(bytes[..<length]), width: width, count: values.count) }
      }
    }
  }

  @Test("a run that claims more values than there are bytes for is an error, and takes no memory")
  func hugeRuns() {
    #expect(throws: ParquetError.self) { try Self.runs([0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 1, 2], width: 8, count: 64) }
    #expect(throws: ParquetError.self) { try Self.runs([0], width: 8, count: 1) }
    #expect(throws: ParquetError.self) { try Self.runs([2, 0xFF], width: 3, count: 1) }
    #expect(throws: ParquetError.self) {
      try Self.runs([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], width: 3, count: 1)
    }
  }

  /// The example of the format's text: 1 to 5, block 128, 4 miniblocks, five values, first 1, then deltas of 1.
  @Test("delta packing is the format's example")
  func deltaExample() {
    let values: [Int64] = [1, 2, 3, 4, 5]
    #expect(
      Self.encoded { DeltaBinaryPacked.encode(values, count: 5, into: &$0) }
        == [0x80, 0x01, 4, 5, 2, 2, 0, 0, 0, 0])
  }

  private static func deltas<T: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: [UInt8], max: Int, as type: T.Type
  ) throws -> [T] {
    let target = UnsafeMutablePointer<T>.allocate(capacity: max + 1)
    defer { target.deallocate() }
    let count = try bytes.withUnsafeBytes { bytes in
      var cursor = ByteCursor(bytes)
      return try DeltaBinaryPacked.decode(&cursor, countMax: max) { _ in target }
    }
    return Array(UnsafeBufferPointer(start: target, count: count))
  }

  @Test(
    "delta-packed values come back, the farthest apart included", arguments: [0, 1, 2, 31, 32, 33, 128, 129, 130, 500])
  func deltaRoundTrip(count: Int) throws {
    var random = TestRandom(UInt64(count))
    for spread: UInt64 in [0, 1, 1000, .max] {
      let values = (0..<count).map { _ in
        spread == .max
          ? [Int64.min, .max, 0, Int64(bitPattern: random.next())][random.below(4)]
          : Int64(random.next() % (spread + 1))
      }
      let bytes = Self.encoded { DeltaBinaryPacked.encode(values, count: count, into: &$0) }
      #expect(try Self.deltas(bytes, max: count, as: Int64.self) == values)
      let narrow = values.map { Int32(truncatingIfNeeded: $0) }
      let narrowBytes = Self.encoded { DeltaBinaryPacked.encode(narrow, count: count, into: &$0) }
      #expect(try Self.deltas(narrowBytes, max: count, as: Int32.self) == narrow)
      if count > 1 {
        #expect(throws: ParquetError.self) { try Self.deltas(bytes, max: count - 1, as: Int64.self) }
      }
    }
  }

  @Test("split streams hold the first bytes of all values, then the second")
  func streams() {
    let values: [UInt8] = [1, 2, 3, 4, 5, 6]
    let bytes = Self.encoded { output in
      values.withUnsafeBytes { ByteStreamSplit.encode($0.baseAddress!, count: 3, width: 2, into: &output) }
    }
    #expect(bytes == [1, 3, 5, 2, 4, 6])
    let target = UnsafeMutableRawPointer.allocate(byteCount: 6, alignment: 8)
    defer { target.deallocate() }
    bytes.withUnsafeBytes { ByteStreamSplit.decode($0, count: 3, width: 2, into: target) }
    #expect(Array(UnsafeRawBufferPointer(start: target, count: 6)) == values)
  }

  @Test("the old packing of levels starts at the highest bit")
  func legacyLevels() throws {
    var levels = [UInt8](repeating: 9, count: 8)
    let used = try [UInt8]([0b0001_1011, 0b1110_0100]).withUnsafeBytes {
      try RunLength.decodeLegacyBitPacked($0, width: 2, count: 8, into: &levels)
    }
    #expect(levels == [0, 1, 2, 3, 3, 2, 1, 0] && used == 2)
    #expect(throws: ParquetError.truncated("levels", needed: 2, found: 1)) {
      try [UInt8]([0]).withUnsafeBytes { try RunLength.decodeLegacyBitPacked($0, width: 2, count: 8, into: &levels) }
    }
  }

  private static func texts(
    _ bytes: [UInt8], count: Int,
    _ decode: (UnsafeRawBufferPointer, Int, inout ByteArraySink) throws -> Void
  ) throws -> [String] {
    var sink = ByteArraySink(bytesMax: 1000)
    try bytes.withUnsafeBytes { try decode($0, count, &sink) }
    guard case .bytes(let offsets, let data) = sink.values() else { return [] }
    return (0..<count).map {
      String(decoding: data.slice(Int(offsets[$0])..<Int(offsets[$0 + 1])).array, as: UTF8.self)
    }
  }

  /// The words of the format's text: axis, axle, babble, babyhood.
  @Test("shared prefixes are the format's example")
  func prefixes() throws {
    let words = ["axis", "axle", "babble", "babyhood"]
    var builder = BytesColumnBuilder()
    for word in words { builder.append(word) }
    guard case .bytes(let offsets, let data) = builder.column().values else { return }
    let bytes = Self.encoded {
      ValueEncoder.encode(.bytes(offsets: offsets, data: data), 0..<4, .deltaByteArray, into: &$0)
    }
    #expect(
      Array(bytes.suffix(18)) == Array("axislebabbleyhood".utf8).suffix(18)
        || bytes.suffix(17) == Array("axislebabbleyhood".utf8)[...])
    #expect(try Self.texts(bytes, count: 4) { try ByteArrays.decodeDelta($0, count: $1, into: &$2) } == words)
  }

  @Test("text whose lengths do not fit its bytes is an error")
  func brokenText() {
    let plain: (UnsafeRawBufferPointer, Int, inout ByteArraySink) throws -> Void = {
      try ByteArrays.decodePlain($0, count: $1, into: &$2)
    }
    #expect(throws: ParquetError.self) { try Self.texts([5, 0, 0, 0, 65], count: 1, plain) }
    #expect(throws: ParquetError.self) { try Self.texts([0xFF, 0xFF, 0xFF, 0xFF, 65], count: 1, plain) }
    #expect(throws: ParquetError.self) { try Self.texts([0, 0, 0], count: 1, plain) }
    #expect(throws: ParquetError.self) { try Self.texts([1, 0, 0, 0, 65], count: 1_000_000_000, plain) }
    #expect(throws: ParquetError.self) {
      // A first value that shares three bytes with nothing.
      try Self.texts([0x80, 1, 4, 1, 6, 0x80, 1, 4, 1, 2, 65], count: 1) {
        try ByteArrays.decodeDelta($0, count: $1, into: &$2)
      }
    }
  }

  @Test("the first entry of a repeated column begins a row", arguments: [UInt8(0), 1])
  func recordStart(repetition: UInt8) throws {
    // Levels of one entry, each a run after its length, then one value.
    let body: [UInt8] = [2, 0, 0, 0, 2, repetition, 2, 0, 0, 0, 2, 1, 7, 0, 0, 0]
    var header = PageHeader(kind: .data(PageHeader.DataV1(valueCount: 1, encoding: .plain)))
    header.uncompressedBytes = body.count
    header.compressedBytes = body.count
    let leaf = Leaf(
      index: 0, path: ["l"], fieldID: 1, type: .int, physicalType: .int32, logicalType: nil, typeLength: 0,
      maxDefinition: 1, maxRepetition: 1)
    let bytes = Bytes(header.encoded() + body)
    let chunk = ColumnChunk(
      range: 0..<bytes.count, codec: .none, valueCount: 1, uncompressedBytes: bytes.count, statistics: nil,
      bloomFilterRange: nil, columnIndexRange: nil, offsetIndexRange: nil, isDictionaryEncoded: nil,
      hasBloomFilterLength: false, dataPageOffset: 0, isHadoopLz4: false, unencodedBytes: nil)
    let decoder = try ChunkDecoder(leaf: leaf, chunk: chunk, limits: ReadLimits(), decompressor: Compressor())
    if repetition == 0 {
      try decoder.decodeAll(bytes)
      #expect(try decoder.finish().presentCount == 1)
    } else {
      #expect(throws: ParquetError.malformed("l begins within a row")) { try decoder.decodeAll(bytes) }
    }
  }
}
