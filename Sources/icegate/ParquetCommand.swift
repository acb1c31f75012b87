import Glibc
import LakeCompression
import LakeJSON
import LakeModel
import LakeParquet
import LakeSchema

// `icegate parquet ...`: looks into Parquet files and writes them again, with this program's own reader and writer.

private let usage = """
  usage: icegate parquet cat FILE [--columns a,b]      rows as JSON, one line each
         icegate parquet describe FILE                 schema, row groups and statistics as JSON
         icegate parquet rewrite IN OUT [--codec none|snappy|gzip|zstd|lz4_raw|brotli] [--level N] [--page v1|v2]
             [--encoding dictionary|plain|delta_binary_packed|delta_length|delta_byte_array|byte_stream_split]
             [--group-rows N] [--page-rows N] [--bloom] [--text-index]
  """

/// Runs `icegate parquet`; `arguments` are those after the word `parquet`.
/// - Returns: 0, or 1 when a file could not be read or written, or 2 when the arguments make no sense.
func runParquetCommand(_ arguments: [String]) -> Int32 {
  do {
    let (words, options) = try ParquetOptions.parse(Array(arguments.dropFirst()))
    switch (arguments.first, words.count) {
    case ("cat", 1): try ParquetRows.print(try FileBytes.read(words[0]), columns: options["columns"])
    case ("describe", 1): try ParquetDescription.print(try FileBytes.read(words[0]))
    case ("rewrite", 2): try ParquetRewrite.run(from: words[0], to: words[1], options: options)
    default:
      complain(usage)
      return 2
    }
    return 0
  } catch let error as ParquetUsageError {
    complain("icegate parquet: \(error.text)\n\(usage)")
    return 2
  } catch {
    complain("icegate parquet: \(error)")
    return 1
  }
}

private func complain(_ text: String) { try? FileBytes.write([Bytes(text + "\n")], to: STDERR_FILENO) }

struct ParquetUsageError: Error { let text: String }
struct FileError: Error, CustomStringConvertible {
  let description: String
}

private enum ParquetOptions {
  static let flags: Set<String> = ["bloom", "text-index"]
  static let valued: Set<String> = ["columns", "codec", "level", "page", "encoding", "group-rows", "page-rows"]

  static func parse(_ arguments: [String]) throws -> (words: [String], options: [String: String]) {
    var words: [String] = []
    var options: [String: String] = [:]
    var at = 0
    while at < arguments.count {
      let argument = arguments[at]
      at += 1
      guard argument.hasPrefix("--") else {
        words.append(argument)
        continue
      }
      let name = String(argument.dropFirst(2))
      if flags.contains(name) {
        options[name] = "true"
      } else if valued.contains(name), at < arguments.count {
        options[name] = arguments[at]
        at += 1
      } else {
        throw ParquetUsageError(text: "unknown option \(argument), or its value is missing")
      }
    }
    return (words, options)
  }
}

private enum FileBytes {
  static func read(_ path: String) throws -> Bytes {
    let file = open(path, O_RDONLY)
    guard file >= 0 else { throw FileError(description: "\(path) cannot be opened: \(reason)") }
    defer { close(file) }
    let count = Int(lseek(file, 0, SEEK_END))
    guard count >= 0 else { throw FileError(description: "\(path) cannot be read: \(reason)") }
    let storage = RawStorage(capacity: count)
    var done = 0
    while done < count {
      let got = pread(file, storage.base + done, count - done, off_t(done))
      guard got > 0 else { throw FileError(description: "\(path) cannot be read: \(reason)") }
      done += got
    }
    return Bytes(storage: storage, offset: 0, count: count)
  }

  static func create(_ path: String) throws -> Int32 {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard file >= 0 else { throw FileError(description: "\(path) cannot be created: \(reason)") }
    return file
  }

  static func write(_ pieces: [Bytes], to file: Int32) throws {
    for piece in pieces {
      try piece.withUnsafeBytes { bytes in
        var done = 0
        while done < bytes.count {
          let put = Glibc.write(file, bytes.baseAddress! + done, bytes.count - done)
          guard put > 0 else { throw FileError(description: "the output cannot be written: \(reason)") }
          done += put
        }
      }
    }
  }

  private static var reason: String { String(cString: strerror(errno)) }
}

