// Targets of libFuzzer: see scripts/fuzz. Whatever the bytes, the reader ends in values or in a ParquetError; a trap, a read
// outside the input (address sanitizer) or too much memory ends the run.

import LakeCompression
import LakeModel
import LakeSchema

@testable import LakeParquet

#if canImport(Glibc)
import Glibc
#endif

private enum Target: String { case footer, page, file, index }
private let target = Target(rawValue: getenv("FUZZ_TARGET").map { String(cString: $0) } ?? "file") ?? .file

private var limits: ReadLimits {
  var limits = ReadLimits()
  limits.pageBytesMax = 1 << 20
  limits.chunkBytesMax = 4 << 20
  limits.chunkValuesMax = 1 << 17
  // Checksums would keep the fuzzer from everything behind them.
  limits.verifiesChecksums = false
  return limits
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  BlockPool.keptBytesMax = 0  // the sanitizer is to see what is used after it was given back
  let bytes = Bytes(copying: UnsafeRawBufferPointer(start: data, count: count))
  switch target {
  case .footer: footer(bytes)
  case .page: page(bytes)
  case .file: file(bytes)
  case .index: index(bytes)
  }
  return 0
}

/// The input is what stands between the data and the footer's length.
private func footer(_ input: Bytes) {
  let length = withUnsafeBytes(of: UInt32(input.count).littleEndian) { Array($0) }
  file(
    Bytes(Array("PAR1".utf8) + Array(repeating: 0, count: 4096) + input.array + length + Array("PAR1".utf8)))
}

private func file(_ bytes: Bytes) {
  guard let file = try? ParquetFile(bytes, limits: limits) else { return }
  guard let projection = try? file.projectionOfEverything() else { return }
  for group in file.rowGroups.prefix(3) {
    for leaf in group.chunks.indices.prefix(20) {
      if let range = group.chunks[leaf].bloomFilterRange { _ = try? BloomFilter(bytes[range]).mightContain(7) }
      if let probe = file.bloomProbe(rowGroup: group.index, leaf: leaf, value: .bytes(Bytes("x"))) {
        _ = try? probe.mightContain(fetched: probe.ranges.map { bytes[$0] })
      }
      if let range = file.pageIndexRange(rowGroup: group.index, leaves: [leaf]) {
        _ = try? file.pageIndexes(rowGroup: group.index, leaves: [leaf], bytes: bytes[range])
      }
      if let range = file.textIndexRange(rowGroup: group.index, leaf: leaf) {
        let index = try? file.textIndex(rowGroup: group.index, leaf: leaf, bytes: bytes[range])
        _ = index?.rows(holdingAll: [TextNeedle("some needle")])
      }
    }
    let chosen = try? file.readRowGroup(group.index, projection: projection, rows: [1..<4, 7..<20], file: bytes)
    touch(chosen)
    touch(try? file.readRowGroup(group.index, projection: projection, file: bytes))
  }
}

/// One column chunk: four bytes choose its type, levels, codec and number of values, the rest are its pages.
private func page(_ input: Bytes) {
  guard input.count > 4 else { return }
  let types: [(FieldType, PhysicalType, Int)] = [
    (.boolean, .boolean, 0), (.int, .int32, 0), (.long, .int64, 0), (.float, .float, 0), (.double, .double, 0),
    (.string, .byteArray, 0), (.fixed(3), .fixedLengthByteArray, 3), (.timestamptz, .int96, 0),
  ]
  let (type, physical, width) = types[Int(input[0] & 7)]
  let levels = Int(input[1] & 7)
  let codecs: [CompressionCodec] = [.none, .none, .snappy, .gzip, .zstd, .lz4raw, .brotli, .lz4raw]
  let leaf = Leaf(
    index: 0, path: ["c"], fieldID: 1, type: type, physicalType: physical, logicalType: nil, typeLength: width,
    maxDefinition: levels, maxRepetition: levels / 3)
  let pages = input[4..<input.count]
  let chunk = ColumnChunk(
    range: 0..<pages.count, codec: codecs[Int(input[1] >> 3 & 7)],
    valueCount: Int(input[2]) | Int(input[3]) << 8, uncompressedBytes: pages.count * 4, statistics: nil,
    bloomFilterRange: nil, columnIndexRange: nil, offsetIndexRange: nil, isDictionaryEncoded: nil,
    hasBloomFilterLength: false, dataPageOffset: 0,
    isHadoopLz4: input[1] >> 3 & 7 == 7, unencodedBytes: nil)
  do throws(ParquetError) {
    let decoder = try ChunkDecoder(leaf: leaf, chunk: chunk, limits: limits, decompressor: Compressor())
    try decoder.decodeAll(pages)
    let data = try decoder.finish()
    _ = try data.select(
      [0..<max(1, data.entryCount / 2)], covered: [0..<data.entryCount], maxDefinition: levels)
  } catch {}
}

/// A text index with a checksum that fits.
private func index(_ input: Bytes) {
  guard input.count >= TextIndexFormat.headBytes else { return }
  var bytes = input.array
  withUnsafeBytes(of: TextIndexFormat.magic.littleEndian) { bytes.replaceSubrange(0..<4, with: $0) }
  let hash = bytes.withUnsafeBytes { BloomFilter.hash(UnsafeRawBufferPointer(rebasing: $0[12...])) }
  withUnsafeBytes(of: hash.littleEndian) { bytes.replaceSubrange(4..<12, with: $0) }
  func number(_ at: Int, _ width: Int) -> Int {
    (0..<width).reduce(0) { $0 | Int(bytes[at + $1]) << ($1 * 8) }
  }
  let start = number(20, 7)
  guard
    let index = try? TextIndex(
      Bytes(bytes), rowCount: number(12, 4), chunk: start..<start + number(28, 7), limits: limits)
  else { return }
  _ = index.rows(holdingAll: [TextNeedle("some needle that is long enough")])
}

/// Reads every value, so that the sanitizer sees buffers shorter than they say.
private func touch(_ batch: ColumnBatch?) {
  guard let batch else { return }
  for column in batch.columns { touched ^= sum(of: column) }
}

nonisolated(unsafe) private var touched: UInt64 = 0

private func sum(of column: Column) -> UInt64 {
  var total = UInt64(column.absentCount)
  switch column.values {
  case .boolean(let values): for index in 0..<column.count { total &+= UInt64(values[index]) }
  case .int32(let values): for index in 0..<column.count { total &+= UInt64(UInt32(bitPattern: values[index])) }
  case .int64(let values): for index in 0..<column.count { total &+= UInt64(bitPattern: values[index]) }
  case .float(let values): for index in 0..<column.count { total &+= UInt64(values[index].bitPattern) }
  case .double(let values): for index in 0..<column.count { total &+= values[index].bitPattern }
  case .fixed(let data, let width): for index in 0..<column.count * width { total &+= UInt64(data[index]) }
  case .bytes(let offsets, let data):
    for index in 0..<column.count {
      for byte in Int(offsets[index])..<Int(offsets[index + 1]) { total &+= UInt64(data[byte]) }
    }
  case .dictionary(let indices, let dictionary):
    total ^= sum(of: dictionary)
    for index in 0..<column.count where column.isPresent(index) { precondition(indices[index] < dictionary.count) }
  case .list(let offsets, let element):
    precondition(offsets[column.count] <= element.count)
    total ^= sum(of: element)
  case .structure(let columns): for child in columns { total ^= sum(of: child) }
  case .map(let offsets, let keys, let values):
    precondition(offsets[column.count] <= keys.count && keys.count == values.count)
    total ^= sum(of: keys) ^ sum(of: values)
  }
  return total
}
