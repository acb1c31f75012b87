package import LakeModel
package import LakeSchema

/// The rows that delete files take out of one data file.
///
///     var deletes = RowDeletes()
///     for delete in index.deletes(for: scan) {
///       for batch in batches(of: delete, schema: delete.schema(in: table)) { deletes.add(batch, of: delete, path: scan.file.path) }
///     }
///     let keep = deletes.keep(rows: firstRow..<firstRow + batch.count, of: batch)     // nil: all of them
package struct RowDeletes: Sendable {
  private var positions: Set<Int64> = []
  /// By the columns that must be equal, ascending ids.
  private var keys: [[Int]: Set<[UInt8]>] = [:]

  package init() {}

  package var isEmpty: Bool { positions.isEmpty && keys.isEmpty }

  /// Columns that `keep` needs besides those that a query asks for, ascending.
  package var columnsNeeded: [Int] { Set(keys.keys.joined()).sorted() }

  /// - Precondition: the batch has the columns of `delete.schema`.
  package mutating func add(_ batch: ColumnBatch, of delete: DeleteFile, path: String) {
    if delete.file.content == .positionDeletes {
      addPositions(batch, path: path)
      return
    }
    let ids = delete.file.equalityIDs.sorted()
    let columns = ids.map { Self.column($0, of: batch) }
    for row in 0..<batch.count { keys[ids, default: []].insert(Self.key(columns, row)) }
  }

  private mutating func addPositions(_ batch: ColumnBatch, path: String) {
    guard case .int64(let rows) = Self.column(DeleteFile.positionFieldID, of: batch).values else {
      preconditionFailure("positions are longs")
    }
    let paths = Self.column(DeleteFile.pathFieldID, of: batch)
    let wanted = Array(path.utf8)
    for row in 0..<batch.count where paths.bytes(at: row).elementsEqual(wanted) { positions.insert(rows[row]) }
  }

  /// - Parameters:
  ///   - rows: the batch's row numbers in the data file.
  ///   - batch: holds the columns of `columnsNeeded`, as the table has them.
  /// - Returns: one byte per row, 1 stays, 0 is deleted; nil when every row stays.
  package func keep(rows: Range<Int64>, of batch: ColumnBatch) -> Buffer<UInt8>? {
    precondition(rows.count == batch.count)
    var kept = BufferBuilder<UInt8>(capacity: batch.count)
    kept.append(repeating: 1, count: batch.count)
    var isAny = false
    for row in 0..<batch.count where positions.contains(rows.lowerBound + Int64(row)) {
      kept[row] = 0
      isAny = true
    }
    for (ids, deleted) in keys {  // any order gives the same result
      let columns = ids.map { Self.column($0, of: batch) }
      for row in 0..<batch.count where kept[row] != 0 && deleted.contains(Self.key(columns, row)) {
        kept[row] = 0
        isAny = true
      }
    }
    return isAny ? kept.finish() : nil
  }

  private static func column(_ id: Int, of batch: ColumnBatch) -> Column {
    guard let index = batch.schema.fields.firstIndex(where: { $0.id == id }) else {
      preconditionFailure("column \(id) was not read")
    }
    return batch.columns[index]
  }

  /// The values of a row as bytes that are equal when the values are: null equals null, NaN equals NaN.
  private static func key(_ columns: [Column], _ row: Int) -> [UInt8] {
    var key: [UInt8] = []
    for column in columns {
      guard column.isPresent(row) else {
        key.append(0)
        continue
      }
      key.append(1)
      switch column.values {
      case .boolean(let values): key.append(values[row])
      case .int32(let values): key += Datum.littleEndian(Int64(values[row]))
      case .int64(let values): key += Datum.littleEndian(values[row])
      case .float(let values): key += Datum.littleEndian(bits(Double(values[row])))
      case .double(let values): key += Datum.littleEndian(bits(values[row]))
      case .fixed, .bytes, .dictionary:
        let bytes = column.bytes(at: row)
        key += Datum.littleEndian(UInt32(truncatingIfNeeded: bytes.count))
        key += bytes
      case .list, .structure, .map: preconditionFailure("equality columns are primitive")
      }
    }
    return key
  }

  private static func bits(_ value: Double) -> UInt64 { value.isNaN ? Double.nan.bitPattern : value.bitPattern }
}

extension Column {
  /// The bytes of a present text, binary or fixed value.
  func bytes(at row: Int) -> [UInt8] {
    switch values {
    case .fixed(let data, let width): data.slice(row * width..<(row + 1) * width).array
    case .bytes(let offsets, let data): data.slice(Int(offsets[row])..<Int(offsets[row + 1])).array
    case .dictionary(let indices, let dictionary): dictionary.bytes(at: Int(indices[row]))
    default: preconditionFailure("not a column of bytes")
    }
  }
}
