import LakeModel
package import LakeSchema

/// The strictest catalog: everything in memory, atomic, with no outcome ever unknown.
package actor MemoryCatalog: MultiTableCatalog {
  private var state: CatalogState
  private let random: any Randomness
  private let wall: any WallClock

  /// - Parameter warehouse: the location below which tables are put, `memory://lake`.
  package init(warehouse: WarehouseLocation, random: any Randomness, wall: any WallClock) {
    state = CatalogState(warehouse: warehouse.root)
    self.random = random
    self.wall = wall
  }

  private var now: Int64 { Int64(wall.now.nanoseconds / 1_000_000) }

  package func createNamespace(_ namespace: [String], properties: [String: String]) throws(CatalogError) {
    try state.createNamespace(namespace, properties: properties)
  }

  package func listNamespaces() throws(CatalogError) -> [[String]] { state.listNamespaces() }

  package func loadNamespace(_ namespace: [String]) throws(CatalogError) -> [String: String] {
    try state.loadNamespace(namespace)
  }

  package func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    throws(CatalogError)
  { try state.updateNamespace(namespace, setting: setting, removing: removing) }

  package func dropNamespace(_ namespace: [String]) throws(CatalogError) { try state.dropNamespace(namespace) }

  package func listTables(in namespace: [String]) throws(CatalogError) -> [TableIdentifier] {
    try state.listTables(in: namespace)
  }

  package func createTable(_ table: TableIdentifier, _ creation: TableCreation) throws(CatalogError) -> TableState {
    try state.createTable(table, creation, uuid: random.uuid(), metadataUUID: random.uuid(), now: now)
  }

  package func loadTable(_ table: TableIdentifier) throws(CatalogError) -> TableState { try state.loadTable(table) }

  package func commit(_ table: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate])
    throws(CatalogError) -> TableState
  { try state.commit(table, requirements: requirements, updates: updates, metadataUUID: random.uuid(), now: now) }

  package func commit(_ changes: [TableChange]) throws(CatalogError) {
    var changed = state
    for change in changes {
      _ = try changed.commit(
        change.table, requirements: change.requirements, updates: change.updates, metadataUUID: random.uuid(), now: now)
    }
    state = changed
  }

  package func registerTable(_ table: TableIdentifier, _ registered: TableState) throws(CatalogError) {
    try state.registerTable(table, registered)
  }

  package func dropTable(_ table: TableIdentifier) throws(CatalogError) { try state.dropTable(table) }

  package func renameTable(_ table: TableIdentifier, to target: TableIdentifier) throws(CatalogError) {
    try state.renameTable(table, to: target)
  }
}
