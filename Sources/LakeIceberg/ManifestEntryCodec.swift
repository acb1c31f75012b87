import LakeSchema

/// One manifest entry to and from Avro.
struct ManifestEntryCodec {
  let spec: PartitionSpec
  let types: [FieldType?]
  let metrics: Manifest.MetricsWanted

  // MARK: reading

  func read(_ cursor: inout AvroCursor, _ schema: AvroSchema) throws(IcebergError) -> ManifestEntry {
    var status: ManifestEntry.Status?
    var snapshotID: Int64?
    var sequenceNumber: Int64?
    var fileSequenceNumber: Int64?
    var file: DataFile?
    let isThere = try cursor.record(schema) { (cursor, field) throws(IcebergError) in
      switch field.id {
      case 0: status = try cursor.int(field.schema).flatMap { ManifestEntry.Status(rawValue: $0) }
      case 1: snapshotID = try cursor.long(field.schema)
      case 3: sequenceNumber = try cursor.long(field.schema)
      case 4: fileSequenceNumber = try cursor.long(field.schema)
      case 2: file = try readFile(&cursor, field.schema)
      default: try cursor.skip(field.schema)
      }
    }
    guard isThere, let status, let file else { throw .malformed("manifest: an entry without status or file") }
    return ManifestEntry(
      status: status, snapshotID: snapshotID, sequenceNumber: sequenceNumber, fileSequenceNumber: fileSequenceNumber,
      file: file)
  }

  private func readFile(_ cursor: inout AvroCursor, _ schema: AvroSchema) throws(IcebergError) -> DataFile? {
    var path: String?
    var format: String?
    var recordCount: Int64?
    var fileSize: Int64?
    var file = DataFile(
      path: "", specID: spec.id, partition: Array(repeating: nil, count: spec.fields.count), recordCount: 0, fileSize: 0
    )
    let isThere = try cursor.record(schema) { (cursor, field) throws(IcebergError) in
      switch field.id {
      case 134: file.content = try content(cursor.int(field.schema) ?? 0)
      case 100: path = try cursor.string(field.schema)
      case 101: format = try cursor.string(field.schema)
      case 102: file.partition = try readPartition(&cursor, field.schema)
      case 103: recordCount = try cursor.long(field.schema)
      case 104: fileSize = try cursor.long(field.schema)
      case 108: file.metrics.columnSizes = try readCounts(&cursor, field.schema)
      case 109: file.metrics.valueCounts = try readCounts(&cursor, field.schema)
      case 110: file.metrics.nullCounts = try readCounts(&cursor, field.schema)
      case 137: file.metrics.nanCounts = try readCounts(&cursor, field.schema)
      case 125: file.metrics.lowerBounds = try readBounds(&cursor, field.schema)
      case 128: file.metrics.upperBounds = try readBounds(&cursor, field.schema)
      case 131: file.keyMetadata = try cursor.bytes(field.schema)
      case 132:
        try cursor.array(field.schema) { (cursor, items) throws(IcebergError) in
          if let offset = try cursor.long(items) { file.splitOffsets.append(offset) }
        }
      case 135:
        try cursor.array(field.schema) { (cursor, items) throws(IcebergError) in
          if let id = try cursor.int(items) { file.equalityIDs.append(id) }
        }
      case 140: file.sortOrderID = try cursor.int(field.schema)
      case 143: file.referencedDataFile = try cursor.string(field.schema)
      case 144:  // content_offset
        if try cursor.long(field.schema) != nil {
          throw .unsupported("manifest: deletion vectors are of format version 3")
        }
      default: try cursor.skip(field.schema)
      }
    }
    guard isThere else { return nil }
    guard let path, let format, let recordCount, let fileSize, recordCount >= 0, fileSize >= 0 else {
      throw .malformed("manifest: a file without path, format, record count or size")
    }
    file.path = path
    file.format = format.uppercased()
    file.recordCount = recordCount
    file.fileSize = fileSize
    return file
  }

  private func content(_ value: Int) throws(IcebergError) -> DataFile.Content {
    guard let content = DataFile.Content(rawValue: value) else { throw .malformed("file content \(value)") }
    return content
  }

  private func readPartition(_ cursor: inout AvroCursor, _ schema: AvroSchema) throws(IcebergError) -> [Datum?] {
    var values = [Datum?](repeating: nil, count: spec.fields.count)
    try cursor.record(schema) { (cursor, field) throws(IcebergError) in
      guard let index = spec.fields.firstIndex(where: { $0.fieldID == field.id }) else {
        return try cursor.skip(field.schema)
      }
      values[index] = try cursor.datum(field.schema, wanted: types[index])
    }
    return values
  }