private enum ParquetRewrite {
  static func run(from source: String, to target: String, options: [String: String]) throws {
    let bytes = try FileBytes.read(source)
    let file = try ParquetFile(bytes)
    let (writerOptions, groupRows) = try settings(options, file)
    var layouts: [ColumnLayout] = []
    let encoding = try encoding(options["encoding"])
    if encoding != nil || options["bloom"] != nil || options["text-index"] != nil {
      layouts = ParquetWriter.leafPaths(of: file.schema).map {
        ColumnLayout($0, encoding ?? .dictionary, bloom: options["bloom"] != nil)
      }
    }
    // Only columns that are no part of others have one.
    for field in file.schema.fields where options["text-index"] != nil && field.type == .string {
      for index in layouts.indices where layouts[index].path == field.name { layouts[index].hasTextIndex = true }
    }
    let output = try FileBytes.create(target)
    defer { close(output) }
    var writer = try ParquetWriter(schema: file.schema, layouts: layouts, options: writerOptions)
    let projection = try file.projectionOfEverything()
    for group in file.rowGroups {
      let rows = max(1, groupRows ?? group.rowCount)
      for start in stride(from: 0, to: group.rowCount, by: rows) {
        let wanted = start..<min(group.rowCount, start + rows)
        let batch = try file.readRowGroup(
          group.index, projection: projection, rows: wanted.count == group.rowCount ? nil : [wanted], file: bytes)
        try writer.writeRowGroup(batch)
        try FileBytes.write(writer.takeOutput(), to: output)
      }
    }
    _ = try writer.finish()
    try FileBytes.write(writer.takeOutput(), to: output)
  }

  private static func settings(
    _ options: [String: String], _ file: ParquetFile
  ) throws -> (ParquetWriterOptions, groupRows: Int?) {
    var settings = ParquetWriterOptions()
    settings.keyValueMetadata = file.keyValueMetadata.filter {
      $0.key != "ARROW:schema" && $0.key != ParquetFile.textIndexKey
    }
    if let codec = options["codec"] { settings.codec = try CompressionCodec.named(codec) }
    settings.level = try number(options, "level")
    if let rows = try number(options, "page-rows") { settings.pageRows = rows }
    switch options["page"] {
    case nil, "v1": settings.pageVersion = .v1
    case "v2": settings.pageVersion = .v2
    default: throw ParquetUsageError(text: "--page takes v1 or v2")
    }
    return (settings, try number(options, "group-rows"))
  }

  private static func number(_ options: [String: String], _ name: String) throws -> Int? {
    guard let text = options[name] else { return nil }
    guard let number = Int(text) else { throw ParquetUsageError(text: "--\(name) takes a number") }
    return number
  }

  private static func encoding(_ name: String?) throws -> ColumnLayout.Encoding? {
    switch name {
    case nil: nil
    case "dictionary": .dictionary
    case "plain": .plain
    case "delta_binary_packed": .deltaBinaryPacked
    case "delta_length": .deltaLengthByteArray
    case "delta_byte_array": .deltaByteArray
    case "byte_stream_split": .byteStreamSplit
    default: throw ParquetUsageError(text: "unknown encoding \(name ?? "")")
    }
  }
}

enum ParquetRows {
  static func print(_ bytes: Bytes, columns: String?) throws {
    let file = try ParquetFile(bytes)
    let projection =
      if let columns { try file.projection(names: Set(columns.split(separator: ",").map(String.init))) } else {
        try file.projectionOfEverything()
      }
    for group in file.rowGroups {
      let batch = try file.readRowGroup(group.index, projection: projection, file: bytes)
      var lines: [Bytes] = []
      for row in 0..<batch.count {
        var json = JSONWriter()
        json.object { json in
          for (field, column) in zip(batch.schema.fields, batch.columns) {
            json.key(field.name)
            value(column, row, field.type, &json)
          }
        }
        lines += [json.finish(), Bytes("\n")]
        if lines.count >= 4096 {
          try FileBytes.write([Self.joined(lines)], to: STDOUT_FILENO)
          lines = []
        }
      }
      try FileBytes.write([Self.joined(lines)], to: STDOUT_FILENO)
    }
  }

  private static func joined(_ pieces: [Bytes]) -> Bytes {
    var all = BufferBuilder<UInt8>(capacity: 1 << 16)
    for piece in pieces {
      piece.withUnsafeBytes { bytes in
        if let base = bytes.bindMemory(to: UInt8.self).baseAddress { all.append(contentsOf: base, count: bytes.count) }
      }
    }
    let buffer = all.finish()
    return Bytes(storage: buffer.storage, offset: 0, count: buffer.count)
  }

