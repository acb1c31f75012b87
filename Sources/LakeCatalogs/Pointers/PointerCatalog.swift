import LakeModel
package import LakePorts
package import LakeSchema

/// A catalog whose tables are metadata files in the object store, and pointers to them somewhere else.
///
/// A commit writes its metadata file under a fresh name, then swaps the pointer: the swap is the commit, everything before
/// it leaves no trace but an orphan file.
package struct PointerCatalog<Pointers: TablePointers>: Catalog {
  let pointers: Pointers
  let files: MetadataFiles
  let random: any Randomness
  private let wall: any WallClock

  /// How often a load starts over when the pointer moved and the old metadata file was cleaned away under it.
  private let loadAttemptsMax = 5

  /// - Parameter warehouse: maps locations to keys of `store`.
  package init(
    pointers: Pointers, store: any ObjectStore, warehouse: WarehouseLocation, random: any Randomness,
    wall: any WallClock
  ) {
    self.pointers = pointers
    files = MetadataFiles(store: store, warehouse: warehouse)
    self.random = random
    self.wall = wall
  }

  var now: Int64 { Int64(wall.now.nanoseconds / 1_000_000) }

  // MARK: namespaces

  package func createNamespace(_ namespace: [String], properties: [String: String]) async throws(CatalogError) {
    try CatalogRules.check(namespace: namespace)
    try await pointers.createNamespace(namespace, properties: properties)
  }

  package func listNamespaces() async throws(CatalogError) -> [[String]] {
    // Other engines may leave out the namespaces around one that they create.
    let all = try await pointers.listNamespaces().flatMap { levels in
      levels.isEmpty ? [] : (1...levels.count).map { Array(levels.prefix($0)) }
    }
    return Set(all).sorted { $0.lexicographicallyPrecedes($1) { $0.utf8.precedes($1.utf8) } }
  }

  package func loadNamespace(_ namespace: [String]) async throws(CatalogError) -> [String: String] {
    try await pointers.loadNamespace(namespace)
  }

  package func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    async throws(CatalogError)
  {
    try CatalogRules.checkUpdate(setting: setting, removing: removing)
    try await pointers.updateNamespace(namespace, setting: setting, removing: removing)
  }

  package func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    try await pointers.dropNamespace(namespace)
  }

  // MARK: tables

  package func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier] {
    try await pointers.listTables(in: namespace).map { TableIdentifier(namespace: namespace, name: $0) }.sorted()
  }

  package func loadTable(_ table: TableIdentifier) async throws(CatalogError) -> TableState {
    guard let found = try await find(table) else { throw .noSuchTable(table) }
    return found.state
  }

  func find(_ table: TableIdentifier) async throws(CatalogError) -> (state: TableState, pointer: TablePointer)? {
    var last: String?
    for _ in 0..<loadAttemptsMax {
      guard let pointer = try await pointers.pointer(of: table) else { return nil }
      if pointer.location == last { throw .corrupt("\(table): \(pointer.location) is missing") }
      do {
        let metadata = try await files.read(pointer.location)
        return (TableState(metadata: metadata, metadataLocation: pointer.location), pointer)
      } catch .notFound {
        last = pointer.location
      } catch { throw error.catalogError }
    }
    throw .unavailable("\(table): its metadata files go faster than they are read")
  }

  package func createTable(_ table: TableIdentifier, _ creation: TableCreation) async throws(CatalogError) -> TableState
  {
    try CatalogRules.check(table)
    let reservation = try await pointers.reserve(table, location: creation.location)
    let metadata: TableMetadata
    do {
      metadata = try TableMetadata.creating(
        uuid: random.uuid(), location: reservation.location, schema: creation.schema,
        partitionSpec: creation.partitionSpec, sortOrder: creation.sortOrder, properties: creation.properties, now: now)
    } catch {
      await pointers.release(table, reservation)
      throw CatalogRules.error(of: error)
    }
    return try await enterNew(table, reservation, metadata)
  }

  private func enterNew(_ table: TableIdentifier, _ reservation: TableReservation, _ metadata: TableMetadata)
    async throws(CatalogError) -> TableState
  {
    let location = MetadataFileName.next(for: metadata, after: nil, uuid: random.uuid())
    do { try await files.write(metadata, to: location) } catch {
      await pointers.release(table, reservation)
      throw error.catalogError
    }
    do { try await pointers.enter(table, reservation, location: location) } catch {
      switch error {
      case .tableExists, .noSuchNamespace, .invalid, .conflict:
        await files.delete([location])  // certainly nobody's
        await pointers.release(table, reservation)
      default: break
      }
      throw error
    }
    return TableState(metadata: metadata, metadataLocation: location)
  }

  package func commit(_ table: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate])
    async throws(CatalogError) -> TableState
  {
    guard let (base, pointer) = try await find(table) else {
      guard requirements.contains(.assertCreate) else { throw .noSuchTable(table) }
      return try await create(table, requirements: requirements, updates: updates)
    }
    let metadata: TableMetadata
    do {
      metadata = try base.metadata.applying(
        requirements: requirements, updates: updates, now: now, previousLocation: base.metadataLocation)
    } catch { throw CatalogRules.error(of: error) }
    if metadata == base.metadata { return base }
    return try await swap(table, base: base, pointer: pointer, metadata: metadata)
  }

  private func create(_ table: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate])
    async throws(CatalogError) -> TableState
  {
    try CatalogRules.check(table)
    let metadata: TableMetadata
    do {
      metadata = try TableMetadata.creating(requirements: requirements, updates: updates, now: now)
    } catch { throw CatalogRules.error(of: error) }
    do {
      let reservation = try await pointers.reserve(table, location: metadata.location)
      return try await enterNew(table, reservation, metadata)
    } catch {
      if case .tableExists = error { throw .conflict("\(table) was created meanwhile") }
      throw error
    }
  }

  private func swap(_ table: TableIdentifier, base: TableState, pointer: TablePointer, metadata: TableMetadata)
    async throws(CatalogError) -> TableState
  {
    let location = MetadataFileName.next(for: metadata, after: base.metadataLocation, uuid: random.uuid())
    do { try await files.write(metadata, to: location) } catch { throw error.catalogError }
    guard try await isSwapped(table, from: pointer, to: location) else {
      await files.delete([location])  // certainly nobody's
      throw .conflict("\(table): another commit came first")
    }
    await files.delete(Self.metadataFilesPast(base.metadata, metadata))
    return TableState(metadata: metadata, metadataLocation: location)
  }

  private func isSwapped(_ table: TableIdentifier, from pointer: TablePointer, to location: String)
    async throws(CatalogError) -> Bool
  {
    switch try await pointers.swap(table, from: pointer, to: location) {
    case .swapped: return true
    case .lost: return false
    case .movedOn(let now):
      do {
        return try await files.read(now).metadataLog.contains { $0.metadataFile == location }
      } catch { throw .outcomeUnknown("\(table): \(error.catalogError)") }
    }
  }

  /// The files that fell out of the metadata log, where the table asks for them to go.
  static func metadataFilesPast(_ base: TableMetadata, _ metadata: TableMetadata) -> [String] {
    guard metadata.properties.flag(TableProperties.metadataDeleteAfterCommit, default: false) else { return [] }
    let kept = Set(metadata.metadataLog.map(\.metadataFile))
    return base.metadataLog.map(\.metadataFile).filter { !kept.contains($0) }
  }

  package func registerTable(_ table: TableIdentifier, _ state: TableState) async throws(CatalogError) {
    try CatalogRules.check(table)
    let reservation = try await pointers.reserve(table, location: state.metadata.location)
    do {
      try await pointers.enter(table, reservation, location: state.metadataLocation)
    } catch {
      if case .tableExists = error { await pointers.release(table, reservation) }
      throw error
    }
  }

  package func dropTable(_ table: TableIdentifier) async throws(CatalogError) { try await pointers.remove(table) }

  package func renameTable(_ table: TableIdentifier, to target: TableIdentifier) async throws(CatalogError) {
    try CatalogRules.check(target)
    try await pointers.rename(table, to: target)
  }
}