  private func readCounts(_ cursor: inout AvroCursor, _ schema: AvroSchema) throws(IcebergError) -> [Int: Int64] {
    var counts: [Int: Int64] = [:]
    try readMap(&cursor, schema) { (cursor, id, value) throws(IcebergError) in
      if let count = try cursor.long(value) { counts[id] = count }
    }
    return counts
  }

  private func readBounds(_ cursor: inout AvroCursor, _ schema: AvroSchema) throws(IcebergError) -> [Int: [UInt8]] {
    var bounds: [Int: [UInt8]] = [:]
    try readMap(&cursor, schema) { (cursor, id, value) throws(IcebergError) in
      if let bound = try cursor.bytes(value) { bounds[id] = bound }
    }
    return bounds
  }

  /// A map with int keys is an array of records of key and value, in this order.
  private func readMap(
    _ cursor: inout AvroCursor, _ schema: AvroSchema,
    _ body: (inout AvroCursor, Int, AvroSchema) throws(IcebergError) -> Void
  ) throws(IcebergError) {
    try cursor.array(schema) { (cursor, items) throws(IcebergError) in
      var key: Int?
      try cursor.record(items) { (cursor, field) throws(IcebergError) in
        if field.name == "key" {
          key = try cursor.int(field.schema)
        } else if let key, field.name == "value", metrics.contains(key) {
          try body(&cursor, key, field.schema)
        } else {
          try cursor.skip(field.schema)
        }
      }
    }
  }

  // MARK: writing

  static func write(_ entry: ManifestEntry, types: [FieldType], to avro: inout AvroFileWriter) {
    let file = entry.file
    avro.int(entry.status.rawValue)
    avro.optional(entry.snapshotID)
    avro.optional(entry.sequenceNumber)
    avro.optional(entry.fileSequenceNumber)
    avro.int(file.content.rawValue)
    avro.string(file.path)
    avro.string(file.format)
    for (value, type) in zip(file.partition, types) { write(value, type, to: &avro) }
    avro.long(file.recordCount)
    avro.long(file.fileSize)
    write(file.metrics, to: &avro)
    avro.optional(file.keyMetadata)
    write(list: file.splitOffsets, to: &avro)
    write(list: file.equalityIDs.map { Int64($0) }, to: &avro)
    avro.optional(file.sortOrderID.map { Int64($0) })
    if let referenced = file.referencedDataFile {
      avro.present()
      avro.string(referenced)
    } else {
      avro.null()
    }
  }

  private static func write(_ metrics: FileMetrics, to avro: inout AvroFileWriter) {
    for counts in [metrics.columnSizes, metrics.valueCounts, metrics.nullCounts, metrics.nanCounts] {
      writeMap(counts, to: &avro) { $0.long($1) }
    }
    for bounds in [metrics.lowerBounds, metrics.upperBounds] { writeMap(bounds, to: &avro) { $0.bytes($1) } }
  }

  private static func writeMap<Value>(
    _ map: [Int: Value], to avro: inout AvroFileWriter, _ write: (inout AvroFileWriter, Value) -> Void
  ) {
    if map.isEmpty { return avro.null() }
    avro.present()
    avro.int(map.count)
    for (id, value) in map.sorted(by: { $0.key < $1.key }) {
      avro.int(id)
      write(&avro, value)
    }
    avro.int(0)
  }

  private static func write(list: [Int64], to avro: inout AvroFileWriter) {
    if list.isEmpty { return avro.null() }
    avro.present()
    avro.int(list.count)
    for value in list { avro.long(value) }
    avro.int(0)
  }

  private static func write(_ value: Datum?, _ type: FieldType, to avro: inout AvroFileWriter) {
    guard let value else { return avro.null() }
    avro.present()
    switch (value, type) {
    case (.decimal(let value), .decimal(let precision, _)):
      avro.fixed(Datum.bigEndian(value, precision: precision))
    case (.binary(let bytes), .uuid), (.binary(let bytes), .fixed): avro.fixed(bytes)
    case (.boolean(let value), _): avro.boolean(value)
    case (.int(let value), _): avro.long(Int64(value))
    case (.long(let value), _): avro.long(value)
    case (.float(let value), _): avro.fixed(Datum.littleEndian(value.bitPattern))
    case (.double(let value), _): avro.fixed(Datum.littleEndian(value.bitPattern))
    case (.string(let value), _): avro.string(value)
    case (.binary(let value), _): avro.bytes(value)
    case (.decimal, _): preconditionFailure("a decimal in a column of another type")
    }
  }
}
