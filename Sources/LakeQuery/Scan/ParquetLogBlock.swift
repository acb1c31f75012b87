import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeWAL

/// One row group of a data file or of a segment, read column by column through the cache.
///
/// Two references: queries make and pass on hundreds.
struct ParquetLogBlock: LogBlock {
  let group: LogRowGroup
  let access: BlockAccess

  var file: LogFile { group.file }
  var cache: QueryCache { access.cache }
  var rowGroup: RowGroup { group.rowGroup }
  var rowCount: Int { group.rowCount }
  var visibleRowCount: Int? { group.visibleRowCount }
  var timeBounds: ClosedRange<Int64>? { group.timeBounds }

  private var index: Int32 { Int32(group.index) }

  /// Bytes of a body fetched at once.
  private static let fetchBytesMax = 8 << 20

  func bounds(_ field: LogField) -> ColumnBounds? { group.bounds(field) }

  func lineBytes() -> Int? {
    leaf(.body).flatMap { rowGroup.chunks[$0.index].unencodedBytes }
  }

  // MARK: - Rows that count

  func visibleRows() async throws(QueryError) -> RowSelection {
    var rows = RowSelection.all(rowCount)
    if !group.droppedRequests.isEmpty {
      let column = try await kept(.request(rowGroup: index)) { () throws(QueryError) in
        let batch = try await decode(Schema(id: 0, fields: [SegmentEncoder.requestField]), rows: nil, indexes: nil)
        return (batch.columns.first, batch.memoryBytes)
      }
      guard case .int32(let numbers)? = column?.values else {
        throw .corrupt("\(file.key): the request column does not hold numbers")
      }
      let dropped = Set(group.droppedRequests.map { Int32(truncatingIfNeeded: $0) })
      rows = rows.filter { !dropped.contains(numbers[$0]) }
    }
    if let onlyTenant = group.onlyTenant {
      let vector = try await vector(.tenant) ?? LabelVector(constant: nil)
      rows = vector.select(rows, ValueTest(.oneOf([Array(onlyTenant.text.utf8)])))
    }
    if let deletes = group.deletes { rows = rows.intersection(try await left(by: deletes)) }
    return rows
  }

  /// The rows that delete files leave.
  private func left(by deletes: LogRowGroup.Deletes) async throws(QueryError) -> RowSelection {
    let key = QueryCache.Key(object: QueryCache.Name(deletes.rows.identity), part: .left(rowGroup: index))
    if let kept = cache.value(key, as: RowSelection.self) { return kept }
    let schema = deletes.rows.schema
    let batch =
      schema.fields.isEmpty
      ? ColumnBatch(schema: schema, columns: [], count: rowCount)
      : try await decode(schema, rows: nil, indexes: nil)
    let end = deletes.firstRow + Int64(rowCount)
    var rows = RowSelection.all(rowCount)
    if let kept = deletes.rows.deletes.keep(rows: deletes.firstRow..<end, of: batch) {
      rows = rows.filter { kept[$0] != 0 }
    }
    cache.keep(rows, bytes: rows.memoryBytes + 256, for: key)
    return rows
  }

  // MARK: - Columns

  func column(_ field: LogField) async throws(QueryError) -> Column? {
    try await kept(.column(rowGroup: index, field: field)) { () throws(QueryError) in
      guard let column = try await whole(field) else { return (nil, 0) }
      return (column.absentCount == column.count && column.count > 0 ? nil : column, column.memoryBytes)
    }
  }

  func times() async throws(QueryError) -> TimeColumn? {
    try await kept(.times(rowGroup: index)) { () throws(QueryError) in
      guard let times = try await whole(.timestamp)?.times else { return (nil, 0) }
      return (times, times.memoryBytes)
    }
  }

  func vector(_ field: LogField) async throws(QueryError) -> LabelVector? {
    try await kept(.vector(rowGroup: index, field: field)) { () throws(QueryError) in
      guard let column = try await whole(field), let vector = try LabelVector.make(column, field) else {
        return (nil, 0)
      }
      return (vector, column.memoryBytes + vector.extraBytes)
    }
  }

  func labelCounts(_ field: LogField) -> LabelCounts? {
    group.counts.counts(of: field) {
      guard group.visibleRowCount == rowCount else { return nil }
      return keptColumn(field)?.value.flatMap { LabelCounts($0, rowCount: rowCount, cache.texts) }
    }
  }

  /// A whole column of label values, if it lies in memory.
  func keptColumn(_ field: LogField) -> KeptColumn<LabelVector>? {
    cache.value(QueryCache.Key(object: file.name, part: .vector(rowGroup: index, field: field)), as: KeptColumn.self)
  }

  /// The attributes, if they lie in memory.
  func keptAttributes() -> KeptColumn<AttributeIndex>? {
    cache.value(QueryCache.Key(object: file.name, part: .attributes(rowGroup: index)), as: KeptColumn.self)
  }

