package import LakeModel

extension ColumnBatch {
  /// The rows named, in that order. See `Column.gather`.
  package func gather(_ rows: Buffer<Int32>) -> ColumnBatch {
    ColumnBatch(schema: schema, columns: columns.map { $0.gather(rows) }, count: rows.count)
  }

  /// A range of rows, sharing memory.
  package func slice(_ range: Range<Int>) -> ColumnBatch {
    if range.lowerBound == 0 && range.upperBound == count { return self }
    return ColumnBatch(schema: schema, columns: columns.map { $0.slice(range) }, count: range.count)
  }

  /// Rows of one schema, batch after batch. See `Column.concatenate`.
  ///
  /// - Precondition: `batches` is not empty and all have the schema of the first.
  package static func concatenate(_ batches: [ColumnBatch], unitesDictionaries: Bool = true) -> ColumnBatch {
    if batches.count == 1 { return batches[0] }
    let schema = batches[0].schema
    precondition(batches.allSatisfy { $0.columns.count == schema.fields.count })
    let columns = schema.fields.indices.map { index in
      Column.concatenate(batches.map { $0.columns[index] }, unitesDictionaries: unitesDictionaries)
    }
    return ColumnBatch(schema: schema, columns: columns, count: batches.reduce(0) { $0 + $1.count })
  }

  /// The same rows with unused dictionary entries dropped. See `Column.compacted`.
  package func compacted() -> ColumnBatch {
    ColumnBatch(schema: schema, columns: columns.map { $0.compacted() }, count: count)
  }

  /// Bytes of memory the rows take; see `Column.memoryBytes`.
  package var memoryBytes: Int { columns.reduce(0) { $0 + $1.memoryBytes } }
}