  /// Times as microseconds, dates as days, runs of bytes as hex digits, maps as arrays of pairs, decimals as text, NaN and
  /// infinities as text.
  static func value(_ column: Column, _ row: Int, _ type: FieldType, _ json: inout JSONWriter) {
    guard column.isPresent(row) else { return json.null() }
    switch (column.values, type) {
    case (.dictionary(let indices, let dictionary), _): value(dictionary, Int(indices[row]), type, &json)
    case (.boolean(let values), _): json.value(values[row] != 0)
    case (.int32(let values), _): json.value(Int(values[row]))
    case (.int64(let values), _): json.value(values[row])
    case (.float(let values), _): number(values[row].isNaN ? "nan" : "\(values[row])", values[row].isFinite, &json)
    case (.double(let values), _): number(values[row].isNaN ? "nan" : "\(values[row])", values[row].isFinite, &json)
    case (.fixed(let data, let width), .decimal(_, let scale)):
      json.value(decimal(data.slice(row * width..<(row + 1) * width).array, scale: scale))
    case (.fixed(let data, let width), _): json.value(Hex.text(data.slice(row * width..<(row + 1) * width).array))
    case (.bytes(let offsets, let data), .string):
      data.slice(Int(offsets[row])..<Int(offsets[row + 1])).withValues { json.value($0) }
    case (.bytes(let offsets, let data), _):
      json.value(Hex.text(data.slice(Int(offsets[row])..<Int(offsets[row + 1])).array))
    case (.list(let offsets, let element), .list(_, let type, _)):
      json.array { json in
        for index in Int(offsets[row])..<Int(offsets[row + 1]) { value(element, index, type, &json) }
      }
    case (.structure(let columns), .structure(let fields)):
      json.object { json in
        for (field, column) in zip(fields, columns) {
          json.key(field.name)
          value(column, row, field.type, &json)
        }
      }
    case (.map(let offsets, let keys, let values), .map(_, let keyType, _, let valueType, _)):
      json.array { json in
        for index in Int(offsets[row])..<Int(offsets[row + 1]) {
          json.array { json in
            value(keys, index, keyType, &json)
            value(values, index, valueType, &json)
          }
        }
      }
    default: json.value("unreadable")
    }
  }

  private static func number(_ text: String, _ isFinite: Bool, _ json: inout JSONWriter) {
    if isFinite { json.raw(text) } else { json.value(text) }
  }

  private static func decimal(_ bytes: [UInt8], scale: Int) -> String {
    var value = Int128(Int8(bitPattern: bytes.first ?? 0))
    for byte in bytes.dropFirst() { value = value << 8 | Int128(byte) }
    var digits = String(value.magnitude)
    if scale > 0 {
      digits = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
      digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale))
    }
    return value < 0 ? "-" + digits : digits
  }
}

private enum ParquetDescription {
  static func print(_ bytes: Bytes) throws {
    let file = try ParquetFile(bytes)
    var json = JSONWriter()
    json.object { json in
      json.member("rows", file.rowCount)
      json.member("created_by", file.createdBy ?? "")
      json.key("metadata")
      json.object { json in
        for (key, value) in file.keyValueMetadata { json.member(key, value) }
      }
      json.key("columns")
      json.array { json in
        for leaf in file.leaves {
          json.object { json in
            json.member("path", leaf.pathText)
            json.member("field_id", leaf.fieldID ?? -1)
            json.member("type", "\(leaf.type)")
            json.member("physical", "\(leaf.physicalType)")
          }
        }
      }
      json.key("row_groups")
      json.array { json in for group in file.rowGroups { describe(group, of: file, &json) } }
    }
    try FileBytes.write([json.finish(), Bytes("\n")], to: STDOUT_FILENO)
  }

  private static func describe(_ group: RowGroup, of file: ParquetFile, _ json: inout JSONWriter) {
    json.object { json in
      json.member("rows", group.rowCount)
      json.member("bytes", group.bytes)
      json.key("chunks")
      json.array { json in
        for (leaf, chunk) in group.chunks.enumerated() {
          json.object { json in
            json.member("bytes", chunk.range.count)
            json.member("values", chunk.valueCount)
            json.member("codec", chunk.codec.rawValue)
            json.member("has_bloom_filter", chunk.bloomFilterRange != nil)
            json.member("has_page_index", chunk.offsetIndexRange != nil)
            json.member("has_text_index", file.textIndexRange(rowGroup: group.index, leaf: leaf) != nil)
            describe(chunk.statistics, &json)
          }
        }
      }
    }
  }

  private static func describe(_ statistics: ColumnStatistics?, _ json: inout JSONWriter) {
    guard let statistics else { return }
    if let nulls = statistics.nullCount { json.member("nulls", nulls) }
    if let min = statistics.min { json.member("min", text(min)) }
    if let max = statistics.max { json.member("max", text(max)) }
    json.member("is_min_exact", statistics.isMinExact)
    json.member("is_max_exact", statistics.isMaxExact)
  }

  private static func text(_ value: ParquetValue) -> String {
    switch value {
    case .boolean(let value): "\(value)"
    case .int(let value): "\(value)"
    case .long(let value): "\(value)"
    case .float(let value): "\(value)"
    case .double(let value): "\(value)"
    case .bytes(let value): Hex.text(value.array)
    }
  }
}
