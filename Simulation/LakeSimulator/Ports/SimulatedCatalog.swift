import LakeIceberg
import LakeModel
package import LakePorts
package import LakeSchema

/// The catalog at the far end of every link: atomic, and watched.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class CatalogCloud: @unchecked Sendable {
  package var state: CatalogState
  private let scheduler: Scheduler
  private let warehouse: WarehouseLocation
  private let store: StoreCloud
  private let random: LifeRandomness
  /// Whether metadata files are written, through the real codec. The engines never read them, the catalog has the state.
  package var writesMetadata = true
  /// Told of every commit: the table, what it was before (nil: it was created) and what it is now.
  var afterCommit: [(TableIdentifier, TableState?, TableState, Life) -> Void] = []

  init(warehouse: WarehouseLocation, store: StoreCloud, simulation: Simulation) {
    self.warehouse = warehouse
    self.store = store
    state = CatalogState(warehouse: warehouse.root)
    scheduler = simulation.scheduler
    random = LifeRandomness(simulation.random.fork("catalog"))
  }

  /// Milliseconds since the epoch.
  private var now: Int64 { Int64(JumpingWallClock.epoch / 1_000_000) + scheduler.now / 1_000_000 }

  /// The table now; nil when there is none.
  package func table(_ table: TableIdentifier) -> TableState? { try? state.loadTable(table) }

  func create(_ table: TableIdentifier, _ creation: TableCreation, by life: Life) throws(CatalogError) -> TableState {
    let created = try state.createTable(table, creation, uuid: random.uuid(), metadataUUID: random.uuid(), now: now)
    write(created, by: life)
    for listener in afterCommit { listener(table, nil, created, life) }
    return created
  }

  package func commit(
    _ table: TableIdentifier, _ requirements: [TableRequirement], _ updates: [TableUpdate], by life: Life
  ) throws(CatalogError) -> TableState {
    let before = self.table(table)
    let after = try state.commit(
      table, requirements: requirements, updates: updates, metadataUUID: random.uuid(), now: now)
    if after.metadataLocation != before?.metadataLocation { write(after, by: life) }
    for listener in afterCommit { listener(table, before, after, life) }
    return after
  }
}

extension CatalogCloud {
  /// The metadata file, as a catalog writes it: through the real codec, and read back to be the same.
  private func write(_ table: TableState, by life: Life) {
    guard writesMetadata else { return }
    let bytes = TableMetadataCodec.encode(table.metadata)
    do {
      guard try TableMetadataCodec.decode(bytes) == table.metadata else {
        preconditionFailure("\(table.metadataLocation) reads back as something else:\n\(bytes.text)")
      }
      let key = try warehouse.key(of: table.metadataLocation)
      guard case .success = store.put(key, bytes, .ifAbsent, by: life) else {
        preconditionFailure("\(key) is there already")
      }
    } catch {
      preconditionFailure("\(table.metadataLocation): \(error)")
    }
  }
}

/// A catalog as one life sees it: the cloud behind a link on which everything can happen.
package struct SimulatedCatalog: Catalog {
  let link: Link
  let cloud: CatalogCloud

  private static let errors = LinkErrors<CatalogError>(
    unavailable: { .unavailable($0) }, throttled: { .unavailable($0) }, unknown: { .outcomeUnknown($0) },
    cancelled: .cancelled)

  private func send<Value: Sendable>(
    _ operation: Operation, _ subject: String, _ effect: @escaping () throws(CatalogError) -> Value
  ) async throws(CatalogError) -> Value {
    try await link.send(operation, subject, SimulatedCatalog.errors) { () -> Result<Value, CatalogError> in
      do throws(CatalogError) { return .success(try effect()) } catch { return .failure(error) }
    }.get()
  }

  package func loadTable(_ table: TableIdentifier) async throws(CatalogError) -> TableState {
    try await send(.load, table.description) { () throws(CatalogError) in try cloud.state.loadTable(table) }
  }

  package func commit(_ table: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate])
    async throws(CatalogError) -> TableState
  {
    let life = link.life
    let isRefused = life.simulation.faults.occurs(.catalogConflict)
    return try await send(.commit, table.description) { () throws(CatalogError) in
      if isRefused { throw .conflict("another commit was being made") }
      return try cloud.commit(table, requirements, updates, by: life)
    }
  }

  package func createTable(_ table: TableIdentifier, _ creation: TableCreation) async throws(CatalogError) -> TableState
  {
    let life = link.life
    return try await send(.create, table.description) { () throws(CatalogError) in
      try cloud.create(table, creation, by: life)
    }
  }

  package func dropTable(_ table: TableIdentifier) async throws(CatalogError) {
    try await send(.drop, table.description) { () throws(CatalogError) in try cloud.state.dropTable(table) }
  }

  package func renameTable(_ table: TableIdentifier, to target: TableIdentifier) async throws(CatalogError) {
    try await send(.other, table.description) { () throws(CatalogError) in
      try cloud.state.renameTable(table, to: target)
    }
  }

  package func registerTable(_ table: TableIdentifier, _ state: TableState) async throws(CatalogError) {
    try await send(.other, table.description) { () throws(CatalogError) in
      try cloud.state.registerTable(table, state)
    }
  }

  package func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier] {
    try await send(.load, "tables") { () throws(CatalogError) in try cloud.state.listTables(in: namespace) }
  }

  package func createNamespace(_ namespace: [String], properties: [String: String]) async throws(CatalogError) {
    try await send(.create, "namespace") { () throws(CatalogError) in
      try cloud.state.createNamespace(namespace, properties: properties)
    }
  }

  package func listNamespaces() async throws(CatalogError) -> [[String]] {
    try await send(.load, "namespaces") { () throws(CatalogError) in cloud.state.listNamespaces() }
  }

  package func loadNamespace(_ namespace: [String]) async throws(CatalogError) -> [String: String] {
    try await send(.load, "namespace") { () throws(CatalogError) in try cloud.state.loadNamespace(namespace) }
  }

  package func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    async throws(CatalogError)
  {
    try await send(.other, "namespace") { () throws(CatalogError) in
      try cloud.state.updateNamespace(namespace, setting: setting, removing: removing)
    }
  }

  package func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    try await send(.drop, "namespace") { () throws(CatalogError) in try cloud.state.dropNamespace(namespace) }
  }
}
