import LakeCompression
import LakeHash
import LakeModel

/// Avro object container files. Source: Avro 1.11 specification, "Object Container Files".
enum AvroFile {
  static let magic: [UInt8] = [0x4F, 0x62, 0x6A, 0x01]  // "Obj", version 1
  static let syncBytes = 16
  /// A block that decompresses to more is refused.
  static let blockBytesMax = 128 << 20
  static let headerBytesMax = 16 << 20
  /// A file that decompresses to more than `expansionFloor + count * expansionMax` bytes, or holds more objects than bytes,
  /// is refused: an honest manifest names a file with a random name in every entry.
  static let expansionMax = 256
  static let expansionFloor = 16 << 20
  static let blockBytesTarget = 64 << 10

  struct Header {
    var metadata: [String: [UInt8]]
    var schema: AvroSchema
    fileprivate var sync: [UInt8]
    fileprivate var codec: Codec
  }

  fileprivate enum Codec: String { case null, deflate, snappy, zstandard }

  /// Calls `body` once for each object of the file, in order; it reads exactly one value of `header.schema`.
  static func read(
    _ bytes: Bytes, _ body: (inout AvroCursor, Header) throws(IcebergError) -> Void
  ) throws(IcebergError) {
    try bytes.withUnsafeBytes { raw throws(IcebergError) in
      var file = AvroCursor(raw)
      let header = try readHeader(&file)
      var bytesLeft = expansionFloor + bytes.count * expansionMax
      var objectsLeft = Int64(bytes.count)
      while !file.isAtEnd {
        let count = try file.varint()
        objectsLeft -= min(max(count, 0), Int64.max / 2)
        guard objectsLeft >= 0 else { throw .malformed("avro: more objects than bytes") }
        let size = try file.varint()
        let start = file.position
        _ = try file.run(size)
        let block = try decompress(bytes[start..<file.position], header.codec, limit: min(bytesLeft, blockBytesMax))
        bytesLeft -= block.count
        guard Array(try file.run(Int64(syncBytes))) == header.sync else {
          throw .malformed("avro at byte \(file.position): no sync marker after a block")
        }
        try readBlock(block, count: count, header, body)
      }
    }
  }

  private static func readBlock(
    _ block: Bytes, count: Int64, _ header: Header,
    _ body: (inout AvroCursor, Header) throws(IcebergError) -> Void
  ) throws(IcebergError) {
    guard count >= 0, count <= Int64(block.count) else {
      throw .malformed("avro: a block of \(block.count) bytes with \(count) objects")
    }
    try block.withUnsafeBytes { raw throws(IcebergError) in
      var cursor = AvroCursor(raw)
      for _ in 0..<count { try body(&cursor, header) }
      guard cursor.isAtEnd else { throw .malformed("avro: \(cursor.left) bytes left over in a block") }
    }
  }

  private static func readHeader(_ file: inout AvroCursor) throws(IcebergError) -> Header {
    guard Array(try file.run(4)) == magic else { throw .malformed("not an Avro file") }
    var metadata: [String: [UInt8]] = [:]
    while true {
      var count = try file.varint()
      if count == 0 { break }
      if count < 0 {
        guard count != .min else { throw .malformed("avro: header") }
        _ = try file.varint()
        count = -count
      }
      guard count <= Int64(file.left) else { throw .malformed("avro: \(count) header entries") }
      for _ in 0..<count {
        let name = try file.string()
        metadata[name] = Array(try file.run(file.varint()))
      }
      guard file.position <= headerBytesMax else { throw .malformed("avro: header of \(file.position) bytes") }
    }
    let sync = Array(try file.run(Int64(syncBytes)))
    guard let text = metadata["avro.schema"] else { throw .malformed("avro: no schema") }
    let name = metadata["avro.codec"].map { String(decoding: $0, as: UTF8.self) } ?? "null"
    guard let codec = Codec(rawValue: name) else { throw .unsupported("avro codec \(name)") }
    return Header(metadata: metadata, schema: try AvroSchema(json: Bytes(text)), sync: sync, codec: codec)
  }

  private static func decompress(_ block: Bytes, _ codec: Codec, limit: Int) throws(IcebergError) -> Bytes {
    do {
      switch codec {
      case .null: return block
      case .deflate: return try RawDeflate.decode(block, limit: limit)
      case .zstandard: return try ContentEncoding.zstd.decode(block, limit: limit)
      case .snappy:  // followed by a CRC-32 of the uncompressed bytes, big-endian
        guard block.count >= 4 else { throw CompressionError.malformed(codec: "snappy") }
        let plain = try ContentEncoding.snappy.decode(block[0..<block.count - 4], limit: limit)
        let crc = block[block.count - 4..<block.count].array.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard CRC32.checksum(plain) == crc else { throw CompressionError.malformed(codec: "snappy") }
        return plain
      }
    } catch { throw .malformed("avro block: \(error)") }
  }
}

