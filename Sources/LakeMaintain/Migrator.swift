package import LakePorts
import LakeSchema

/// Creates the tables of the lake and brings older ones to the current schema.
package struct Migrator: Sendable {
  let catalog: any Catalog

  package enum Failure: Error, Sendable, CustomStringConvertible {
    case obstacle(MigrationPlanner.Obstacle)
    case catalog(CatalogError)
    /// `create` found a table that is already there and differs; `upgrade` would change it.
    case needsUpgrade([MigrationPlanner.Step])

    package var description: String {
      switch self {
      case .obstacle(let obstacle): "\(obstacle)"
      case .catalog(let error): "the catalog refused: \(error)"
      case .needsUpgrade(let steps):
        "tables of an older version are there; `migrate upgrade` would: \(steps.map(\.description).joined(separator: "; "))"
      }
    }
  }

  package init(catalog: any Catalog) { self.catalog = catalog }

  /// What `run` would do.
  package func plan() async throws(Failure) -> [MigrationPlanner.Step] {
    var existing: [String: TableMetadata] = [:]
    let hasNamespace: Bool
    do throws(CatalogError) {
      hasNamespace = try await catalog.listNamespaces().contains([LakeTable.namespace])
      for table in LakeTable.all {
        do throws(CatalogError) {
          existing[table.name] = try await catalog.loadTable(TableIdentifier(table)).metadata
        } catch .noSuchTable {
        } catch .noSuchNamespace {}
      }
    } catch { throw .catalog(error) }
    do throws(MigrationPlanner.Obstacle) {
      return try MigrationPlanner.plan(hasNamespace: hasNamespace, existing: existing)
    } catch { throw .obstacle(error) }
  }

  /// - Parameter upgrades: whether existing tables may be changed; otherwise only missing ones are created.
  /// - Returns: what was done. Another process may do the same at the same time: what it did first counts as done.
  package func run(upgrades: Bool) async throws(Failure) -> [MigrationPlanner.Step] {
    let steps = try await plan()
    let changes = steps.filter { if case .addColumns = $0 { true } else { false } }
    if !upgrades && !changes.isEmpty { throw .needsUpgrade(changes) }
    for step in steps {
      do throws(CatalogError) { try await carryOut(step) } catch { throw .catalog(error) }
    }
    return steps
  }

  private func carryOut(_ step: MigrationPlanner.Step) async throws(CatalogError) {
    switch step {
    case .createNamespace(let namespace):
      do throws(CatalogError) {
        try await catalog.createNamespace(namespace, properties: [:])
      } catch .namespaceExists {}
    case .createTable(let identifier):
      guard let table = LakeTable.all.first(where: { $0.name == identifier.name }) else { return }
      do throws(CatalogError) {
        _ = try await catalog.createTable(
          identifier,
          TableCreation(
            schema: table.schema, partitionSpec: table.partitionSpec, sortOrder: table.sortOrder,
            properties: Migrator.properties))
      } catch .tableExists {}
    case .addColumns(let identifier, let names): try await addColumns(identifier, names)
    }
  }

  private static let conflictsMax = 10

  private func addColumns(_ identifier: TableIdentifier, _ names: [String]) async throws(CatalogError) {
    guard let table = LakeTable.all.first(where: { $0.name == identifier.name }) else { return }
    for attempt in 1... {
      let metadata = try await catalog.loadTable(identifier).metadata
      guard var schema = metadata.schema else { throw .corrupt("\(identifier) has no current schema") }
      var last = metadata.lastColumnID
      for name in names where !schema.fields.contains(where: { $0.name == name }) {
        guard let field = table.schema.fields.first(where: { $0.name == name }) else { continue }
        last += 1
        let id = last
        schema.fields.append(Field(id, name, field.type.renumbered(&last), doc: field.doc))
      }
      if last == metadata.lastColumnID { return }
      schema.id = (metadata.schemas.map(\.id).max() ?? 0) + 1
      do throws(CatalogError) {
        _ = try await catalog.commit(
          identifier,
          requirements: [
            .assertTableUUID(metadata.tableUUID), .assertCurrentSchemaID(metadata.currentSchemaID),
            .assertLastAssignedFieldID(metadata.lastColumnID),
          ], updates: [.addSchema(schema), .setCurrentSchema(-1)])
        return
      } catch .conflict(let why) {
        if attempt >= Migrator.conflictsMax { throw .conflict(why) }
      }
    }
  }

  static let properties = [
    "write.format.default": "parquet",
    "write.parquet.compression-codec": "zstd",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "20",
  ]
}
