import LakeModel

extension RawFooter {
  /// Parses the serialized FileMetaData.
  init(decoding bytes: Bytes, limits: ReadLimits) throws(ParquetError) {
    var reader = ThriftReader(bytes)
    try reader.structure { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: version = try reader.integer(kind)
      case 2:
        try reader.list(kind) { reader, kind throws(ParquetError) in
          guard schema.count < limits.schemaElementsMax else {
            throw .limitExceeded("schema elements", limit: limits.schemaElementsMax, found: schema.count + 1)
          }
          schema.append(try SchemaElement(from: &reader, kind))
        }
      case 3: rowCount = try reader.count(kind)
      case 4:
        try reader.list(kind) { reader, kind throws(ParquetError) in
          rowGroups.append(try RawRowGroup(from: &reader, kind))
        }
      case 5:
        try reader.list(kind) { reader, kind throws(ParquetError) in
          keyValues.append(try RawFooter.keyValue(from: &reader, kind))
        }
      case 6: createdBy = try reader.text(kind)
      case 7:
        try reader.list(kind) { reader, kind throws(ParquetError) in
          var isTypeOrder = false
          try reader.structure(kind) { reader, id, kind throws(ParquetError) in
            isTypeOrder = isTypeOrder || id == 1
            try reader.skip(kind)
          }
          columnOrders.append(isTypeOrder)
        }
      case 8, 9:
        isEncrypted = true
        try reader.skip(kind)
      default: try reader.skip(kind)
      }
    }
  }

  private static func keyValue(
    from reader: inout ThriftReader, _ kind: ThriftReader.Kind
  ) throws(ParquetError) -> (String, String) {
    var key = ""
    var value = ""
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: key = try reader.text(kind)
      case 2: value = try reader.text(kind)
      default: try reader.skip(kind)
      }
    }
    return (key, value)
  }
}

extension SchemaElement {
  init(from reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(ParquetError) {
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1:
        let raw = try reader.integer32(kind)
        guard let known = PhysicalType(rawValue: raw) else { throw .malformed("physical type \(raw)") }
        type = known
      case 2: typeLength = try reader.count(kind, max: Int(Int32.max))
      case 3:
        let raw = try reader.integer32(kind)
        guard let known = Repetition(rawValue: raw) else { throw .malformed("repetition \(raw)") }
        repetition = known
      case 4: name = try reader.text(kind)
      case 5: childCount = try reader.count(kind, max: Int(Int32.max))
      case 6: convertedType = ConvertedType(rawValue: try reader.integer32(kind))
      case 7: scale = Int(try reader.integer32(kind))
      case 8: precision = Int(try reader.integer32(kind))
      case 9: fieldID = Int(try reader.integer32(kind))
      case 10: logicalType = try LogicalType(from: &reader, kind)
      default: try reader.skip(kind)
      }
    }
  }
}

extension LogicalType {
  init?(from reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(ParquetError) {
    var found: LogicalType?
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 5:
        let (scale, precision) = try Self.pair(from: &reader, kind)
        found = .decimal(scale: scale, precision: precision)
      case 7, 8:
        let (isUTC, unit) = try Self.time(from: &reader, kind)
        found = id == 7 ? .time(isUTC: isUTC, unit) : .timestamp(isUTC: isUTC, unit)
      case 10: found = try Self.integer(from: &reader, kind)
      default:
        found = Self.plain[id] ?? .other
        try reader.skip(kind)
      }
    }
    guard let found else { return nil }
    self = found
  }

  private static let plain: [Int16: LogicalType] = [
    1: .string, 2: .map, 3: .list, 4: .enum, 6: .date, 11: .unknown, 12: .json, 13: .bson, 14: .uuid, 15: .float16,
  ]

  private static func pair(
    from reader: inout ThriftReader, _ kind: ThriftReader.Kind
  ) throws(ParquetError) -> (Int, Int) {
    var values = (0, 0)
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: values.0 = Int(try reader.integer32(kind))
      case 2: values.1 = Int(try reader.integer32(kind))
      default: try reader.skip(kind)
      }
    }
    return values
  }

  private static func integer(
    from reader: inout ThriftReader, _ kind: ThriftReader.Kind
  ) throws(ParquetError) -> LogicalType {
    var bits = 0
    var isSigned = true
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: bits = try reader.integer(kind)
      case 2: isSigned = try reader.boolean(kind)
      default: try reader.skip(kind)
      }
    }
    return .integer(bits: bits, isSigned: isSigned)
  }

  private static func time(
    from reader: inout ThriftReader, _ kind: ThriftReader.Kind
  ) throws(ParquetError) -> (Bool, Unit) {
    var isUTC = false
    var unit: Unit?
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: isUTC = try reader.boolean(kind)
      case 2:
        try reader.structure(kind) { reader, id, kind throws(ParquetError) in
          switch id {
          case 1: unit = .millis
          case 2: unit = .micros
          case 3: unit = .nanos
          default: break
          }
          try reader.skip(kind)
        }
      default: try reader.skip(kind)
      }
    }
    guard let unit else { throw .unsupported("time unit of a newer format") }
    return (isUTC, unit)
  }
}

