package import LakeModel
private import Synchronization

/// Objects in memory: the reference that the other stores are measured by, and the strictest of them.
///
/// Tags never repeat; keys a filesystem could not hold are denied; uploads take no small parts and replace nothing.
package final class MemoryObjectStore: ObjectStore, Sendable {
  private let table = Mutex(ObjectTable())
  private let wall: (any WallClock)?
  /// Most entries of one page, whatever the caller asks for.
  private let pageEntriesMax: Int

  /// - Parameter wall: what `modified` is taken from; without one it is 0.
  package init(wall: (any WallClock)? = nil, pageEntriesMax: Int = 1000) {
    precondition(pageEntriesMax >= 1)
    self.wall = wall
    self.pageEntriesMax = pageEntriesMax
  }

  private var modified: Int64 { wall.map { Int64($0.now.nanoseconds / 1_000_000) } ?? 0 }

  package func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try table.withLock { table throws(ObjectStoreError) in try table.get(key, range: range) }
  }

  package func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
    try table.withLock { table throws(ObjectStoreError) in try table.head(key) }
  }

  package func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError)
    -> ContentTag
  {
    let modified = modified
    return try table.withLock { table throws(ObjectStoreError) in
      try table.put(key, bytes, condition: condition, modified: modified)
    }
  }

  package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
    _ = table.withLock { table in table.delete(key) }
  }

  package func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int)
    async throws(ObjectStoreError) -> ObjectPage
  {
    let limit = min(limit, pageEntriesMax)
    return table.withLock { table in
      table.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit)
    }
  }

  package func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    MemoryUpload(store: self, key: key)
  }
}

private final class MemoryUpload: ObjectUpload, Sendable {
  private let store: MemoryObjectStore
  private let key: ObjectKey
  private let parts = Mutex(UploadParts())

  init(store: MemoryObjectStore, key: ObjectKey) {
    self.store = store
    self.key = key
  }

  func append(_ bytes: Bytes) async throws(ObjectStoreError) {
    try parts.withLock { parts throws(ObjectStoreError) in try parts.append(bytes) }
  }

  func complete() async throws(ObjectStoreError) -> ContentTag {
    let bytes = try parts.withLock { parts throws(ObjectStoreError) in try parts.finish() }
    return try await store.put(key, bytes, condition: .ifAbsent)
  }

  func abort() async { parts.withLock { parts in parts.abandon() } }
}
