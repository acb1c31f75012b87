import Foundation
import LakeCatalogs
import LakeModel
import LakePorts
import LakeSchema
import PortContracts
import Testing

@Suite("the object-store catalog")
struct ObjectStoreCatalogTests {
  static let warehouse = WarehouseLocation(trusted: "memory://lake")
  static let table = TableIdentifier(LakeTable.logs)

  static func catalog(_ store: any ObjectStore, tables: String? = nil) throws -> ObjectStoreCatalog {
    try ObjectStoreCatalog(
      store: store, warehouse: warehouse, tables: tables, random: TestRandomness(), wall: TestWall())
  }

  @Test("keeps the contract of catalogs", arguments: CatalogContract.checks)
  func contract(check: CatalogContract.Check) async throws {
    try await check.run(.init(catalog: Self.catalog(MemoryObjectStore()), namespace: "contract"))
  }

  @Test("keeps it when all checks share one store, below a folder")
  func sharedContract() async throws {
    let catalog = try Self.catalog(MemoryObjectStore(), tables: "memory://lake/a/b/")
    #expect(await CatalogContract.failures(of: catalog, prefix: "ns") == [])
  }

  @Test("keeps it while one reply in four is lost, some before and some after the put was carried out")
  func lostReplies() async throws {
    let store = LossyStore(base: MemoryObjectStore())
    let writer = try Self.catalog(store)
    let steady = try Self.catalog(store.base)
    _ = try await steady.ensureTable(Self.table, TableCreation(.logs))
    var acknowledged = 0
    for step in 0..<60 {
      do {
        _ = try await writer.commit(Self.table, requirements: [], updates: [.setProperties(["step-\(step)": "x"])])
        acknowledged += 1
      } catch .unavailable {
        // The metadata file's put: certainly not committed.
        #expect(try await steady.loadTable(Self.table).metadata.properties["step-\(step)"] == nil)
        continue
      }
      #expect(try await steady.loadTable(Self.table).metadata.properties["step-\(step)"] == "x")
    }
    #expect(acknowledged > 20)
  }

  @Test("a rename that came halfway is nothing, or is carried to its end by whoever looks")
  func halfRename() async throws {
    for stop in 1...3 {
      let store = MemoryObjectStore()
      let steady = try Self.catalog(store)
      let state = try await steady.ensureTable(Self.table, TableCreation(.logs))
      let target = TableIdentifier(namespace: ["icegate"], name: "renamed")
      let dying = try Self.catalog(DyingStore(base: store, puts: stop - 1))
      let isTold = await Self.holds { try await dying.renameTable(Self.table, to: target) }
      #expect(isTold == (stop == 3))
      let tables = try await steady.listTables(in: ["icegate"])
      // The second put is the rename; the third only tidies up, and the answer does not wait for it.
      #expect(tables == (stop <= 2 ? [Self.table] : [target]), "stopped before put \(stop)")
      #expect(try await steady.loadTable(tables[0]) == state)
      // Both names can be used again.
      let free = stop <= 2 ? target : Self.table
      _ = try await steady.createTable(free, TableCreation(.spans))
      #expect(try await steady.listTables(in: ["icegate"]) == [Self.table, target])
      #expect(try await steady.loadTable(tables[0]) == state)
    }
  }

  @Test("a creation that takes a reserved name keeps the rename from happening")
  func forestalledRename() async throws {
    let store = MemoryObjectStore()
    let catalog = try Self.catalog(store)
    let state = try await catalog.ensureTable(Self.table, TableCreation(.logs))
    let target = TableIdentifier(namespace: ["icegate"], name: "taken")
    let other = LockedCatalogs(catalog: catalog, target: target)
    // Between the reservation and the rename itself somebody creates a table of that name.
    let slow = try Self.catalog(HookedStore(base: store, beforePut: 2) { try await other.create() })
    await #expect(throws: CatalogError.tableExists(target)) { try await slow.renameTable(Self.table, to: target) }
    #expect(try await catalog.loadTable(Self.table) == state)
    #expect(try await catalog.loadTable(target).metadata.tableUUID != state.metadata.tableUUID)
  }

