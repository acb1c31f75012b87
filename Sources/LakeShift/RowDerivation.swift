package import LakeSchema

/// Makes the rows of a table out of the rows of its topic (`events` out of those of `logs`).
package protocol RowDerivation: Sendable {
  /// Fields of the segments' rows that `derive` needs, given the table's schema.
  func source(for table: Schema) -> Schema
  /// - Parameter rows: rows of `source`, of one partition.
  /// - Returns: rows of `table` in the same partition; may be empty.
  func derive(_ rows: ColumnBatch, table: Schema) throws -> ColumnBatch
}

/// The rows as they are.
package struct SameRows: RowDerivation {
  package init() {}
  package func source(for table: Schema) -> Schema { table }
  package func derive(_ rows: ColumnBatch, table: Schema) -> ColumnBatch { rows }
}
