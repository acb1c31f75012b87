import LakeModel

/// What stands before each page.
struct PageHeader {
  enum Kind: Sendable {
    case data(DataV1)
    case dictionary(valueCount: Int, encoding: Encoding)
    case dataV2(DataV2)
    /// An index page or something newer: passed over.
    case other
  }

  struct DataV1: Sendable {
    var valueCount = 0
    var encoding: Encoding = .plain
    var definitionEncoding: Encoding = .rle
    var repetitionEncoding: Encoding = .rle
    var statistics: RawStatistics?
  }

  struct DataV2: Sendable {
    var valueCount = 0
    var nullCount = 0
    var rowCount = 0
    var encoding: Encoding = .plain
    var definitionBytes = 0
    var repetitionBytes = 0
    var isCompressed = true
    var statistics: RawStatistics?
  }

  var kind: Kind
  var uncompressedBytes = 0
  var compressedBytes = 0
  var checksum: UInt32?
}

extension PageHeader {
  /// Reads the header at `position` and moves past it.
  init(decoding bytes: Bytes, at position: inout Int) throws(ParquetError) {
    var reader = ThriftReader(bytes, at: position)
    self.init(kind: .other)
    var type = -1
    var data: DataV1?
    var dataV2: DataV2?
    var dictionary: (Int, Encoding)?
    try reader.structure { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: type = try reader.integer(kind)
      case 2: uncompressedBytes = try reader.count(kind, max: Int(Int32.max))
      case 3: compressedBytes = try reader.count(kind, max: Int(Int32.max))
      case 4: checksum = UInt32(bitPattern: try reader.integer32(kind))
      case 5: data = try DataV1(from: &reader, kind)
      case 7:
        var entry = (0, Encoding.plain)
        try reader.structure(kind) { reader, id, kind throws(ParquetError) in
          switch id {
          case 1: entry.0 = try reader.count(kind, max: Int(Int32.max))
          case 2: entry.1 = try Encoding(from: &reader, kind)
          default: try reader.skip(kind)
          }
        }
        dictionary = entry
      case 8: dataV2 = try DataV2(from: &reader, kind)
      default: try reader.skip(kind)
      }
    }
    switch type {
    case 0:
      guard let data else { throw .malformed("data page without its header") }
      kind = .data(data)
    case 2:
      guard let dictionary else { throw .malformed("dictionary page without its header") }
      kind = .dictionary(valueCount: dictionary.0, encoding: dictionary.1)
    case 3:
      guard let dataV2 else { throw .malformed("data page v2 without its header") }
      kind = .dataV2(dataV2)
    case 1: kind = .other
    default: throw .malformed("page type \(type)")
    }
    position = reader.position
  }

  func encoded() -> [UInt8] {
    var writer = ThriftWriter()
    writer.structure { writer in
      switch kind {
      case .data: writer.int32(1, 0)
      case .dictionary: writer.int32(1, 2)
      case .dataV2: writer.int32(1, 3)
      case .other: preconditionFailure("never written")
      }
      writer.int32(2, uncompressedBytes)
      writer.int32(3, compressedBytes)
      if let checksum { writer.int32(4, Int(Int32(bitPattern: checksum))) }
      switch kind {
      case .data(let data): writer.structure(5) { data.encode(to: &$0) }
      case .dictionary(let count, let encoding):
        writer.structure(7) { writer in
          writer.int32(1, count)
          writer.int32(2, Int(encoding.rawValue))
        }
      case .dataV2(let data): writer.structure(8) { data.encode(to: &$0) }
      case .other: break
      }
    }
    return writer.bytes
  }
}

extension Encoding {
  init(from reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(ParquetError) {
    let raw = try reader.integer32(kind)
    guard let known = Encoding(rawValue: raw) else { throw .unsupported("encoding \(raw)") }
    self = known
  }
}

extension PageHeader.DataV1 {
  init(from reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(ParquetError) {
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: valueCount = try reader.count(kind, max: Int(Int32.max))
      case 2: encoding = try Encoding(from: &reader, kind)
      case 3: definitionEncoding = try Encoding(from: &reader, kind)
      case 4: repetitionEncoding = try Encoding(from: &reader, kind)
      default: try reader.skip(kind)
      }
    }
  }

  func encode(to writer: inout ThriftWriter) {
    writer.int32(1, valueCount)
    writer.int32(2, Int(encoding.rawValue))
    writer.int32(3, Int(definitionEncoding.rawValue))
    writer.int32(4, Int(repetitionEncoding.rawValue))
    if let statistics { writer.structure(5) { statistics.encode(to: &$0) } }
  }
}

extension PageHeader.DataV2 {
  init(from reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(ParquetError) {
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: valueCount = try reader.count(kind, max: Int(Int32.max))
      case 2: nullCount = try reader.count(kind, max: Int(Int32.max))
      case 3: rowCount = try reader.count(kind, max: Int(Int32.max))
      case 4: encoding = try Encoding(from: &reader, kind)
      case 5: definitionBytes = try reader.count(kind, max: Int(Int32.max))
      case 6: repetitionBytes = try reader.count(kind, max: Int(Int32.max))
      case 7: isCompressed = try reader.boolean(kind)
      default: try reader.skip(kind)
      }
    }
  }

  func encode(to writer: inout ThriftWriter) {
    writer.int32(1, valueCount)
    writer.int32(2, nullCount)
    writer.int32(3, rowCount)
    writer.int32(4, Int(encoding.rawValue))
    writer.int32(5, definitionBytes)
    writer.int32(6, repetitionBytes)
    writer.boolean(7, isCompressed)
    if let statistics { writer.structure(8) { statistics.encode(to: &$0) } }
  }
}
