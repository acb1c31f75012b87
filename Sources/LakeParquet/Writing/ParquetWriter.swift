package import LakeCompression
package import LakeModel
package import LakeSchema

/// Writes one Parquet file, a row group per batch. Output appears as pieces to be appended in order.
///
/// Leaf paths are the schema's names joined by dots; lists are `NAME.list.element`, maps `NAME.key_value.key` and
/// `NAME.key_value.value`. Columns without a layout get a dictionary while it stays small.
package struct ParquetWriter: Sendable {
  package let schema: Schema
  package let options: ParquetWriterOptions

  static let magic: [UInt8] = Array("PAR1".utf8)

  private let tree: WriterSchema
  /// One per leaf.
  private let layouts: [ColumnLayout?]
  private var position = 0
  private var pending: [Bytes] = []
  private var footer = RawFooter()
  private var indexes: [[(column: RawColumnIndex?, offset: RawOffsetIndex)]] = []
  private var metrics: [ColumnMetrics]
  /// Encoded text indexes, per leaf one for each row group.
  private var textIndexes: [Int: [Bytes?]] = [:]

  /// - Throws: `.unsupported` when the schema has no columns, an empty struct, or nests deeper than levels can tell.
  package init(
    schema: Schema, layouts: [ColumnLayout] = [], options: ParquetWriterOptions = .init()
  ) throws(ParquetError) {
    self.schema = schema
    self.options = options
    tree = try WriterSchema(schema)
    var byPath: [String: ColumnLayout] = [:]
    for layout in layouts { byPath[layout.path] = layout }
    self.layouts = tree.leaves.map { byPath[$0.pathText] }
    metrics = tree.leaves.map {
      ColumnMetrics(fieldID: $0.fieldID ?? 0, path: $0.pathText, bytes: 0, valueCount: 0, nullCount: 0, nanCount: 0)
    }
    footer.schema = tree.elements
    footer.keyValues = options.keyValueMetadata
    footer.createdBy = options.createdBy
    footer.columnOrders = tree.leaves.map { _ in true }
    append(Bytes(Self.magic))
  }

  /// Bytes of the file so far, taken or not.
  package var bytesWritten: Int { position }

  /// Rows of the file so far.
  package var rowCount: Int { footer.rowCount }

  /// Adds an entry to the footer, at any time before `finish`. Keys may repeat; readers take the last.
  package mutating func addKeyValue(_ key: String, _ value: String) { footer.keyValues.append((key, value)) }

  /// Encodes the batch, whose schema is the writer's, as one row group. A batch without rows writes nothing.
  /// - Throws: `.malformed` when a required column has absent values or a column has another layout than its type;
  ///   `.limitExceeded` when a page would pass 2 GiB. After an error the writer is of no further use.
  package mutating func writeRowGroup(_ batch: ColumnBatch) throws(ParquetError) { append(try encode(batch)) }

  /// Encodes the batch without adding it: row groups may be encoded on several threads, each with a copy of the writer,
  /// and appended in order. Throws what `writeRowGroup` throws.
  package func encode(_ batch: ColumnBatch) throws(ParquetError) -> EncodedRowGroup {
    guard batch.columns.count == tree.nodes.count else { throw .malformed("batch of another schema") }
    guard batch.count > 0 else { return EncodedRowGroup(chunks: [], rowCount: 0) }
    let compressor = Compressor()
    var columns: [EncodedColumn] = []
    for (index, column) in batch.columns.enumerated() {
      columns.append(try encode(column, field: index, compressor))
    }
    return EncodedRowGroup(columns, rowCount: batch.count)
  }

  /// Encodes one column of a row group, so that not all of them need be in memory at once. Throws what `writeRowGroup` throws.
  ///
  /// - Parameters:
  ///   - field: position of the column among the schema's fields.
  ///   - compressor: lent for the call; one may serve many columns, one after another.
  package func encode(
    _ column: Column, field: Int, _ compressor: Compressor
  ) throws(ParquetError) -> EncodedColumn {
    let leaves = tree.nodes[field].leaves
    var chunks: [EncodedChunk] = []
    for shredded in try Shredder.shred(column, node: tree.nodes[field]) {
      let leaf = tree.leaves[leaves[chunks.count]]
      let encoder = ChunkEncoder(leaf: leaf, layout: layouts[leaf.index], options: options, compressor: compressor)
      chunks.append(try encoder.encode(shredded))
    }
    return EncodedColumn(chunks: chunks, rowCount: column.count)
  }

  /// Adds a row group that was encoded by a writer of the same schema, layouts and options.
  package mutating func append(_ group: EncodedRowGroup) {
    guard group.rowCount > 0 else { return }
    precondition(group.chunks.count == tree.leaves.count)
    let starts = place(group.chunks, rowCount: group.rowCount)
    for (leaf, chunk) in group.chunks.enumerated() where layouts[leaf]?.hasTextIndex == true {
      let range = starts[leaf]..<starts[leaf] + chunk.bytes.count
      textIndexes[leaf, default: []].append(chunk.textIndex?.encoded(rowCount: group.rowCount, chunk: range))
    }
  }

  /// Appends encoded chunks and their Bloom filters, turning relative offsets into the file's.
  /// - Returns: where each chunk starts.
  private mutating func place(_ chunks: [EncodedChunk], rowCount: Int) -> [Int] {
    var starts: [Int] = []
    var group = RawRowGroup()
    group.rowCount = rowCount
    group.fileOffset = position
    group.sortingColumns = sortingColumns()
    var placed: [(RawColumnIndex?, RawOffsetIndex)] = []
    for (leaf, chunk) in chunks.enumerated() {
      var raw = RawColumnChunk()
      var metadata = chunk.metadata
      var offsets = chunk.offsetIndex
      metadata.dataPageOffset += position
      metadata.dictionaryPageOffset = metadata.dictionaryPageOffset.map { $0 + position }
      for index in offsets.locations.indices { offsets.locations[index].offset += position }
      raw.metadata = metadata
      group.columns.append(raw)
      group.totalBytes += metadata.uncompressedBytes
      group.compressedBytes = (group.compressedBytes ?? 0) + metadata.compressedBytes
      placed.append((chunk.columnIndex, offsets))
      starts.append(position)
      append(chunk.bytes)
      count(chunk, leaf: leaf)
    }
    for (leaf, chunk) in chunks.enumerated() {
      guard let bloom = chunk.bloomFilter else { continue }
      group.columns[leaf].metadata?.bloomFilterOffset = position
      group.columns[leaf].metadata?.bloomFilterLength = bloom.count
      append(bloom)
    }
    footer.rowGroups.append(group)
    footer.rowCount += rowCount
    indexes.append(placed)
    return starts
  }

  private mutating func count(_ chunk: EncodedChunk, leaf: Int) {
    metrics[leaf].bytes += chunk.bytes.count
    metrics[leaf].valueCount += chunk.metadata.valueCount
    metrics[leaf].nullCount += chunk.nullCount
    metrics[leaf].nanCount += chunk.bounds.nanCount
    var bounds = ValueBounds(min: metrics[leaf].lower, max: metrics[leaf].upper)
    bounds.merge(chunk.bounds, order: ValueOrder(tree.leaves[leaf]))
    metrics[leaf].lower = bounds.min
    metrics[leaf].upper = bounds.max
  }

  private func sortingColumns() -> [(column: Int, isDescending: Bool, nullsFirst: Bool)] {
    var columns: [(column: Int, isDescending: Bool, nullsFirst: Bool)] = []
    for sorting in options.sortingColumns {
      guard let leaf = tree.leaves.first(where: { $0.fieldID == sorting.fieldID && $0.maxRepetition == 0 }) else {
        break
      }
      columns.append((leaf.index, sorting.isDescending, sorting.nullsFirst))
    }
    return columns
  }

  private mutating func append(_ bytes: Bytes) {
    guard !bytes.isEmpty else { return }
    pending.append(bytes)
    position += bytes.count
  }

  /// The bytes that were added since the last call, in order.
  package mutating func takeOutput() -> [Bytes] {
    defer { pending = [] }
    return pending
  }

  /// Writes page index and footer; the last pieces wait in `takeOutput`.
  package mutating func finish() throws(ParquetError) -> ParquetFileSummary {
    appendTextIndexes()
    if options.writesPageIndex { appendPageIndexes() }
    let encoded = footer.encoded()
    guard encoded.count <= Int(Int32.max) else {
      throw .limitExceeded("bytes of the footer", limit: Int(Int32.max), found: encoded.count)
    }
    append(encoded)
    append(Bytes(withUnsafeBytes(of: UInt32(encoded.count).littleEndian) { Array($0) } + Self.magic))
    let offsets = footer.rowGroups.map { $0.fileOffset ?? 0 }
    return ParquetFileSummary(rowCount: footer.rowCount, bytes: position, rowGroupOffsets: offsets, columns: metrics)
  }

  /// A column's text indexes next to one another, so that one read fetches them.
  private mutating func appendTextIndexes() {
    var ranges: [Int: [Range<Int>?]] = [:]
    for leaf in textIndexes.keys.sorted() {
      ranges[leaf] = textIndexes[leaf]!.map { index in
        guard let index else { return nil }
        append(index)
        return position - index.count..<position
      }
    }
    if ranges.values.contains(where: { $0.contains { $0 != nil } }) {
      addKeyValue(TextIndexFormat.key, TextIndexDirectory.text(ranges))
    }
  }

  /// All column indexes, then all offset indexes: readers that prune want the former together.
  private mutating func appendPageIndexes() {
    for group in indexes.indices {
      for leaf in indexes[group].indices {
        guard let index = indexes[group][leaf].column?.encoded() else { continue }
        footer.rowGroups[group].columns[leaf].columnIndexOffset = position
        footer.rowGroups[group].columns[leaf].columnIndexLength = index.count
        append(Bytes(index))
      }
    }
    for group in indexes.indices {
      for leaf in indexes[group].indices {
        let index = indexes[group][leaf].offset.encoded()
        footer.rowGroups[group].columns[leaf].offsetIndexOffset = position
        footer.rowGroups[group].columns[leaf].offsetIndexLength = index.count
        append(Bytes(index))
      }
    }
  }
}