  func attributes() async throws(QueryError) -> AttributeIndex? {
    try await kept(.attributes(rowGroup: index)) { () throws(QueryError) in
      guard let column = try await whole(.attributes) else { return (nil, 0) }
      let attributes = try AttributeIndex(attributes: column, shape: try await whole(.attributesShape))
      return (attributes, attributes.memoryBytes)
    }
  }

  /// A whole column as the file has it; nil when the file has no such column.
  private func whole(_ field: LogField) async throws(QueryError) -> Column? {
    precondition(field != .body)
    guard has(field) else { return nil }
    return try await decode(Schema(id: 0, fields: [field.schemaField]), rows: nil, indexes: nil).columns[0]
  }

  /// Something made of whole columns, made once while it stays in the cache.
  ///
  /// - Parameter make: gives it and the bytes it takes in memory.
  private func kept<Value: Sendable>(
    _ part: QueryCache.Key.Part, _ make: () async throws(QueryError) -> (value: Value?, bytes: Int)
  ) async throws(QueryError) -> Value? {
    let key = QueryCache.Key(object: file.name, part: part)
    if let kept = cache.value(key, as: KeptColumn<Value>.self) {
      count {
        $0.cacheHits += 1
        $0.bytesProcessed += kept.bytes
      }
      return kept.value
    }
    let (value, bytes) = try await make()
    cache.keep(KeptColumn(value: value, bytes: bytes), bytes: bytes + 256, for: key)
    count {
      $0.cacheMisses += 1
      $0.bytesProcessed += bytes
    }
    return value
  }

  private func has(_ field: LogField) -> Bool { file.has(field) }

  func leaf(_ field: LogField) -> Leaf? { file.leaf(field) }

  private func decode(
    _ schema: Schema, rows: [Range<Int>]?, indexes: PageIndexes?
  ) async throws(QueryError) -> ColumnBatch {
    let plan = try planned(schema, rows: rows, indexes: indexes)
    try guardMemory(plan)
    let fetched = try await fetch(plan.ranges)
    return try decoded(plan, fetched)
  }

  private func planned(_ schema: Schema, rows: [Range<Int>]?, indexes: PageIndexes?) throws(QueryError) -> ReadPlan {
    do throws(ParquetError) {
      let projection = try file.file.projection(to: schema, nameMapping: LogField.nameMapping)
      return try file.file.plan(
        rowGroup: group.index, projection: projection, rows: rows, pageIndexes: indexes)
    } catch {
      throw .corrupt("\(file.key): \(error)")
    }
  }

  private func decoded(_ plan: ReadPlan, _ fetched: [Bytes]) throws(QueryError) -> ColumnBatch {
    do throws(ParquetError) { return try file.file.decode(plan, fetched: fetched) } catch {
      throw .corrupt("\(file.key), row group \(group.index): \(error)")
    }
  }

  func fetch(_ ranges: [Range<Int>]) async throws(QueryError) -> [Bytes] {
    if let bytes = group.bytes { return ranges.map { bytes[$0] } }
    return try await access.reader.get(file.key, ranges)
  }

  private func guardMemory(_ plan: ReadPlan) throws(QueryError) {
    let bytes = plan.projection.leaves.reduce(0) { $0 + rowGroup.chunks[$1].uncompressedBytes }
    if plan.rows == nil && bytes > access.reader.context.settings.memoryMax {
      throw .memoryExceeded("a column chunk of \(bytes) bytes is more than the query may hold")
    }
  }

  private func count(_ change: (inout QueryStatistics) -> Void) {
    var statistics = QueryStatistics()
    change(&statistics)
    access.reader.context.count(statistics)
  }

  // MARK: - Body

  func forEachBodyPiece(
    holding rows: RowSelection, _ body: (BodyPiece) throws(QueryError) -> Void
  ) async throws(QueryError) {
    guard !rows.isEmpty else { return }
    let pages = try await bodyPages()
    let wanted = pages.holding(rows)
    count {
      $0.pagesRead += wanted.count
      $0.pagesPruned += pages.pieces.count - wanted.count
    }
    var next = 0
    while next < wanted.count {
      // Kept pieces at once; the others in batches, so that a batch is fetched together.
      if let piece = kept(wanted[next], pages) {
        try body(piece)
        next += 1
        continue
      }
      let end = batchEnd(wanted, from: next, pages)
      try await readPieces(Array(wanted[next..<end]), pages, body)
      next = end
    }
  }

  private func pieceKey(_ piece: Int) -> QueryCache.Key {
    QueryCache.Key(object: file.name, part: .body(rowGroup: index, piece: Int32(piece)))
  }

  private func kept(_ piece: Int, _ pages: BodyPages) -> BodyPiece? {
    guard let column = cache.value(pieceKey(piece), as: Column.self), let lines = BytesView(column) else {
      return nil
    }
    count {
      $0.cacheHits += 1
      $0.bytesProcessed += column.memoryBytes
    }
    return BodyPiece(rows: pages.pieces[piece], lines: lines)
  }

