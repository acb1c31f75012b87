package import LakeModel
package import LakeSchema

/// The rows that delete files take out of one data file.
///
///     var deletes = RowDeletes()
///     for delete in index.deletes(for: scan) {
///       for batch in batches(of: delete, schema: delete.schema(in: table)) { deletes.add(batch, of: delete, path: scan.file.path) }
///     }
///     let keep = deletes.keep(rows: firstRow..<firstRow + batch.count, of: batch)     // nil: all of them
///
/// Memory: 8 bytes for each position of the file, once, and for each distinct run of equality values its bytes (numbers 9,
/// text 5 more than it has) and 24 more; twice that while it grows. `memoryBytes` says how much, so that a caller can stop.
package struct RowDeletes: Sendable {
  /// Ascending, each once.
  private var positions: [Int64] = []
  /// By the columns that must be equal, ascending ids.
  private var keys: [[Int]: ByteKeySet] = [:]

  package init() {}

  package var isEmpty: Bool { positions.isEmpty && keys.isEmpty }

  package var memoryBytes: Int { keys.values.reduce(positions.capacity * 8) { $0 + $1.memoryBytes } }

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
    var set = keys.removeValue(forKey: ids) ?? ByteKeySet()
    var key: [UInt8] = []
    for row in 0..<batch.count {
      Self.key(columns, row, into: &key)
      set.insert(key)
    }
    keys[ids] = set
  }

  private mutating func addPositions(_ batch: ColumnBatch, path: String) {
    guard case .int64(let rows) = Self.column(DeleteFile.positionFieldID, of: batch).values else {
      preconditionFailure("positions are longs")
    }
    let isOfFile = Self.column(DeleteFile.pathFieldID, of: batch).equality(with: Array(path.utf8))
    var added: [Int64] = []
    for row in 0..<batch.count where isOfFile(row) { added.append(rows[row]) }
    guard !added.isEmpty else { return }
    let isInOrder = zip(added, added.dropFirst()).allSatisfy { $0 < $1 }
    if isInOrder && positions.last.map({ $0 < added[0] }) ?? true {
      positions += added
    } else {
      positions += added
      positions.sort()
      var kept = 1
      for index in 1..<positions.count where positions[index] != positions[kept - 1] {
        positions[kept] = positions[index]
        kept += 1
      }
      positions.removeLast(positions.count - kept)
    }
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
    for position in positions[firstPosition(from: rows.lowerBound)...] {
      if position >= rows.upperBound { break }
      kept[Int(position - rows.lowerBound)] = 0
      isAny = true
    }
    var key: [UInt8] = []
    for (ids, deleted) in keys {  // any order gives the same result
      let columns = ids.map { Self.column($0, of: batch) }
      for row in 0..<batch.count where kept[row] != 0 {
        Self.key(columns, row, into: &key)
        if deleted.contains(key) {
          kept[row] = 0
          isAny = true
        }
      }
    }
    return isAny ? kept.finish() : nil
  }

  private func firstPosition(from row: Int64) -> Int {
    var (low, high) = (0, positions.count)
    while low < high {
      let middle = (low + high) / 2
      if positions[middle] < row { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func column(_ id: Int, of batch: ColumnBatch) -> Column {
    guard let index = batch.schema.fields.firstIndex(where: { $0.id == id }) else {
      preconditionFailure("column \(id) was not read")
    }
    return batch.columns[index]
  }

  /// The values of a row as bytes that are equal when the values are: null equals null, NaN equals NaN.
  private static func key(_ columns: [Column], _ row: Int, into key: inout [UInt8]) {
    key.removeAll(keepingCapacity: true)
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
  }

  private static func bits(_ value: Double) -> UInt64 { value.isNaN ? Double.nan.bitPattern : value.bitPattern }
}

extension Column {
  /// Tells which rows of a text column hold exactly these bytes; entries of a dictionary are compared once.
  fileprivate func equality(with wanted: [UInt8]) -> (Int) -> Bool {
    if case .dictionary(let indices, let dictionary) = values {
      let isEntry = (0..<dictionary.count).map(dictionary.equality(with: wanted))
      return { isEntry[Int(indices[$0])] }
    }
    guard case .bytes(let offsets, let data) = values else { preconditionFailure("paths are text") }
    return { row in
      data.slice(Int(offsets[row])..<Int(offsets[row + 1])).withValues { run in
        wanted.withUnsafeBytes { ByteOrder.areEqual(UnsafeRawBufferPointer(run), $0) }
      }
    }
  }

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
