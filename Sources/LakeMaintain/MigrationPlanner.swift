package import LakePorts
package import LakeSchema

/// What it takes to bring the catalog's tables to what this version writes. Pure: decides, does nothing.
package enum MigrationPlanner {
  package enum Step: Hashable, Sendable, CustomStringConvertible {
    case createNamespace([String])
    case createTable(TableIdentifier)
    /// Appends columns, all nullable, to the current schema.
    case addColumns(TableIdentifier, [String])

    package var description: String {
      switch self {
      case .createNamespace(let name): "create namespace \(name.joined(separator: "."))"
      case .createTable(let table): "create table \(table)"
      case .addColumns(let table, let names): "add to table \(table): \(names.joined(separator: ", "))"
      }
    }
  }

  /// Why a table cannot be brought there without losing something.
  package enum Obstacle: Error, Hashable, Sendable, CustomStringConvertible {
    case otherType(TableIdentifier, column: String, found: FieldType, wanted: FieldType)
    case missingRequired(TableIdentifier, column: String)
    case otherPartitioning(TableIdentifier)

    package var description: String {
      switch self {
      case .otherType(let table, let column, let found, let wanted):
        "\(table): column \(column) has type \(found), this version writes \(wanted)"
      case .missingRequired(let table, let column): "\(table) has no column \(column), which is required"
      case .otherPartitioning(let table): "\(table) is not partitioned by tenant_id, account_id and day(timestamp)"
      }
    }
  }

  /// - Parameters:
  ///   - hasNamespace: whether `icegate` is there.
  ///   - existing: the tables that are there, by name.
  package static func plan(hasNamespace: Bool, existing: [String: TableMetadata], wanted: [LakeTable] = LakeTable.all)
    throws(Obstacle) -> [Step]
  {
    var steps: [Step] = hasNamespace ? [] : [.createNamespace([LakeTable.namespace])]
    for table in wanted {
      guard let metadata = existing[table.name] else {
        steps.append(.createTable(TableIdentifier(table)))
        continue
      }
      let missing = try missingColumns(of: table, in: metadata)
      if !missing.isEmpty { steps.append(.addColumns(TableIdentifier(table), missing.map(\.name))) }
    }
    return steps
  }

  /// Columns that this version writes and the table lacks. Ids are the catalog's to give: columns are known by name here.
  package static func missingColumns(of table: LakeTable, in metadata: TableMetadata) throws(Obstacle) -> [Field] {
    let name = TableIdentifier(table)
    let schema = metadata.schema ?? Schema(id: 0, fields: [])
    var missing: [Field] = []
    for field in table.schema.fields {
      guard let found = schema.fields.first(where: { $0.name == field.name }) else {
        if field.isRequired { throw .missingRequired(name, column: field.name) }
        missing.append(field)
        continue
      }
      guard found.type.isSame(as: field.type) else {
        throw .otherType(name, column: field.name, found: found.type, wanted: field.type)
      }
    }
    let partitioning = metadata.partitionSpec?.fields.map(\.transform)
    guard partitioning == table.partitionSpec.fields.map(\.transform) else { throw .otherPartitioning(name) }
    return missing
  }
}

extension FieldType {
  /// Equal but for field ids, which a catalog may have given anew.
  func isSame(as other: FieldType) -> Bool {
    switch (self, other) {
    case (.structure(let a), .structure(let b)):
      a.count == b.count && zip(a, b).allSatisfy { $0.name == $1.name && $0.type.isSame(as: $1.type) }
    case (.list(_, let a, _), .list(_, let b, _)): a.isSame(as: b)
    case (.map(_, let keyA, _, let valueA, _), .map(_, let keyB, _, let valueB, _)):
      keyA.isSame(as: keyB) && valueA.isSame(as: valueB)
    default: self == other
    }
  }

  /// The same type with every field id replaced by a fresh one, as adding a column needs.
  func renumbered(_ next: inout Int) -> FieldType {
    func fresh() -> Int {
      next += 1
      return next
    }
    switch self {
    case .structure(let fields):
      let ids = fields.map { _ in fresh() }
      return .structure(
        zip(fields, ids).map { field, id in
          Field(id, field.name, field.type.renumbered(&next), required: field.isRequired, doc: field.doc)
        })
    case .list(_, let element, let isRequired):
      let id = fresh()
      return .list(elementID: id, element: element.renumbered(&next), elementRequired: isRequired)
    case .map(_, let key, _, let value, let isRequired):
      let keyID = fresh()
      let valueID = fresh()
      return .map(
        keyID: keyID, key: key.renumbered(&next), valueID: valueID, value: value.renumbered(&next),
        valueRequired: isRequired)
    default: return self
    }
  }
}
