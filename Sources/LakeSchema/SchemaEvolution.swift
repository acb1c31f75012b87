/// Changes of a table's top-level columns: a schema with the same ids for what stays and fresh ones for what is new, so that
/// files that are there already are read right.
///
///     var evolution = try SchemaEvolution(of: metadata)
///     try evolution.rename("n", to: "number")
///     catalog.commit(table, requirements: evolution.requirements, updates: evolution.updates)
package struct SchemaEvolution: Sendable {
  package private(set) var schema: Schema
  private let old: Schema
  private let tableUUID: String
  private var lastColumnID: Int

  /// - Throws: `.invalid` for a table without a current schema.
  package init(of table: TableMetadata) throws(TableCommitError) {
    guard let schema = table.schema else { throw .invalid("no current schema") }
    self.schema = schema
    old = schema
    tableUUID = table.tableUUID
    lastColumnID = table.lastColumnID
  }

  /// Adds an optional column at the end, with ids of its own at every depth. It is absent in the rows that are there.
  package mutating func add(_ name: String, _ type: FieldType, doc: String? = nil) throws(TableCommitError) {
    guard schema.index(of: name) == nil else { throw .invalid("there is a column \(name)") }
    schema.fields.append(Field(nextID(), name, fresh(type), doc: doc))
  }

  package mutating func drop(_ name: String) throws(TableCommitError) { schema.fields.remove(at: try index(name)) }

  package mutating func rename(_ name: String, to newName: String) throws(TableCommitError) {
    guard schema.index(of: newName) == nil else { throw .invalid("there is a column \(newName)") }
    schema.fields[try index(name)].name = newName
  }

  /// Int to long, float to double, decimal to more digits.
  package mutating func widen(_ name: String, to type: FieldType) throws(TableCommitError) {
    let index = try index(name)
    guard schema.fields[index].type.isPrimitive, schema.fields[index].type.canPromote(to: type) else {
      throw .invalid("column \(name) cannot change from \(schema.fields[index].type) to \(type)")
    }
    schema.fields[index].type = type
  }

  /// A required column becomes optional; the other way round is not possible.
  package mutating func makeOptional(_ name: String) throws(TableCommitError) {
    schema.fields[try index(name)].isRequired = false
  }

  package mutating func move(_ name: String, to position: Int) throws(TableCommitError) {
    let field = schema.fields.remove(at: try index(name))
    schema.fields.insert(field, at: min(max(0, position), schema.fields.count))
  }

  /// Nothing when nothing changed.
  package var updates: [TableUpdate] {
    schema.fields == old.fields ? [] : [.addSchema(schema), .setCurrentSchema(-1)]
  }

  /// The table is the one that was read, and no other column got the ids meanwhile.
  package var requirements: [TableRequirement] {
    [.assertTableUUID(tableUUID), .assertCurrentSchemaID(old.id)]
  }

  private func index(_ name: String) throws(TableCommitError) -> Int {
    guard let index = schema.index(of: name) else { throw .invalid("no column \(name)") }
    return index
  }

  private mutating func nextID() -> Int {
    lastColumnID += 1
    return lastColumnID
  }

  private mutating func fresh(_ type: FieldType) -> FieldType {
    switch type {
    case .structure(let fields):
      var renumbered: [Field] = []
      for var field in fields {
        field.id = nextID()
        field.type = fresh(field.type)
        renumbered.append(field)
      }
      return .structure(renumbered)
    case .list(_, let element, let isRequired):
      let id = nextID()
      return .list(elementID: id, element: fresh(element), elementRequired: isRequired)
    case .map(_, let key, _, let value, let isRequired):
      let (keyID, valueID) = (nextID(), nextID())
      return .map(keyID: keyID, key: fresh(key), valueID: valueID, value: fresh(value), valueRequired: isRequired)
    default: return type
    }
  }
}