  @Test("a namespace dropped while a table is put into it stays, or the table is not made")
  func dropRace() async throws {
    for _ in 0..<40 {
      let catalog = try Self.catalog(MemoryObjectStore())
      try await catalog.createNamespace(["n"], properties: [:])
      let table = TableIdentifier(namespace: ["n"], name: "t")
      async let drop: Bool = Self.holds { try await catalog.dropNamespace(["n"]) }
      async let create: Bool = Self.holds { _ = try await catalog.createTable(table, TableCreation(.logs)) }
      let (dropped, created) = await (drop, create)
      let names = try await catalog.listNamespaces()
      #expect(created || dropped)
      if created { #expect(names == [["n"]]) }
      if created { _ = try await catalog.loadTable(table) }
      if dropped && !created { #expect(names == []) }
    }
  }

  private static func holds(_ body: () async throws -> Void) async -> Bool {
    do { try await body() } catch { return false }
    return true
  }

  @Test("garbage in place of a pointer is corrupt, not absent")
  func garbage() async throws {
    let store = MemoryObjectStore()
    let catalog = try Self.catalog(store)
    _ = try await catalog.ensureTable(Self.table, TableCreation(.logs))
    let key = ObjectKey(trusted: ".icegate-catalog/tables/icegate/logs")
    let good = try await store.get(key).bytes
    for length in 0..<good.count {
      _ = try await store.put(key, good[0..<length], condition: .none)
      do {
        _ = try await catalog.loadTable(Self.table)
        Issue.record("loaded from \(length) bytes")
      } catch {
        guard case .corrupt = error else {
          Issue.record("\(error)")
          continue
        }
      }
    }
  }
}

struct LockedCatalogs: Sendable {
  let catalog: ObjectStoreCatalog
  let target: TableIdentifier
  func create() async throws { _ = try await catalog.createTable(target, TableCreation(.spans)) }
}

/// Loses every fourth reply of a put, by turns before and after it was carried out.
final class LossyStore: ObjectStore, @unchecked Sendable {  // `count` is guarded by `lock`
  let base: MemoryObjectStore
  private let lock = NSLock()
  private var count = 0
  init(base: MemoryObjectStore) { self.base = base }

  private func next() -> Int {
    lock.lock()
    defer { lock.unlock() }
    count += 1
    return count
  }

  func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError) -> ContentTag {
    let turn = next()
    if turn % 8 == 4 { throw .outcomeUnknown(key, "lost before") }
    let tag = try await base.put(key, bytes, condition: condition)
    if turn % 8 == 0 { throw .outcomeUnknown(key, "lost after") }
    return tag
  }
  func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try await base.get(key, range: range)
  }
  func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await base.head(key) }
  func delete(_ key: ObjectKey) async throws(ObjectStoreError) { try await base.delete(key) }
  func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int)
    async throws(ObjectStoreError) -> ObjectPage
  { try await base.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit) }
  func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try await base.beginUpload(key)
  }
}

/// Carries out so many puts, then nothing any more; runs a hook before one of them.
final class HookedStore: ObjectStore, @unchecked Sendable {  // `count` is guarded by `lock`
  let base: MemoryObjectStore
  private let lock = NSLock()
  private var count = 0
  private let beforePut: Int
  private let hook: @Sendable () async throws -> Void

  init(base: MemoryObjectStore, beforePut: Int, hook: @escaping @Sendable () async throws -> Void) {
    self.base = base
    self.beforePut = beforePut
    self.hook = hook
  }

  private func next() -> Int {
    lock.lock()
    defer { lock.unlock() }
    count += 1
    return count
  }

  func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError) -> ContentTag {
    if next() == beforePut { do { try await hook() } catch { throw .unavailable("\(error)") } }
    return try await base.put(key, bytes, condition: condition)
  }
  func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try await base.get(key, range: range)
  }
  func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await base.head(key) }
  func delete(_ key: ObjectKey) async throws(ObjectStoreError) { try await base.delete(key) }
  func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int)
    async throws(ObjectStoreError) -> ObjectPage
  { try await base.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit) }
  func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try await base.beginUpload(key)
  }
}

/// A process that dies after so many puts: nothing reaches the store any more.
final class DyingStore: ObjectStore, @unchecked Sendable {  // `left` is guarded by `lock`
  let base: MemoryObjectStore
  private let lock = NSLock()
  private var left: Int
  init(base: MemoryObjectStore, puts: Int) {
    self.base = base
    left = puts
  }

  private func isAlive() -> Bool {
    lock.lock()
    defer { lock.unlock() }
    left -= 1
    return left >= 0
  }

  func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError) -> ContentTag {
    guard isAlive() else { throw .cancelled }
    return try await base.put(key, bytes, condition: condition)
  }
  func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try await base.get(key, range: range)
  }
  func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await base.head(key) }
  func delete(_ key: ObjectKey) async throws(ObjectStoreError) { throw .cancelled }
  func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int)
    async throws(ObjectStoreError) -> ObjectPage
  { try await base.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit) }
  func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try await base.beginUpload(key)
  }
}
