package import LakeModel

/// Any store, but slower: for trying out what happens behind a store that has trouble.
package struct SlowedObjectStore: ObjectStore {
  private let store: any ObjectStore
  private let clock: any LakeClock
  private let putDelay: Duration
  /// The trouble is over then; nil: never.
  private let end: ClockInstant?

  /// - Parameters:
  ///   - putDelay: how much longer every put and every part of an upload takes.
  ///   - span: how long the trouble lasts, from now on; nil: for ever.
  package init(_ store: any ObjectStore, clock: any LakeClock, putDelay: Duration, for span: Duration? = nil) {
    self.store = store
    self.clock = clock
    self.putDelay = putDelay
    end = span.map { clock.now.advanced(by: $0) }
  }

  package func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try await store.get(key, range: range)
  }

  package func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await store.head(key) }

  package func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError)
    -> ContentTag
  {
    try await wait()
    return try await store.put(key, bytes, condition: condition)
  }

  package func delete(_ key: ObjectKey) async throws(ObjectStoreError) { try await store.delete(key) }

  package func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int)
    async throws(ObjectStoreError) -> ObjectPage
  {
    try await store.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit)
  }

  package func relist(prefix: String, known: KnownObjects?) async throws(ObjectStoreError) -> KnownObjects? {
    try await store.relist(prefix: prefix, known: known)
  }

  package func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    Upload(upload: try await store.beginUpload(key), store: self)
  }

  private struct Upload: ObjectUpload {
    let upload: any ObjectUpload
    let store: SlowedObjectStore

    func append(_ bytes: Bytes) async throws(ObjectStoreError) {
      try await store.wait()
      try await upload.append(bytes)
    }

    func complete() async throws(ObjectStoreError) -> ContentTag { try await upload.complete() }
    func abort() async { await upload.abort() }
  }

  private func wait() async throws(ObjectStoreError) {
    if let end, clock.now >= end { return }
    do { try await clock.sleep(for: putDelay) } catch { throw .cancelled }
  }
}
