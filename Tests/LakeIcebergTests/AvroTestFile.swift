import LakeCompression
import LakeModel

/// Avro files put together by hand.
enum AvroTestFile {
  static func long(_ value: Int64) -> [UInt8] {
    var rest = UInt64(bitPattern: value << 1 ^ value >> 63)
    var out: [UInt8] = []
    while rest >= 0x80 {
      out.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return out + [UInt8(rest)]
  }

  static func text(_ text: String) -> [UInt8] { long(Int64(text.utf8.count)) + Array(text.utf8) }

  static let sync = [UInt8](repeating: 7, count: 16)

  static func file(schema: String, blocks: [(count: Int64, bytes: [UInt8])], codec: String = "null") -> [UInt8] {
    var out = Array("Obj\u{1}".utf8) + long(2) + text("avro.schema") + text(schema) + text("avro.codec") + text(codec)
    out += [0] + sync
    for block in blocks { out += long(block.count) + long(Int64(block.bytes.count)) + block.bytes + sync }
    return out
  }

  static func deflated(_ bytes: [UInt8]) -> [UInt8] { (try? RawDeflate.encode(Bytes(bytes)).array) ?? [] }

  /// The same file with its one block stored without compression.
  static func uncompressed(_ file: Bytes) -> [UInt8] {
    let (schema, count, plain) = contents(of: file)
    return self.file(schema: schema, blocks: [(count, plain)])
  }

  /// The same file with its one block compressed in another way.
  static func recompressed(_ file: Bytes, codec: String) throws -> [UInt8] {
    let (schema, count, plain) = contents(of: file)
    let packed: [UInt8] =
      switch codec {
      case "deflate": deflated(plain)
      case "zstandard": try ContentEncoding.zstd.encode(Bytes(plain)).array
      case "snappy":
        try ContentEncoding.snappy.encode(Bytes(plain)).array
          + withUnsafeBytes(of: CRC32.checksum(Bytes(plain)).bigEndian) { Array($0) }
      default: plain
      }
    return self.file(schema: schema, blocks: [(count, packed)], codec: codec)
  }

  private static func contents(of file: Bytes) -> (schema: String, count: Int64, plain: [UInt8]) {
    let bytes = file.array
    var position = 4
    func number() -> Int {
      var value = 0
      var shift = 0
      while true {
        let byte = Int(bytes[position])
        position += 1
        value |= (byte & 0x7F) << shift
        if byte & 0x80 == 0 { return value >> 1 }
        shift += 7
      }
    }
    func run() -> [UInt8] {
      let count = number()
      defer { position += count }
      return Array(bytes[position..<position + count])
    }
    var schema = ""
    for _ in 0..<number() {
      let name = String(decoding: run(), as: UTF8.self)
      let value = run()
      if name == "avro.schema" { schema = String(decoding: value, as: UTF8.self) }
    }
    position += 1 + 16
    let count = number()
    let block = run()
    let plain = (try? RawDeflate.decode(Bytes(block), limit: 1 << 24).array) ?? []
    return (schema, Int64(count), plain)
  }
}
