package import LakeModel

/// Rows in columns: `columns[i]` holds the values of `schema.fields[i]`.
package struct ColumnBatch: Sendable {
  package let schema: Schema
  package let columns: [Column]
  /// Number of rows.
  package let count: Int

  package init(schema: Schema, columns: [Column], count: Int) {
    precondition(schema.fields.count == columns.count && columns.allSatisfy { $0.count == count })
    self.schema = schema
    self.columns = columns
    self.count = count
  }

  /// The column of a top-level field, by name.
  package func column(_ name: String) -> Column? { schema.index(of: name).map { columns[$0] } }
}
