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
  /// nil once completed or given up.
  private var pieces: [Bytes]? = []

  init(store: FileObjectStore, key: ObjectKey) {
    self.store = store
    self.key = key
  }

  func append(_ bytes: Bytes) async throws(ObjectStoreError) {
    guard pieces != nil else { throw .denied("the upload of \(key) has ended") }
    pieces?.append(bytes)
  }

  func complete() async throws(ObjectStoreError) -> ContentTag {
    guard let whole = pieces else { throw .denied("the upload of \(key) has ended") }
    pieces = nil
    return try await store.publish(key, pieces: whole, condition: .none)
  }

  func abort() async { pieces = nil }
}
