/// What a schema, a partition spec and a sort order must keep to. Source: Iceberg table specification, "Schemas and Data
/// Types", "Partitioning", "Sorting".
package enum SchemaRules {
  /// Ids above are reserved for metadata columns.
  package static let fieldIDMax = 2_147_483_447
  package static let nestingMax = 64
  package static let partitionFieldIDMin = 1000

  package static func check(_ schema: Schema) throws(TableCommitError) {
    var seen = Set<Int>()
    try check(schema.fields, seen: &seen, depth: 0)
    for id in schema.identifierFieldIDs {
      guard let path = schema.path(to: id), let field = path.last else {
        throw .invalid("identifier field \(id) is not in the schema")
      }
      try checkIdentifier(field, path: path)
    }
  }

  private static func checkIdentifier(_ field: Field, path: [Field]) throws(TableCommitError) {
    switch field.type {
    case .float, .double: throw .invalid("identifier field \(field.name) is a floating point number")
    default: break
    }
    guard field.type.isPrimitive else { throw .invalid("identifier field \(field.name) is not primitive") }
    for parent in path {
      guard parent.isRequired else { throw .invalid("identifier field \(field.name) may be absent") }
      switch parent.type {
      case .list, .map: throw .invalid("identifier field \(field.name) lies in a list or map")
      default: break
      }
    }
  }

  private static func check(_ fields: [Field], seen: inout Set<Int>, depth: Int) throws(TableCommitError) {
    guard depth <= nestingMax else { throw .invalid("schema nested deeper than \(nestingMax)") }
    var names = Set<[UInt8]>()
    for field in fields {
      guard field.id > 0, field.id <= fieldIDMax else { throw .invalid("field id \(field.id) out of range") }
      guard seen.insert(field.id).inserted else { throw .invalid("field id \(field.id) used twice") }
      guard !field.name.isEmpty else { throw .invalid("field \(field.id) has no name") }
      guard names.insert(Array(field.name.utf8)).inserted else { throw .invalid("two fields named \(field.name)") }
      switch field.type {
      case .fixed(let length) where length < 0: throw .invalid("fixed[\(length)]")
      case .decimal(let precision, let scale) where !(1...38).contains(precision) || !(0...precision).contains(scale):
        throw .invalid("decimal(\(precision), \(scale))")
      default: break
      }
      try check(field.type.children, seen: &seen, depth: depth + 1)
    }
  }

  /// Columns of the same id must be of a type the old one can be promoted to.
  package static func checkEvolution(from old: Schema, to new: Schema) throws(TableCommitError) {
    for field in new.allFields {
      guard let before = old.field(id: field.id) else { continue }
      guard before.type.canPromote(to: field.type) else {
        throw .invalid("field \(field.id) (\(field.name)) cannot change from \(before.type) to \(field.type)")
      }
    }
  }

  package static func check(_ spec: PartitionSpec, schema: Schema) throws(TableCommitError) {
    var names = Set<[UInt8]>()
    var ids = Set<Int>()
    for field in spec.fields {
      guard field.fieldID >= partitionFieldIDMin else { throw .invalid("partition field id \(field.fieldID)") }
      guard ids.insert(field.fieldID).inserted else { throw .invalid("partition field id \(field.fieldID) used twice") }
      guard !field.name.isEmpty, names.insert(Array(field.name.utf8)).inserted else {
        throw .invalid("partition field name '\(field.name)' empty or used twice")
      }
      if field.transform == .void { continue }  // what a dropped field leaves behind; its source may be gone
      let source = try source(field.sourceID, of: "partition field \(field.name)", in: schema)
      guard field.transform.accepts(source.type) else {
        throw .invalid("partition field \(field.name): \(field.transform.text) does not take \(source.type)")
      }
      if let column = schema.fields.first(where: { $0.name == field.name }),
        field.transform != .identity || column.id != field.sourceID
      {
        throw .invalid("partition field \(field.name) has the name of a column")
      }
    }
  }

  package static func check(_ order: SortOrder, schema: Schema) throws(TableCommitError) {
    for field in order.fields {
      let source = try source(field.sourceID, of: "sort order \(order.id)", in: schema)
      guard field.transform.accepts(source.type) else {
        throw .invalid("sort order \(order.id): \(field.transform.text) does not take \(source.type)")
      }
    }
  }

  /// The primitive column with this id, not inside a list or map.
  private static func source(_ id: Int, of what: String, in schema: Schema) throws(TableCommitError) -> Field {
    guard let path = schema.path(to: id), let field = path.last else {
      throw .invalid("\(what): source column \(id) is not in the schema")
    }
    guard field.type.isPrimitive else { throw .invalid("\(what): source column \(field.name) is not primitive") }
    for parent in path.dropLast() {
      guard case .structure = parent.type else {
        throw .invalid("\(what): source column \(field.name) lies in a list or map")
      }
    }
    return field
  }
}

extension Schema {
  /// The fields from the top level down to the one with this id.
  package func path(to id: Int) -> [Field]? { Schema.path(to: id, in: fields) }

  private static func path(to id: Int, in fields: [Field]) -> [Field]? {
    for field in fields {
      if field.id == id { return [field] }
      if let rest = path(to: id, in: field.type.children) { return [field] + rest }
    }
    return nil
  }

  /// Every field at any depth, parents before children.
  package var allFields: [Field] { Schema.flatten(fields) }

  private static func flatten(_ fields: [Field]) -> [Field] { fields.flatMap { [$0] + flatten($0.type.children) } }

  /// The full name of the field with this id: `attributes.key`, `events.element.name`.
  package func fullName(of id: Int) -> String? { path(to: id).map { $0.map(\.name).joined(separator: ".") } }

  /// The field with this full name.
  package func field(named name: String) -> Field? {
    if let field = fields.first(where: { $0.name == name }) { return field }
    return allFields.first { fullName(of: $0.id) == name }
  }
}
