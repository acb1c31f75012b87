/// Iceberg's name mapping (`schema.name-mapping.default`): field ids for files that have none.
/// Source: Iceberg table specification, "Column Projection".
package struct NameMapping: Sendable, Hashable {
  package struct Entry: Sendable, Hashable {
    /// nil: a column of the files that the table does not have.
    package var fieldID: Int?
    /// What the field is called in one file or another; a dot belongs to a name.
    package var names: [String]
    /// Of a struct's fields, or of `element`, `key` and `value`.
    package var fields: [Entry]

    package init(fieldID: Int?, names: [String], fields: [Entry] = []) {
      self.fieldID = fieldID
      self.names = names
      self.fields = fields
    }
  }
  package var entries: [Entry]

  package init(_ entries: [Entry]) { self.entries = entries }

  /// Every field under its present name.
  package init(_ schema: Schema) { entries = NameMapping.entries(of: schema.fields) }

  private static func entries(of fields: [Field]) -> [Entry] {
    fields.map { Entry(fieldID: $0.id, names: [$0.name], fields: entries(of: $0.type.children)) }
  }
}
