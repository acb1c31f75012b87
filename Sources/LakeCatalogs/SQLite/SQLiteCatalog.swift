import LakeModel
package import LakePorts
import LakeSchema

/// A catalog in one SQLite file, shared with other processes and other engines; metadata files go through the object store.
package typealias SQLiteCatalog = PointerCatalog<SQLitePointers>

extension SQLiteCatalog {
  /// Opens nothing yet; the file is created when first needed.
  /// - Parameters:
  ///   - path: of the database file; its directory exists.
  ///   - name: the catalog's name in the file, which PyIceberg's users give to `SqlCatalog`.
  ///   - warehouse: maps locations to keys of `store`.
  ///   - tables: below it tables without a location of their own are put; nil: the store's root.
  ///   - mayBlockHere: whether the calling thread may wait for a disk; pointers are then read on it.
  package init(
    path: String, name: String = "icegate", store: any ObjectStore, warehouse: WarehouseLocation,
    tables: String? = nil, random: any Randomness, wall: any WallClock,
    mayBlockHere: @escaping @Sendable () -> Bool = { false }
  ) {
    let pointers = SQLitePointers(
      database: SQLiteCatalogDatabase(path: path, catalog: name),
      reader: SQLitePointerReader(path: path, mayBlockHere: mayBlockHere),
      tables: TableMetadata.withoutTrailingSlash(tables ?? warehouse.root), random: random)
    self.init(pointers: pointers, store: store, warehouse: warehouse, random: random, wall: wall)
  }
}

/// Pointers in the rows of `iceberg_tables`: `UPDATE ... WHERE metadata_location = old` is the commit.
package struct SQLitePointers: MultiTablePointers {
  let database: SQLiteCatalogDatabase
  let reader: SQLitePointerReader
  let tables: String
  let random: any Randomness

  package func pointer(of table: TableIdentifier) async throws(CatalogError) -> TablePointer? {
    let namespace = table.namespace.joined(separator: ".")
    if let rows = reader.rows([database.catalog, namespace, table.name]) {
      return rows.first.flatMap { $0[0] }.map { TablePointer(location: $0) }
    }
    do {
      let location = try await database.pointer(of: table.name, in: namespace)
      reader.prepare(await database.pointerStatement)
      return location.map { TablePointer(location: $0) }
    } catch { throw error.catalogError }
  }

  /// Two tables never share a location, so that cleaning up after one cannot touch the other.
  package func reserve(_ table: TableIdentifier, location: String?) async throws(CatalogError) -> TableReservation {
    do {
      try await database.checkFree(table)
      if let location { return TableReservation(location: location) }
      let standard = ([tables] + table.namespace + [table.name]).joined(separator: "/")
      let isTaken = try await database.isLocationTaken(standard)
      return TableReservation(location: isTaken ? "\(standard)-\(random.uuid().prefix(8))" : standard)
    } catch { throw error.catalogError }
  }

  package func enter(_ table: TableIdentifier, _ reservation: TableReservation, location: String)
    async throws(CatalogError)
  {
    do { try await database.insertTable(table, pointer: location) } catch { throw error.catalogError }
  }

  package func swap(_ table: TableIdentifier, from old: TablePointer, to location: String) async throws(CatalogError)
    -> SwapOutcome
  {
    do { return try await database.swapPointer(of: table, from: old.location, to: location) ? .swapped : .lost } catch {
      throw error.catalogError
    }
  }

  package func swapAll(_ swaps: [PointerSwap]) async throws(CatalogError) -> Bool {
    do { return try await database.swapPointers(swaps) } catch { throw error.catalogError }
  }

  package func remove(_ table: TableIdentifier) async throws(CatalogError) {
    do { try await database.deleteTable(table) } catch { throw error.catalogError }
  }

  package func rename(_ table: TableIdentifier, to target: TableIdentifier) async throws(CatalogError) {
    do { try await database.renameTable(table, to: target) } catch { throw error.catalogError }
  }

  package func listTables(in namespace: [String]) async throws(CatalogError) -> [String] {
    do { return try await database.listTables(in: namespace.joined(separator: ".")) } catch {
      throw error.catalogError
    }
  }

  package func listNamespaces() async throws(CatalogError) -> [[String]] {
    do { return try await database.listNamespaces().map(SQLiteCatalogDatabase.levels) } catch {
      throw error.catalogError
    }
  }

  package func createNamespace(_ namespace: [String], properties: [String: String]) async throws(CatalogError) {
    let parent = namespace.count > 1 ? namespace.dropLast().joined(separator: ".") : nil
    do {
      try await database.createNamespace(namespace.joined(separator: "."), parent: parent, properties: properties)
    } catch { throw error.catalogError }
  }

  package func loadNamespace(_ namespace: [String]) async throws(CatalogError) -> [String: String] {
    do { return try await database.loadNamespace(namespace.joined(separator: ".")) } catch { throw error.catalogError }
  }

  package func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    async throws(CatalogError)
  {
    do {
      try await database.updateNamespace(namespace.joined(separator: "."), setting: setting, removing: removing)
    } catch { throw error.catalogError }
  }

  package func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    do { try await database.dropNamespace(namespace.joined(separator: ".")) } catch { throw error.catalogError }
  }
}

extension SQLiteFailure {
  var catalogError: CatalogError {
    switch self {
    case .rule(let error): error
    case .unknown(let error): .outcomeUnknown("sqlite \(error.code): \(error.message)")
    case .notDone(let error):
      switch error.kind {
      case 3, 8, 23: .denied("sqlite \(error.code): \(error.message)")  // PERM, READONLY, AUTH
      case 11, 26: .corrupt("sqlite \(error.code): \(error.message)")  // CORRUPT, NOTADB
      default: .unavailable("sqlite \(error.code): \(error.message)")
      }
    }
  }
}
