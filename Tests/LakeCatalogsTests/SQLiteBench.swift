import Foundation
import LakeCatalogs
import LakeModel
import LakePorts
import LakeSchema

/// A database file in a directory of its own, to be removed by the test.
final class SQLiteBench: Sendable {
  let directory: URL
  let store = MemoryObjectStore()
  let warehouse = WarehouseLocation(trusted: "memory://lake")

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent("icegate-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: directory) }

  var path: String { directory.appendingPathComponent("catalog.db").path }

  func catalog(
    store: (any ObjectStore)? = nil, name: String = "icegate", readsOnCallersThread: Bool = false
  ) -> SQLiteCatalog {
    SQLiteCatalog(
      path: path, name: name, store: store ?? self.store, warehouse: warehouse, random: TestRandomness(),
      wall: TestWall(), mayBlockHere: { readsOnCallersThread })
  }

  func metadataFiles() async throws -> [String] {
    try await store.listAll(prefix: "").map(\.key.text).filter { $0.hasSuffix(".metadata.json") }
  }
}

struct TestRandomness: Randomness {
  func next() -> UInt64 { UInt64.random(in: 0 ... .max) }
}

struct TestWall: WallClock {
  var now: Timestamp { Timestamp(nanoseconds: UInt64(Date().timeIntervalSince1970 * 1e9)) }
}

/// Fails every put of a metadata file in one way, before or after it was carried out.
struct FailingPuts: ObjectStore {
  let base: MemoryObjectStore
  let isCarriedOut: Bool
  let failure: @Sendable (ObjectKey) -> ObjectStoreError

  func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try await base.get(key, range: range)
  }
  func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await base.head(key) }
  func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError) -> ContentTag {
    if isCarriedOut { _ = try await base.put(key, bytes, condition: condition) }
    throw failure(key)
  }
  func delete(_ key: ObjectKey) async throws(ObjectStoreError) { try await base.delete(key) }
  func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int)
    async throws(ObjectStoreError) -> ObjectPage
  { try await base.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit) }
  func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try await base.beginUpload(key)
  }
}
