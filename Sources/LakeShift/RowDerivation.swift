package import LakeSchema
package import LakeWAL

/// Makes the rows of a table out of the rows of its topic (`events` out of those of `logs`).
package protocol RowDerivation: Sendable {
  /// Fields of the segments' rows that `derive` needs, given the table's schema.
  func source(for table: Schema) -> Schema
  /// Whether a row group may hold rows for the table: others are taken without being read.
  func needs(_ group: SegmentMetadata.RowGroup) -> Bool
  /// - Parameter rows: rows of `source`, of one partition.
  /// - Returns: rows of `table` in the same partition; may be empty.
  func derive(_ rows: ColumnBatch, table: Schema) throws -> ColumnBatch
}

extension RowDerivation {
  package func needs(_ group: SegmentMetadata.RowGroup) -> Bool { true }
}

/// The rows as they are.
package struct SameRows: RowDerivation {
  package init() {}
  package func source(for table: Schema) -> Schema { table }
  package func derive(_ rows: ColumnBatch, table: Schema) -> ColumnBatch { rows }
}
