package import LakeSchema

/// A catalog as a value: what `MemoryCatalog` guards, and what the simulator puts faults around.
///
/// Every operation is atomic and either answers or throws; nothing is ever unknown here.
package struct CatalogState: Sendable {
  private var namespaces: [[String]: [String: String]] = [:]
  private var tables: [TableIdentifier: TableState] = [:]
  /// Every metadata location that ever stood behind a name: a pointer's content never repeats (PRT-2).
  private var usedLocations: Set<String> = []
  private let warehouse: String

  /// - Parameter warehouse: below it tables without a location of their own are put.
  package init(warehouse: String) { self.warehouse = TableMetadata.withoutTrailingSlash(warehouse) }

  // MARK: namespaces

  package mutating func createNamespace(_ namespace: [String], properties: [String: String]) throws(CatalogError) {
    try CatalogRules.check(namespace: namespace)
    if namespace.count > 1 { _ = try loadNamespace(Array(namespace.dropLast())) }
    guard namespaces[namespace] == nil else { throw .namespaceExists(namespace) }
    namespaces[namespace] = properties
  }

  /// Ascending.
  package func listNamespaces() -> [[String]] {
    namespaces.keys.sorted { $0.lexicographicallyPrecedes($1) { $0.utf8.precedes($1.utf8) } }
  }

  package func loadNamespace(_ namespace: [String]) throws(CatalogError) -> [String: String] {
    guard let properties = namespaces[namespace] else { throw .noSuchNamespace(namespace) }
    return properties
  }

  package mutating func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    throws(CatalogError)
  {
    var properties = try loadNamespace(namespace)
    try CatalogRules.checkUpdate(setting: setting, removing: removing)
    properties.merge(setting) { $1 }
    for name in removing { properties[name] = nil }
    namespaces[namespace] = properties
  }

  package mutating func dropNamespace(_ namespace: [String]) throws(CatalogError) {
    _ = try loadNamespace(namespace)
    let hasTable = tables.keys.contains { $0.namespace == namespace }
    let hasChild = namespaces.keys.contains { $0.count > namespace.count && $0.starts(with: namespace) }
    guard !hasTable, !hasChild else { throw .namespaceNotEmpty(namespace) }
    namespaces[namespace] = nil
  }

  // MARK: tables

  package func listTables(in namespace: [String]) throws(CatalogError) -> [TableIdentifier] {
    _ = try loadNamespace(namespace)
    return tables.keys.filter { $0.namespace == namespace }.sorted()
  }

  package func loadTable(_ table: TableIdentifier) throws(CatalogError) -> TableState {
    guard let state = tables[table] else { throw .noSuchTable(table) }
    return state
  }

  /// - Parameters:
  ///   - uuid: of the table and, made distinct, of its first metadata file.
  ///   - now: milliseconds since the epoch.
  package mutating func createTable(
    _ table: TableIdentifier, _ creation: TableCreation, uuid: String, metadataUUID: String, now: Int64
  ) throws(CatalogError) -> TableState {
    try checkFree(table)
    let metadata: TableMetadata
    do {
      metadata = try TableMetadata.creating(
        uuid: uuid, location: creation.location ?? freeLocation(for: table, uuid: uuid), schema: creation.schema,
        partitionSpec: creation.partitionSpec, sortOrder: creation.sortOrder, properties: creation.properties, now: now)
    } catch { throw CatalogRules.error(of: error) }
    return try enter(table, metadata, previous: nil, metadataUUID: metadataUUID)
  }

  /// Two tables never share a location, so that cleaning up after one cannot touch the other.
  private func freeLocation(for table: TableIdentifier, uuid: String) -> String {
    let wanted = ([warehouse] + table.namespace + [table.name]).joined(separator: "/")
    let isTaken = usedLocations.contains { $0.hasPrefix(wanted + "/") }
    return isTaken ? "\(wanted)-\(uuid.prefix(8))" : wanted
  }

  package mutating func commit(
    _ table: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate], metadataUUID: String, now: Int64
  ) throws(CatalogError) -> TableState {
    do {
      guard let base = tables[table] else {
        guard requirements.contains(.assertCreate) else { throw CatalogError.noSuchTable(table) }
        try checkFree(table)
        let metadata = try TableMetadata.creating(requirements: requirements, updates: updates, now: now)
        return try enter(table, metadata, previous: nil, metadataUUID: metadataUUID)
      }
      let metadata = try base.metadata.applying(
        requirements: requirements, updates: updates, now: now, previousLocation: base.metadataLocation)
      if metadata == base.metadata { return base }
      return try enter(table, metadata, previous: base.metadataLocation, metadataUUID: metadataUUID)
    } catch let error as TableCommitError {
      throw CatalogRules.error(of: error)
    } catch let error as CatalogError {
      throw error
    } catch {
      preconditionFailure("only the two kinds of errors above are thrown: \(error)")
    }
  }

  private mutating func enter(
    _ table: TableIdentifier, _ metadata: TableMetadata, previous: String?, metadataUUID: String
  ) throws(CatalogError) -> TableState {
    let state = TableState(
      metadata: metadata,
      metadataLocation: MetadataFileName.next(for: metadata, after: previous, uuid: metadataUUID))
    guard usedLocations.insert(state.metadataLocation).inserted else {
      throw .invalid("metadata location \(state.metadataLocation) was used before")
    }
    tables[table] = state
    return state
  }

  package mutating func registerTable(_ table: TableIdentifier, _ state: TableState) throws(CatalogError) {
    try checkFree(table)
    usedLocations.insert(state.metadataLocation)
    tables[table] = state
  }

  package mutating func dropTable(_ table: TableIdentifier) throws(CatalogError) {
    guard tables.removeValue(forKey: table) != nil else { throw .noSuchTable(table) }
  }

  package mutating func renameTable(_ table: TableIdentifier, to target: TableIdentifier) throws(CatalogError) {
    guard let state = tables[table] else { throw .noSuchTable(table) }
    try checkFree(target)
    tables[table] = nil
    tables[target] = state
  }

  private func checkFree(_ table: TableIdentifier) throws(CatalogError) {
    try CatalogRules.check(table)
    _ = try loadNamespace(table.namespace)
    guard tables[table] == nil else { throw .tableExists(table) }
  }
}
