package import LakeSchema

/// A requested schema laid over a file's: which leaves are read, and how they become the requested columns.
///
/// Fields meet by field id. A file without ids is met through the name mapping, or by name when there is none. A
/// requested field that the file lacks is absent in every row; int widens to long, float to double, decimals to a greater
/// precision.
package struct Projection: Sendable {
  package let schema: Schema
  /// Leaves of the file that are read, ascending.
  package let leaves: [Int]
}

extension ParquetFile {
  /// - Throws: `.schemaMismatch` when a field cannot be made from the file's column of that id.
  package func projection(
    to schema: Schema, nameMapping: NameMapping? = nil
  ) throws(ParquetError) -> Projection { preconditionFailure("not yet") }

  /// The file's own top-level columns of these names, in the file's order.
  package func projection(names: Set<String>) throws(ParquetError) -> Projection { preconditionFailure("not yet") }
}

/// Iceberg's name mapping (`schema.name-mapping.default`): field ids for files that have none.
package struct NameMapping: Sendable, Hashable {
  package struct Entry: Sendable, Hashable {
    package var fieldID: Int?
    package var names: [String]
    package var fields: [Entry]

    package init(fieldID: Int?, names: [String], fields: [Entry] = []) {
      self.fieldID = fieldID
      self.names = names
      self.fields = fields
    }
  }
  package var entries: [Entry]

  package init(_ entries: [Entry]) { self.entries = entries }
}
