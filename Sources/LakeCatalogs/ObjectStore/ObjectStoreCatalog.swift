import LakeModel
package import LakePorts
import LakeSchema

/// A catalog that needs no service: one pointer object per table beside the tables, swapped by If-Match.
package typealias ObjectStoreCatalog = PointerCatalog<ObjectStorePointers>

extension ObjectStoreCatalog {
  /// - Parameters:
  ///   - warehouse: maps locations to keys of `store`.
  ///   - tables: below it the tables and the pointers lie; nil: the store's root.
  package init(
    store: any ObjectStore, warehouse: WarehouseLocation, tables: String? = nil, random: any Randomness,
    wall: any WallClock
  ) throws(WarehouseError) {
    let root = TableMetadata.withoutTrailingSlash(tables ?? warehouse.root)
    let probe = try warehouse.key(of: "\(root)/\(ObjectStorePointers.folder)")
    let pointers = ObjectStorePointers(
      store: store, warehouse: warehouse, tables: root, folder: probe.text, random: random)
    self.init(pointers: pointers, store: store, warehouse: warehouse, random: random, wall: wall)
  }
}

/// Pointers in objects of their own. Every change is one conditional put; nothing is ever deleted.
package struct ObjectStorePointers: TablePointers {
  /// No namespace's name holds a dot, so no table lies here.
  static let folder = ".icegate-catalog"

  private let store: any ObjectStore
  let objects: ConditionalObjects
  private let warehouse: WarehouseLocation
  private let tables: String
  private let folder: String
  let random: any Randomness

  /// How often an answer is worked out anew because others changed what it depends on.
  static let turnsMax = 16
  /// Objects read at once by a listing.
  private static let readsMax = 16

  init(
    store: any ObjectStore, warehouse: WarehouseLocation, tables: String, folder: String, random: any Randomness
  ) {
    self.store = store
    objects = ConditionalObjects(store: store)
    self.warehouse = warehouse
    self.tables = tables
    self.folder = folder
    self.random = random
  }

  func key(_ table: TableIdentifier) throws(CatalogError) -> ObjectKey {
    guard let key = ObjectKey("\(tablesPrefix(table.namespace))\(table.name)") else { throw .noSuchTable(table) }
    return key
  }

  func key(_ namespace: [String]) throws(CatalogError) -> ObjectKey {
    guard !namespace.isEmpty, let key = ObjectKey("\(namespacesPrefix)\(namespace.joined(separator: "."))") else {
      throw .noSuchNamespace(namespace)
    }
    return key
  }

  func tablesPrefix(_ namespace: [String]) -> String { "\(folder)/tables/\(namespace.joined(separator: "."))/" }
  var namespacesPrefix: String { "\(folder)/namespaces/" }

  // MARK: one pointer

  struct Found: Sendable {
    let object: PointerObject
    let tag: ContentTag
  }

  func read(_ table: TableIdentifier) async throws(CatalogError) -> Found? {
    let key = try key(table)
    guard let found = try await objects.read(key) else { return nil }
    return Found(object: try PointerObject(found.bytes, key: key), tag: found.tag)
  }

  /// What is there once renames that came halfway are taken into account: a table or nothing.
  ///
  /// A rename that has happened is carried to its end here, so that the next change starts from a plain state.
  func settled(_ table: TableIdentifier) async throws(CatalogError) -> Found? {
    for _ in 0..<Self.turnsMax {
      guard let found = try await read(table) else { return nil }
      switch found.object.state {
      case .table, .gone: return found
      case .arriving(let from, let rename, let location):
        guard case .left(_, rename)? = try await read(from)?.object.state else { return found }
        try await finish(table, found, location)
      case .left(let to, let rename):
        // The name may be used again once the other end stands on its own.
        guard let there = try await read(to), case .arriving(_, rename, let location) = there.object.state else {
          return found
        }
        try await finish(to, there, location)
      }
    }
    throw .unavailable("\(table) changes faster than it is read")
  }

  private func finish(_ table: TableIdentifier, _ found: Found, _ location: String) async throws(CatalogError) {
    let object = PointerObject(.table(location: location), nonce: random.uuid())
    _ = try await objects.replace(try key(table), found.tag, with: object.encoded())
  }

  package func pointer(of table: TableIdentifier) async throws(CatalogError) -> TablePointer? {
    guard let found = try await settled(table), case .table(let location) = found.object.state else { return nil }
    return TablePointer(location: location, token: found.tag.text)
  }

  package func swap(_ table: TableIdentifier, from old: TablePointer, to location: String) async throws(CatalogError)
    -> SwapOutcome
  {
    let object = PointerObject(.table(location: location), nonce: random.uuid())
    switch try await objects.replace(try key(table), ContentTag(old.token), with: object.encoded()) {
    case .written: return .swapped
    case .refused: return .lost
    case .overtaken:
      guard let now = try await pointer(of: table) else {
        throw .outcomeUnknown("\(table) was dropped or renamed while its commit was under way")
      }
      return .movedOn(now.location)
    }
  }

  // MARK: creation

  package func reserve(_ table: TableIdentifier, location: String?) async throws(CatalogError) -> TableReservation {
    _ = try await loadNamespace(table.namespace)
    let found = try await settled(table)
    if case .table? = found?.object.state { throw .tableExists(table) }
    if let location { return TableReservation(location: location) }
    let standard = ([tables] + table.namespace + [table.name]).joined(separator: "/")
    return TableReservation(
      location: try await isUsed(standard) ? "\(standard)-\(random.uuid().prefix(8))" : standard)
  }

  /// Whether a table was ever made there: two never share a location, so that cleaning up after one cannot touch the other.
  private func isUsed(_ location: String) async throws(CatalogError) -> Bool {
    let key: ObjectKey
    do { key = try warehouse.key(of: location) } catch { throw .invalid("\(error)") }
    do {
      let page = try await store.list(prefix: key.text + "/", delimiter: nil, startAfter: nil, limit: 1)
      return !page.objects.isEmpty || !page.prefixes.isEmpty
    } catch { throw ConditionalObjects.error(error) }
  }

  package func enter(_ table: TableIdentifier, _ reservation: TableReservation, location: String)
    async throws(CatalogError)
  {
    let object = PointerObject(.table(location: location), nonce: random.uuid())
    try await put(object, at: table)
    try await keepNamespace(of: table.namespace)
  }

  /// Puts a pointer where no table is.
  /// - Throws: `.tableExists`.
  func put(_ object: PointerObject, at table: TableIdentifier) async throws(CatalogError) {
    for _ in 0..<Self.turnsMax {
      let found = try await settled(table)
      switch found?.object.state {
      case .table: throw .tableExists(table)
      case .arriving(let from, let rename, _): try await forestall(from, rename)
      case .gone, .left, nil: break
      }
      switch try await objects.replace(try key(table), found?.tag, with: object.encoded()) {
      case .written: return
      case .refused, .overtaken: continue
      }
    }
    throw .unavailable("\(table) changes faster than it is read")
  }

  // MARK: the rest

  package func remove(_ table: TableIdentifier) async throws(CatalogError) {
    for _ in 0..<Self.turnsMax {
      guard let found = try await settled(table), case .table = found.object.state else { throw .noSuchTable(table) }
      let object = PointerObject(.gone, nonce: random.uuid())
      switch try await objects.replace(try key(table), found.tag, with: object.encoded()) {
      case .written: return
      case .refused: continue  // a commit came first
      case .overtaken: throw .outcomeUnknown("\(table): whether it was dropped in between is not known")
      }
    }
    throw .unavailable("\(table) changes faster than it is read")
  }

  package func listTables(in namespace: [String]) async throws(CatalogError) -> [String] {
    _ = try await loadNamespace(namespace)
    return try await liveTables(in: namespace)
  }

  func liveTables(in namespace: [String]) async throws(CatalogError) -> [String] {
    let prefix = tablesPrefix(namespace)
    let names = try await list(prefix).map {
      String(decoding: $0.text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }
    return try await filter(names) { (name) throws(CatalogError) in
      try await pointer(of: TableIdentifier(namespace: namespace, name: name)) != nil
    }
  }

  func list(_ prefix: String) async throws(CatalogError) -> [ObjectKey] {
    do { return try await store.listAll(prefix: prefix).map(\.key) } catch { throw ConditionalObjects.error(error) }
  }

  /// Those that hold, asked a few at a time, in order.
  func filter(
    _ names: [String], _ holds: @escaping @Sendable (String) async throws(CatalogError) -> Bool
  ) async throws(CatalogError) -> [String] {
    let answers = try await concurrently(names, limit: Self.readsMax, holds)
    return zip(names, answers).filter(\.1).map(\.0)
  }
}