  /// As many pieces that are not kept as are worth one fetch.
  private func batchEnd(_ wanted: [Int], from start: Int, _ pages: BodyPages) -> Int {
    guard let leaf = leaf(.body), let sizes = pages.indexes?.pages[leaf.index] else { return start + 1 }
    var end = start
    var bytes = 0
    while end < wanted.count {
      let size = sizes[wanted[end]].range.count
      if end > start && (bytes + size > ParquetLogBlock.fetchBytesMax || isKept(wanted[end])) { break }
      bytes += size
      end += 1
    }
    return end
  }

  private func isKept(_ piece: Int) -> Bool { cache.holds(pieceKey(piece)) }

  private func readPieces(
    _ pieces: [Int], _ pages: BodyPages, _ body: (BodyPiece) throws(QueryError) -> Void
  ) async throws(QueryError) {
    guard has(.body) else {
      for piece in pieces {
        let rows = pages.pieces[piece]
        try body(BodyPiece(rows: rows, lines: try BodyPiece.lines(nil, count: rows.count)))
      }
      return
    }
    let schema = Schema(id: 0, fields: [LogField.body.schemaField])
    let together = try planned(
      schema, rows: pages.indexes == nil ? nil : pieces.map { pages.pieces[$0] }, indexes: pages.indexes)
    try guardMemory(together)
    let fetched = FetchedRanges(together.ranges, try await fetch(together.ranges))
    for piece in pieces {
      try access.reader.context.check()
      let rows = pages.pieces[piece]
      let plan =
        pieces.count == 1 ? together : try planned(schema, rows: [rows], indexes: pages.indexes)
      let batch = try decoded(plan, try fetched.pieces(plan.ranges, of: file.key))
      let column = batch.columns[0].plain
      let lines = try BodyPiece.lines(column, count: rows.count)
      let bytes = column.memoryBytes
      cache.keep(column, bytes: bytes, for: pieceKey(piece))
      count {
        $0.cacheMisses += 1
        $0.bytesProcessed += bytes
      }
      try body(BodyPiece(rows: rows, lines: lines))
    }
  }

  private func bodyPages() async throws(QueryError) -> BodyPages {
    let key = QueryCache.Key(object: file.name, part: .bodyPages(rowGroup: index))
    if let kept = cache.value(key, as: BodyPages.self) { return kept }
    var pages = BodyPages(whole: rowCount)
    if let leaf = leaf(.body),
      let range = file.file.pageIndexRange(rowGroup: group.index, leaves: [leaf.index])
    {
      let bytes = try await fetch([range])[0]
      do throws(ParquetError) {
        let indexes = try file.file.pageIndexes(rowGroup: group.index, leaves: [leaf.index], bytes: bytes)
        pages = BodyPages(indexes, leaf: leaf.index, rowCount: rowCount)
      } catch {
        throw .corrupt("\(file.key): \(error)")
      }
    }
    cache.keep(pages, bytes: 256 + pages.pieces.count * 160, for: key)
    return pages
  }
}

/// What became of a column, and the bytes it takes in memory. nil: every row lacks it.
struct KeptColumn<Value: Sendable>: Sendable {
  let value: Value?
  let bytes: Int
}

/// Bytes that were fetched in large ranges, given out in smaller ones.
struct FetchedRanges: Sendable {
  private let ranges: [Range<Int>]
  private let bytes: [Bytes]

  init(_ ranges: [Range<Int>], _ bytes: [Bytes]) {
    self.ranges = ranges
    self.bytes = bytes
  }

  func pieces(_ wanted: [Range<Int>], of key: ObjectKey) throws(QueryError) -> [Bytes] {
    var found: [Bytes] = []
    for range in wanted {
      guard
        let index = ranges.firstIndex(where: {
          $0.lowerBound <= range.lowerBound && range.upperBound <= $0.upperBound
        }), bytes[index].count == ranges[index].count
      else { throw .corrupt("\(key): the store gave fewer bytes than asked for") }
      let start = range.lowerBound - ranges[index].lowerBound
      found.append(bytes[index][start..<start + range.count])
    }
    return found
  }
}

extension LogField {
  /// The table's field.
  var schemaField: Field {
    LogField.fields[self]!
  }

  private static let fields: [LogField: Field] = {
    var fields: [LogField: Field] = [:]
    for field in LogField.allCases {
      guard let index = LakeTable.logs.schema.index(of: field.rawValue) else {
        preconditionFailure("the table logs has no column \(field.rawValue)")
      }
      fields[field] = LakeTable.logs.schema.fields[index]
    }
    return fields
  }()

  /// Files without field ids are met by the table's names.
  static let nameMapping = NameMapping(
    LakeTable.logs.schema.fields.map { field in
      NameMapping.Entry(
        fieldID: field.id, names: [field.name],
        fields: field.type.children.map { NameMapping.Entry(fieldID: $0.id, names: [$0.name]) })
    })
}