/// Writes Avro values and, block by block, an object container file compressed with deflate.
struct AvroFileWriter: ~Copyable {
  private var file = BufferBuilder<UInt8>(capacity: 4096)
  private var block = BufferBuilder<UInt8>(capacity: 4096)
  private var objectsInBlock = 0
  private let sync: [UInt8]

  /// - Parameter metadata: header entries besides schema and codec; written in this order.
  init(schema: String, metadata: [(name: String, value: String)]) {
    sync = AvroFileWriter.syncMarker(schema: schema, metadata: metadata)
    var header = BufferBuilder<UInt8>(capacity: schema.utf8.count + 1024)
    for byte in AvroFile.magic { header.append(byte) }
    AvroFileWriter.put(Int64(metadata.count + 2), to: &header)
    AvroFileWriter.put("avro.schema", to: &header)
    AvroFileWriter.put(schema, to: &header)
    AvroFileWriter.put("avro.codec", to: &header)
    AvroFileWriter.put("deflate", to: &header)
    for entry in metadata {
      AvroFileWriter.put(entry.name, to: &header)
      AvroFileWriter.put(entry.value, to: &header)
    }
    AvroFileWriter.put(0, to: &header)
    for byte in sync { header.append(byte) }
    file = header
  }

  /// Made from what the file says of itself, so that the same values give the same bytes.
  private static func syncMarker(schema: String, metadata: [(name: String, value: String)]) -> [UInt8] {
    var digest = SHA256()
    digest.update(schema)
    for entry in metadata {
      digest.update(entry.name)
      digest.update(entry.value)
    }
    return Array(digest.finish().prefix(AvroFile.syncBytes))
  }

  // MARK: values

  mutating func long(_ value: Int64) { AvroFileWriter.put(value, to: &block) }
  mutating func int(_ value: Int) { AvroFileWriter.put(Int64(value), to: &block) }
  mutating func boolean(_ value: Bool) { block.append(value ? 1 : 0) }
  mutating func string(_ value: String) { AvroFileWriter.put(value, to: &block) }
  mutating func bytes(_ value: [UInt8]) {
    AvroFileWriter.put(Int64(value.count), to: &block)
    fixed(value)
  }
  mutating func fixed(_ value: [UInt8]) { for byte in value { block.append(byte) } }

  /// The second branch of `["null", T]`; the caller writes the value.
  mutating func present() { AvroFileWriter.put(1, to: &block) }
  /// The first branch of `["null", T]`.
  mutating func null() { AvroFileWriter.put(0, to: &block) }

  mutating func optional(_ value: Int64?) {
    guard let value else { return null() }
    present()
    long(value)
  }

  mutating func optional(_ value: [UInt8]?) {
    guard let value else { return null() }
    present()
    bytes(value)
  }

  /// Ends one object.
  mutating func finishObject() {
    objectsInBlock += 1
    if block.count >= AvroFile.blockBytesTarget { flush() }
  }

  private mutating func flush() {
    guard objectsInBlock > 0 else { return }
    let plain = block.withValues { Bytes(copying: UnsafeRawBufferPointer($0)) }
    let packed: Bytes
    do { packed = try RawDeflate.encode(plain) } catch {
      preconditionFailure("deflate of \(plain.count) bytes: \(error)")
    }
    AvroFileWriter.put(Int64(objectsInBlock), to: &file)
    AvroFileWriter.put(Int64(packed.count), to: &file)
    packed.withUnsafeBytes { raw in
      if let base = raw.baseAddress {
        file.append(contentsOf: base.assumingMemoryBound(to: UInt8.self), count: raw.count)
      }
    }
    for byte in sync { file.append(byte) }
    block.count = 0
    objectsInBlock = 0
  }

  consuming func finish() -> Bytes {
    flush()
    let buffer = file.finish()
    return Bytes(storage: buffer.storage, offset: buffer.offset, count: buffer.count)
  }

  private static func put(_ value: Int64, to out: inout BufferBuilder<UInt8>) {
    var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
    while rest >= 0x80 {
      out.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    out.append(UInt8(truncatingIfNeeded: rest))
  }

  private static func put(_ text: String, to out: inout BufferBuilder<UInt8>) {
    put(Int64(text.utf8.count), to: &out)
    var text = text
    text.withUTF8 { if let base = $0.baseAddress { out.append(contentsOf: base, count: $0.count) } }
  }
}
