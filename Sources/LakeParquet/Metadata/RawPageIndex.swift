import LakeModel

/// Where the data pages of a column chunk lie.
struct RawOffsetIndex {
  struct Location {
    var offset: Int
    /// Header included.
    var bytes: Int
    var firstRow: Int
  }
  var locations: [Location] = []
  /// Bytes of text and binary values per page; empty for other types.
  var unencodedBytes: [Int] = []
}

/// Bounds of the data pages of a column chunk.
struct RawColumnIndex {
  var nullPages: [Bool] = []
  var minValues: [Bytes] = []
  var maxValues: [Bytes] = []
  /// 0 unordered, 1 ascending, 2 descending.
  var boundaryOrder = 0
  var nullCounts: [Int] = []
  var repetitionHistograms: [Int] = []
  var definitionHistograms: [Int] = []
}

extension RawOffsetIndex {
  init(decoding bytes: Bytes) throws(ParquetError) {
    var reader = ThriftReader(bytes)
    try reader.structure { reader, id, kind throws(ParquetError) in
      switch id {
      case 1:
        try reader.list(kind) { reader, kind throws(ParquetError) in
          var location = Location(offset: 0, bytes: 0, firstRow: 0)
          try reader.structure(kind) { reader, id, kind throws(ParquetError) in
            switch id {
            case 1: location.offset = try reader.count(kind)
            case 2: location.bytes = try reader.count(kind)
            case 3: location.firstRow = try reader.count(kind)
            default: try reader.skip(kind)
            }
          }
          locations.append(location)
        }
      case 2: unencodedBytes = try reader.integers(kind)
      default: try reader.skip(kind)
      }
    }
  }

  func encoded() -> [UInt8] {
    var writer = ThriftWriter()
    writer.structure { writer in
      writer.structures(1, locations) { writer, location in
        writer.int64(1, location.offset)
        writer.int32(2, location.bytes)
        writer.int64(3, location.firstRow)
      }
      if !unencodedBytes.isEmpty { writer.int64s(2, unencodedBytes) }
    }
    return writer.bytes
  }
}

extension RawColumnIndex {
  init(decoding bytes: Bytes) throws(ParquetError) {
    var reader = ThriftReader(bytes)
    try reader.structure { reader, id, kind throws(ParquetError) in
      switch id {
      case 1:
        try reader.list(kind) { reader, kind throws(ParquetError) in nullPages.append(try reader.boolean(kind)) }
      case 2: try reader.list(kind) { reader, kind throws(ParquetError) in minValues.append(try reader.binary(kind)) }
      case 3: try reader.list(kind) { reader, kind throws(ParquetError) in maxValues.append(try reader.binary(kind)) }
      case 4: boundaryOrder = try reader.integer(kind)
      case 5: nullCounts = try reader.integers(kind)
      case 6: repetitionHistograms = try reader.integers(kind)
      case 7: definitionHistograms = try reader.integers(kind)
      default: try reader.skip(kind)
      }
    }
  }

  func encoded() -> [UInt8] {
    var writer = ThriftWriter()
    writer.structure { writer in
      writer.booleans(1, nullPages)
      writer.binaries(2, minValues)
      writer.binaries(3, maxValues)
      writer.int32(4, boundaryOrder)
      writer.int64s(5, nullCounts)
      if !repetitionHistograms.isEmpty { writer.int64s(6, repetitionHistograms) }
      if !definitionHistograms.isEmpty { writer.int64s(7, definitionHistograms) }
    }
    return writer.bytes
  }
}
