import LakeModel
package import LakePorts
package import LakeSchema

/// A catalog in one SQLite file, shared with other processes and other engines; metadata files go through the object store.
///
/// A commit writes its metadata file under a fresh name, then swaps the pointer with `UPDATE ... WHERE metadata_location =
/// old`: the swap is the commit, everything before it leaves no trace but an orphan file.
package struct SQLiteCatalog: Catalog {
  private let database: SQLiteCatalogDatabase
  private let files: MetadataFiles
  private let tables: String
  private let random: any Randomness
  private let wall: any WallClock

  /// How often a load starts over when the pointer moved and the old metadata file was cleaned away under it.
  static let loadAttemptsMax = 5

  /// Opens nothing yet; the file is created when first needed.
  /// - Parameters:
  ///   - path: of the database file; its directory exists.
  ///   - name: the catalog's name in the file, which PyIceberg's users give to `SqlCatalog`.
  ///   - warehouse: maps locations to keys of `store`.
  ///   - tables: below it tables without a location of their own are put; nil: the store's root.
  package init(
    path: String, name: String = "icegate", store: any ObjectStore, warehouse: WarehouseLocation,
    tables: String? = nil, random: any Randomness, wall: any WallClock
  ) {
    database = SQLiteCatalogDatabase(path: path, catalog: name)
    files = MetadataFiles(store: store, warehouse: warehouse)
    self.tables = TableMetadata.withoutTrailingSlash(tables ?? warehouse.root)
    self.random = random
    self.wall = wall
  }

  private var now: Int64 { Int64(wall.now.nanoseconds / 1_000_000) }

  // MARK: namespaces

  package func createNamespace(_ namespace: [String], properties: [String: String]) async throws(CatalogError) {
    try CatalogRules.check(namespace: namespace)
    let parent = namespace.count > 1 ? namespace.dropLast().joined(separator: ".") : nil
    do {
      try await database.createNamespace(
        namespace.joined(separator: "."), parent: parent, properties: properties)
    } catch { throw error.catalogError }
  }

  package func listNamespaces() async throws(CatalogError) -> [[String]] {
    do {
      let names = try await database.listNamespaces()
      // Other engines may leave out the namespaces around one that they create.
      let all = names.map(SQLiteCatalogDatabase.levels).flatMap { levels in
        (1...levels.count).map { Array(levels.prefix($0)) }
      }
      return Set(all).sorted { $0.lexicographicallyPrecedes($1) { $0.utf8.precedes($1.utf8) } }
    } catch { throw error.catalogError }
  }

  package func loadNamespace(_ namespace: [String]) async throws(CatalogError) -> [String: String] {
    do { return try await database.loadNamespace(namespace.joined(separator: ".")) } catch { throw error.catalogError }
  }

  package func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    async throws(CatalogError)
  {
    try CatalogRules.checkUpdate(setting: setting, removing: removing)
    do {
      try await database.updateNamespace(namespace.joined(separator: "."), setting: setting, removing: removing)
    } catch { throw error.catalogError }
  }

  package func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    do { try await database.dropNamespace(namespace.joined(separator: ".")) } catch { throw error.catalogError }
  }

  // MARK: tables

  package func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier] {
    do {
      return try await database.listTables(in: namespace.joined(separator: "."))
        .map { TableIdentifier(namespace: namespace, name: $0) }.sorted()
    } catch { throw error.catalogError }
  }

  package func loadTable(_ table: TableIdentifier) async throws(CatalogError) -> TableState {
    guard let state = try await find(table) else { throw .noSuchTable(table) }
    return state
  }

  private func find(_ table: TableIdentifier) async throws(CatalogError) -> TableState? {
    var last: String?
    for _ in 0..<Self.loadAttemptsMax {
      guard let pointer = try await pointer(of: table) else { return nil }
      if pointer == last { throw .corrupt("\(table): \(pointer) is missing") }
      do {
        return TableState(metadata: try await files.read(pointer), metadataLocation: pointer)
      } catch .notFound {
        last = pointer
      } catch { throw error.catalogError }
    }
    throw .unavailable("\(table): its metadata files go faster than they are read")
  }

  private func pointer(of table: TableIdentifier) async throws(CatalogError) -> String? {
    do {
      return try await database.pointer(of: table.name, in: table.namespace.joined(separator: "."))
    } catch { throw error.catalogError }
  }

  package func createTable(_ table: TableIdentifier, _ creation: TableCreation) async throws(CatalogError) -> TableState
  {
    let location = try await locationForNewTable(table, wanted: creation.location)
    let metadata: TableMetadata
    do {
      metadata = try TableMetadata.creating(
        uuid: random.uuid(), location: location, schema: creation.schema, partitionSpec: creation.partitionSpec,
        sortOrder: creation.sortOrder, properties: creation.properties, now: now)
    } catch { throw CatalogRules.error(of: error) }
    return try await enterNew(table, metadata)
  }

  /// Two tables never share a location, so that cleaning up after one cannot touch the other.
  private func locationForNewTable(_ table: TableIdentifier, wanted: String?) async throws(CatalogError) -> String {
    try CatalogRules.check(table)
    do {
      try await database.checkFree(table)
      if let wanted { return wanted }
      let standard = ([tables] + table.namespace + [table.name]).joined(separator: "/")
      return try await database.isLocationTaken(standard) ? "\(standard)-\(random.uuid().prefix(8))" : standard
    } catch { throw error.catalogError }
  }

  private func enterNew(_ table: TableIdentifier, _ metadata: TableMetadata) async throws(CatalogError) -> TableState {
    let location = MetadataFileName.next(for: metadata, after: nil, uuid: random.uuid())
    do { try await files.write(metadata, to: location) } catch { throw error.catalogError }
    do { try await database.insertTable(table, pointer: location) } catch {
      if case .rule = error { await files.delete([location]) }
      throw error.catalogError
    }
    return TableState(metadata: metadata, metadataLocation: location)
  }

  package func commit(_ table: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate])
    async throws(CatalogError) -> TableState
  {
    guard let base = try await find(table) else {
      guard requirements.contains(.assertCreate) else { throw .noSuchTable(table) }
      return try await create(table, requirements: requirements, updates: updates)
    }
    let metadata: TableMetadata
    do {
      metadata = try base.metadata.applying(
        requirements: requirements, updates: updates, now: now, previousLocation: base.metadataLocation)
    } catch { throw CatalogRules.error(of: error) }
    if metadata == base.metadata { return base }
    return try await swap(table, base: base, metadata: metadata)
  }

  private func create(
    _ table: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate]
  ) async throws(CatalogError) -> TableState {
    _ = try await locationForNewTable(table, wanted: "")
    let metadata: TableMetadata
    do {
      metadata = try TableMetadata.creating(requirements: requirements, updates: updates, now: now)
    } catch { throw CatalogRules.error(of: error) }
    do { return try await enterNew(table, metadata) } catch {
      if case .tableExists = error { throw .conflict("\(table) was created meanwhile") }
      throw error
    }
  }

  private func swap(_ table: TableIdentifier, base: TableState, metadata: TableMetadata)
    async throws(CatalogError) -> TableState
  {
    let location = MetadataFileName.next(for: metadata, after: base.metadataLocation, uuid: random.uuid())
    do { try await files.write(metadata, to: location) } catch { throw error.catalogError }
    let isSwapped: Bool
    do { isSwapped = try await database.swapPointer(of: table, from: base.metadataLocation, to: location) } catch {
      throw error.catalogError
    }
    guard isSwapped else {
      await files.delete([location])  // certainly nobody's
      throw .conflict("\(table): another commit came first")
    }
    await files.delete(Self.metadataFilesPast(base.metadata, metadata))
    return TableState(metadata: metadata, metadataLocation: location)
  }

  /// The files that fell out of the metadata log, where the table asks for them to go.
  private static func metadataFilesPast(_ base: TableMetadata, _ metadata: TableMetadata) -> [String] {
    guard metadata.properties.flag(TableProperties.metadataDeleteAfterCommit, default: false) else { return [] }
    let kept = Set(metadata.metadataLog.map(\.metadataFile))
    return base.metadataLog.map(\.metadataFile).filter { !kept.contains($0) }
  }

  package func registerTable(_ table: TableIdentifier, _ state: TableState) async throws(CatalogError) {
    try CatalogRules.check(table)
    do { try await database.insertTable(table, pointer: state.metadataLocation) } catch { throw error.catalogError }
  }

  package func dropTable(_ table: TableIdentifier) async throws(CatalogError) {
    do { try await database.deleteTable(table) } catch { throw error.catalogError }
  }

  package func renameTable(_ table: TableIdentifier, to target: TableIdentifier) async throws(CatalogError) {
    try CatalogRules.check(target)
    do { try await database.renameTable(table, to: target) } catch { throw error.catalogError }
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
