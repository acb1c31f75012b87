import LakeModel
import LakeSchema

/// Rows of several batches in table order, column after column and run after run: besides the rows that came in, only what
/// was asked for last is held.
struct SortedMerge {
  let schema: Schema
  let count: Int
  /// Memory of the rows that came in.
  let memoryBytes: Int
  /// The rows in table order; equal ones in the order in which they came.
  private let order: [PartRows]
  /// Of each batch. Nothing once a column has been given up.
  private var parts: [[Column]]

  /// Runs of rows that a file's row groups are made of, ascending and covering all rows.
  let ranges: [Range<Int>]

  /// - Parameters:
  ///   - batches: at least one, all of one schema.
  ///   - rangeRows: how many rows make a run, told their number and their bytes.
  init(_ batches: [ColumnBatch], order: SortOrder, rangeRows: (_ count: Int, _ bytes: Int) -> Int) {
    schema = batches[0].schema
    let filled = batches.filter { $0.count > 0 }
    count = filled.reduce(0) { $0 + $1.count }
    memoryBytes = filled.reduce(0) { $0 + $1.memoryBytes }
    let step = count == 0 ? 1 : max(1, rangeRows(count, memoryBytes))
    ranges = stride(from: 0, to: count, by: step).map { [count] in $0..<min($0 + step, count) }
    let rows = SortedMerge.sorted(filled, order, schema, count)
    let places = PartRows(filled.map(\.count)).gather(rows)
    self.order = ranges.map { places.slice($0) }
    parts = schema.fields.indices.map { field in filled.map { $0.columns[field] } }
  }

  /// Takes the column of a field out of what came in and gives it, run by run, to `body`.
  mutating func takeColumn<E: Error>(_ field: Int, _ body: (_ range: Int, Column) throws(E) -> Void) throws(E) {
    guard !ranges.isEmpty else { return }
    let column = ColumnParts(parts[field])
    parts[field] = []
    for range in ranges.indices { try body(range, column.gather(order[range])) }
  }

  /// The row numbers of all batches, one after another, in table order.
  private static func sorted(
    _ batches: [ColumnBatch], _ order: SortOrder, _ schema: Schema, _ count: Int
  ) -> Buffer<Int32> {
    if batches.isEmpty { return Buffer([]) }
    let sortFields = Set(order.fields.map(\.sourceID))
    let keyed = schema.fields.indices.filter { sortFields.contains(schema.fields[$0].id) }
    let sorting = ColumnBatch(
      schema: Schema(id: schema.id, fields: keyed.map { schema.fields[$0] }),
      columns: keyed.map { field in Column.concatenate(batches.map { $0.columns[field] }) }, count: count)
    return sorting.sortedOrder(by: order)
  }
}