extension RawRowGroup {
  init(from reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(ParquetError) {
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1:
        try reader.list(kind) { reader, kind throws(ParquetError) in
          columns.append(try RawColumnChunk(from: &reader, kind))
        }
      case 2: totalBytes = try reader.integer(kind)
      case 3: rowCount = try reader.count(kind)
      case 4:
        try reader.list(kind) { reader, kind throws(ParquetError) in
          var column = 0
          var isDescending = false
          var nullsFirst = false
          try reader.structure(kind) { reader, id, kind throws(ParquetError) in
            switch id {
            case 1: column = try reader.count(kind)
            case 2: isDescending = try reader.boolean(kind)
            case 3: nullsFirst = try reader.boolean(kind)
            default: try reader.skip(kind)
            }
          }
          sortingColumns.append((column, isDescending, nullsFirst))
        }
      case 5: fileOffset = try reader.integer(kind)
      case 6: compressedBytes = try reader.integer(kind)
      case 7: ordinal = try reader.integer(kind)
      default: try reader.skip(kind)
      }
    }
  }
}

extension RawColumnChunk {
  init(from reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(ParquetError) {
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: filePath = try reader.text(kind)
      case 2: fileOffset = try reader.integer(kind)
      case 3: metadata = try RawColumnMetadata(from: &reader, kind)
      case 4: offsetIndexOffset = try reader.integer(kind)
      case 5: offsetIndexLength = try reader.integer(kind)
      case 6: columnIndexOffset = try reader.integer(kind)
      case 7: columnIndexLength = try reader.integer(kind)
      case 8, 9:
        isEncrypted = true
        try reader.skip(kind)
      default: try reader.skip(kind)
      }
    }
  }
}

extension RawColumnMetadata {
  init(from reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(ParquetError) {
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1:
        let raw = try reader.integer32(kind)
        guard let known = PhysicalType(rawValue: raw) else { throw .malformed("physical type \(raw)") }
        type = known
      case 2: encodings = try reader.integers(kind)
      case 3: try reader.list(kind) { reader, kind throws(ParquetError) in path.append(try reader.text(kind)) }
      case 4: codec = try reader.integer(kind)
      case 5: valueCount = try reader.count(kind)
      case 6: uncompressedBytes = try reader.integer(kind)
      case 7: compressedBytes = try reader.count(kind)
      case 9: dataPageOffset = try reader.count(kind)
      case 11: dictionaryPageOffset = try reader.integer(kind)
      case 12: statistics = try RawStatistics(from: &reader, kind)
      case 13:
        try reader.list(kind) { reader, kind throws(ParquetError) in
          var entry = (pageType: 0, encoding: 0, count: 0)
          try reader.structure(kind) { reader, id, kind throws(ParquetError) in
            switch id {
            case 1: entry.pageType = try reader.integer(kind)
            case 2: entry.encoding = try reader.integer(kind)
            case 3: entry.count = try reader.integer(kind)
            default: try reader.skip(kind)
            }
          }
          encodingStatistics.append(entry)
        }
      case 14: bloomFilterOffset = try reader.integer(kind)
      // Before the format had it, a writer kept a list of its own there.
      case 15 where kind != .list: bloomFilterLength = try reader.integer(kind)
      case 16: sizeStatistics = try SizeStatistics(from: &reader, kind)
      default: try reader.skip(kind)
      }
    }
  }
}

extension RawStatistics {
  init(from reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(ParquetError) {
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: oldMax = try reader.binary(kind)
      case 2: oldMin = try reader.binary(kind)
      case 3: nullCount = try reader.integer(kind)
      case 4: distinctCount = try reader.integer(kind)
      case 5: max = try reader.binary(kind)
      case 6: min = try reader.binary(kind)
      case 7: isMaxExact = try reader.boolean(kind)
      case 8: isMinExact = try reader.boolean(kind)
      default: try reader.skip(kind)
      }
    }
  }
}

extension SizeStatistics {
  init(from reader: inout ThriftReader, _ kind: ThriftReader.Kind) throws(ParquetError) {
    try reader.structure(kind) { reader, id, kind throws(ParquetError) in
      switch id {
      case 1: unencodedBytes = try reader.integer(kind)
      case 2: repetitionHistogram = try reader.integers(kind)
      case 3: definitionHistogram = try reader.integers(kind)
      default: try reader.skip(kind)
      }
    }
  }
}