/// The column chunks of one row group, not yet in a file.
package struct EncodedRowGroup: Sendable {
  let chunks: [EncodedChunk]
  package let rowCount: Int

  fileprivate init(chunks: [EncodedChunk], rowCount: Int) {
    self.chunks = chunks
    self.rowCount = rowCount
  }

  /// - Precondition: one column for each field of the schema, in order, each of so many rows.
  package init(_ columns: [EncodedColumn], rowCount: Int) {
    precondition(columns.allSatisfy { $0.rowCount == rowCount })
    self.init(chunks: columns.flatMap(\.chunks), rowCount: rowCount)
  }
}

/// The chunks of one column of a row group: one for each leaf.
package struct EncodedColumn: Sendable {
  fileprivate let chunks: [EncodedChunk]
  fileprivate let rowCount: Int
}

extension ParquetWriter {
  /// A whole file in memory.
  package static func encode(
    _ batches: [ColumnBatch], schema: Schema, layouts: [ColumnLayout] = [], options: ParquetWriterOptions = .init()
  ) throws(ParquetError) -> (file: Bytes, summary: ParquetFileSummary) {
    var writer = try ParquetWriter(schema: schema, layouts: layouts, options: options)
    for batch in batches { try writer.writeRowGroup(batch) }
    let summary = try writer.finish()
    let storage = RawStorage(capacity: writer.bytesWritten)
    var at = 0
    for piece in writer.takeOutput() {
      (storage.base + at).copyMemory(from: piece.unsafeBase, byteCount: piece.count)
      at += piece.count
    }
    return (Bytes(storage: storage, offset: 0, count: at), summary)
  }
}

extension ParquetWriter {
  /// The dotted paths of a schema's leaves as they are written, in order: the names that layouts go by.
  package static func leafPaths(of schema: Schema) -> [String] {
    ((try? WriterSchema(schema))?.leaves ?? []).map(\.pathText)
  }
}
