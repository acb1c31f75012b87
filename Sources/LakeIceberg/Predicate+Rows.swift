package import LakeModel
package import LakeSchema

extension Predicate {
  /// One byte per row: 1 where every term holds. A column that the batch lacks is absent in every row.
  ///
  /// For commits and other work that reads a file once, not for queries: a value at a time.
  package func matches(_ batch: ColumnBatch) -> Buffer<UInt8> {
    var matching = BufferBuilder<UInt8>(capacity: max(1, batch.count))
    matching.append(repeating: 1, count: batch.count)
    for term in terms {
      guard let index = batch.schema.fields.firstIndex(where: { $0.id == term.fieldID }) else {
        if !term.holds(of: nil) { for row in 0..<batch.count { matching[row] = 0 } }
        continue
      }
      let (column, type) = (batch.columns[index], batch.schema.fields[index].type)
      for row in 0..<batch.count where matching[row] != 0 {
        if !term.holds(of: column.datum(at: row, type)) { matching[row] = 0 }
      }
    }
    return matching.finish()
  }
}

extension Column {
  /// The value of a row of a primitive column; nil when it is absent.
  func datum(at row: Int, _ type: FieldType) -> Datum? {
    guard isPresent(row) else { return nil }
    switch (values, type) {
    case (.boolean(let values), _): return .boolean(values[row] != 0)
    case (.int32(let values), _): return .int(values[row])
    case (.int64(let values), _): return .long(values[row])
    case (.float(let values), _): return .float(values[row])
    case (.double(let values), _): return .double(values[row])
    case (_, .string): return .string(String(decoding: bytes(at: row), as: UTF8.self))
    case (_, .decimal):
      let bytes = bytes(at: row)
      let sign: Int128 = bytes.first.map { $0 & 0x80 != 0 ? -1 : 0 } ?? 0
      return .decimal(bytes.reduce(sign) { $0 << 8 | Int128($1) })
    default: return .binary(bytes(at: row))
    }
  }
}
