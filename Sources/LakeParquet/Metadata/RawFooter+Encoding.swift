import LakeModel

extension RawFooter {
  /// The serialized FileMetaData.
  func encoded() -> Bytes {
    var writer = ThriftWriter()
    writer.structure { writer in
      writer.int32(1, version)
      writer.structures(2, schema) { $1.encode(to: &$0) }
      writer.int64(3, rowCount)
      writer.structures(4, rowGroups) { $1.encode(to: &$0) }
      if !keyValues.isEmpty {
        writer.structures(5, keyValues) { writer, pair in
          writer.text(1, pair.key)
          writer.text(2, pair.value)
        }
      }
      if let createdBy { writer.text(6, createdBy) }
      writer.structures(7, columnOrders) { writer, _ in writer.structure(1) { _ in } }
    }
    return Bytes(writer.bytes)
  }
}

extension SchemaElement {
  func encode(to writer: inout ThriftWriter) {
    if let type { writer.int32(1, Int(type.rawValue)) }
    if type == .fixedLengthByteArray { writer.int32(2, typeLength) }
    if let repetition { writer.int32(3, Int(repetition.rawValue)) }
    writer.text(4, name)
    if let childCount { writer.int32(5, childCount) }
    if let convertedType { writer.int32(6, Int(convertedType.rawValue)) }
    if convertedType == .decimal {
      writer.int32(7, scale)
      writer.int32(8, precision)
    }
    if let fieldID { writer.int32(9, fieldID) }
    if let logicalType { writer.structure(10) { logicalType.encode(to: &$0) } }
  }
}

extension LogicalType {
  func encode(to writer: inout ThriftWriter) {
    switch self {
    case .string: writer.structure(1) { _ in }
    case .map: writer.structure(2) { _ in }
    case .list: writer.structure(3) { _ in }
    case .enum: writer.structure(4) { _ in }
    case .decimal(let scale, let precision):
      writer.structure(5) { writer in
        writer.int32(1, scale)
        writer.int32(2, precision)
      }
    case .date: writer.structure(6) { _ in }
    case .time(let isUTC, let unit): writer.structure(7) { unit.encode(to: &$0, isUTC: isUTC) }
    case .timestamp(let isUTC, let unit): writer.structure(8) { unit.encode(to: &$0, isUTC: isUTC) }
    case .integer(let bits, let isSigned):
      writer.structure(10) { writer in
        writer.byte(1, bits)
        writer.boolean(2, isSigned)
      }
    case .unknown: writer.structure(11) { _ in }
    case .json: writer.structure(12) { _ in }
    case .bson: writer.structure(13) { _ in }
    case .uuid: writer.structure(14) { _ in }
    case .float16: writer.structure(15) { _ in }
    case .other: preconditionFailure("never written")
    }
  }
}

extension LogicalType.Unit {
  fileprivate func encode(to writer: inout ThriftWriter, isUTC: Bool) {
    writer.boolean(1, isUTC)
    writer.structure(2) { writer in
      switch self {
      case .millis: writer.structure(1) { _ in }
      case .micros: writer.structure(2) { _ in }
      case .nanos: writer.structure(3) { _ in }
      }
    }
  }
}

extension RawRowGroup {
  func encode(to writer: inout ThriftWriter) {
    writer.structures(1, columns) { $1.encode(to: &$0) }
    writer.int64(2, totalBytes)
    writer.int64(3, rowCount)
    if !sortingColumns.isEmpty {
      writer.structures(4, sortingColumns) { writer, sorting in
        writer.int32(1, sorting.column)
        writer.boolean(2, sorting.isDescending)
        writer.boolean(3, sorting.nullsFirst)
      }
    }
    if let fileOffset { writer.int64(5, fileOffset) }
    if let compressedBytes { writer.int64(6, compressedBytes) }
    // The ordinal is a 16-bit field (only encryption needs it): left out, as it cannot count beyond 32,767.
  }
}

extension RawColumnChunk {
  func encode(to writer: inout ThriftWriter) {
    writer.int64(2, fileOffset)
    if let metadata { writer.structure(3) { metadata.encode(to: &$0) } }
    if let offsetIndexOffset, let offsetIndexLength {
      writer.int64(4, offsetIndexOffset)
      writer.int32(5, offsetIndexLength)
    }
    if let columnIndexOffset, let columnIndexLength {
      writer.int64(6, columnIndexOffset)
      writer.int32(7, columnIndexLength)
    }
  }
}

extension RawColumnMetadata {
  func encode(to writer: inout ThriftWriter) {
    writer.int32(1, Int(type.rawValue))
    writer.int32s(2, encodings)
    writer.texts(3, path)
    writer.int32(4, codec)
    writer.int64(5, valueCount)
    writer.int64(6, uncompressedBytes)
    writer.int64(7, compressedBytes)
    writer.int64(9, dataPageOffset)
    if let dictionaryPageOffset { writer.int64(11, dictionaryPageOffset) }
    if let statistics { writer.structure(12) { statistics.encode(to: &$0) } }
    if !encodingStatistics.isEmpty {
      writer.structures(13, encodingStatistics) { writer, entry in
        writer.int32(1, entry.pageType)
        writer.int32(2, entry.encoding)
        writer.int32(3, entry.count)
      }
    }
    if let bloomFilterOffset { writer.int64(14, bloomFilterOffset) }
    if let bloomFilterLength { writer.int32(15, bloomFilterLength) }
    if let sizeStatistics { writer.structure(16) { sizeStatistics.encode(to: &$0) } }
  }
}

extension RawStatistics {
  func encode(to writer: inout ThriftWriter) {
    if let nullCount { writer.int64(3, nullCount) }
    if let distinctCount { writer.int64(4, distinctCount) }
    if let max { writer.binary(5, max) }
    if let min { writer.binary(6, min) }
    if let isMaxExact { writer.boolean(7, isMaxExact) }
    if let isMinExact { writer.boolean(8, isMinExact) }
  }
}

extension SizeStatistics {
  func encode(to writer: inout ThriftWriter) {
    if let unencodedBytes { writer.int64(1, unencodedBytes) }
    if !repetitionHistogram.isEmpty { writer.int64s(2, repetitionHistogram) }
    if !definitionHistogram.isEmpty { writer.int64s(3, definitionHistogram) }
  }
}
