import LakeModel

extension FileObjectStore {
  package func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try FileObjectStore.check(key)
    return FileUpload(store: self, key: key)
  }
}

/// Parts wait in memory until `complete` writes them as one file: data files are a few dozen megabytes.
private actor FileUpload: ObjectUpload {
  let store: FileObjectStore
  let key: ObjectKey
  private var pieces: [Bytes] = []

  init(store: FileObjectStore, key: ObjectKey) {
    self.store = store
    self.key = key
  }

  func append(_ bytes: Bytes) async throws(ObjectStoreError) { pieces.append(bytes) }

  func complete() async throws(ObjectStoreError) -> ContentTag {
    let whole = pieces
    pieces = []
    return try await store.publish(key, pieces: whole, condition: .none)
  }

  func abort() async { pieces = [] }
}
