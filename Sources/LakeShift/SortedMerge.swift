import LakeModel
import LakeSchema

/// Rows of several batches in table order.
enum SortedMerge {
  /// Merges column by column, so that besides the rows that came in and those that go out only one column is held twice.
  /// Equal rows keep the order in which they came.
  static func merged(_ parts: [ColumnBatch], order: SortOrder) -> ColumnBatch {
    let filled = parts.filter { $0.count > 0 }
    guard let first = filled.first else { return parts[0] }
    let schema = first.schema
    let sortFields = Set(order.fields.map(\.sourceID))
    let count = filled.reduce(0) { $0 + $1.count }
    var columns = [Column?](repeating: nil, count: schema.fields.count)
    for (index, field) in schema.fields.enumerated() where sortFields.contains(field.id) {
      columns[index] = Column.concatenate(filled.map { $0.columns[index] })
    }
    let keyed = schema.fields.indices.filter { columns[$0] != nil }
    let sorting = ColumnBatch(
      schema: Schema(id: schema.id, fields: keyed.map { schema.fields[$0] }), columns: keyed.map { columns[$0]! },
      count: count)
    let rows = sorting.sortedOrder(by: order)
    var pending = filled.map(\.columns)
    for index in schema.fields.indices {
      let whole = columns[index] ?? Column.concatenate(pending.map { $0[index] })
      columns[index] = whole.gather(rows)
      for part in pending.indices { pending[part][index] = SortedMerge.nothing }
    }
    return ColumnBatch(schema: schema, columns: columns.map { $0! }, count: count)
  }

  /// Stands where a column has been taken from.
  private static let nothing = Column(.boolean(Buffer([])), count: 0)
}
