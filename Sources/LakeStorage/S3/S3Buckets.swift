import Glibc
package import LakeModel
package import LakeNet
package import LakePorts

/// All buckets behind one endpoint as one store: a key begins with its bucket, `warehouse/icegate/logs/...`.
///
/// The write-ahead log may lie in another bucket than the tables, and catalogs may give every table a bucket of its own.
///
/// `@unchecked Sendable`: `stores` is guarded by `mutex`.
package final class S3Buckets: ObjectStore, @unchecked Sendable {
  private let client: @Sendable (String) -> S3Client
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var stores: [String: S3ObjectStore] = [:]

  /// - Parameter settings: for every bucket; `bucket`, `mount` and `prefix` are filled in.
  package init(
    settings: S3Settings, transport: any HTTPTransport, credentials: any CredentialSource, clock: any LakeClock,
    wall: any WallClock, random: any Randomness, metrics: MetricsRegistry? = nil
  ) {
    let instruments = metrics.map { S3Instruments($0) }
    // One budget for all: it is the store that fails, not the bucket.
    let budget = RetryBudget(settings.retryBudget)
    client = { bucket in
      var settings = settings
      settings.bucket = bucket
      settings.mount = "\(bucket)/"
      settings.prefix = ""
      return S3Client(
        settings: settings, transport: transport, credentials: credentials, clock: clock, wall: wall, random: random,
        budget: budget, instruments: instruments)
    }
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  /// The store of one bucket; its keys begin with the bucket all the same.
  package func store(ofBucket bucket: String) -> S3ObjectStore {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if let known = stores[bucket] { return known }
    let made = S3ObjectStore(client: client(bucket))
    stores[bucket] = made
    return made
  }

  private func store(of key: ObjectKey) throws(ObjectStoreError) -> S3ObjectStore {
    guard let slash = key.text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
      throw .denied("\(key) names a bucket and no object in it")
    }
    return store(ofBucket: String(key.text[..<slash]))
  }

  package func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try await store(of: key).get(key, range: range)
  }

  package func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
    try await store(of: key).head(key)
  }

  package func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError)
    -> ContentTag
  {
    try await store(of: key).put(key, bytes, condition: condition)
  }

  package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
    try await store(of: key).delete(key)
  }

  package func deleteAll(_ keys: [ObjectKey]) async -> [DeletionFailure] {
    var failures: [Int: DeletionFailure] = [:]
    var ofBucket: [String: [Int]] = [:]
    for (index, key) in keys.enumerated() {
      do throws(ObjectStoreError) {
        ofBucket[try store(of: key).client.settings.bucket, default: []].append(index)
      } catch {
        failures[index] = DeletionFailure(key: key, error: error)
      }
    }
    for (bucket, indices) in ofBucket.sorted(by: { $0.key < $1.key }) {
      let left = await store(ofBucket: bucket).deleteAll(indices.map { keys[$0] })
      let errors = Dictionary(left.map { ($0.key, $0) }) { first, _ in first }
      for index in indices { if let failure = errors[keys[index]] { failures[index] = failure } }
    }
    return failures.sorted { $0.key < $1.key }.map(\.value)
  }

  package func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int) async throws(ObjectStoreError)
    -> ObjectPage
  {
    guard let slash = prefix.utf8.firstIndex(of: UInt8(ascii: "/")) else {
      throw .denied("a listing of `\(prefix)` names no bucket")
    }
    let bucket = String(prefix[..<slash])
    let first = "\(bucket)/"
    // Keys of other buckets sort wholly before or after this one's.
    if let startAfter, !startAfter.utf8.starts(with: first.utf8) {
      if startAfter.utf8.precedes(first.utf8) {
        return try await list(prefix: prefix, delimiter: delimiter, startAfter: nil, limit: limit)
      }
      return ObjectPage(objects: [], prefixes: [], next: nil)
    }
    let after = startAfter == first ? nil : startAfter
    return try await store(ofBucket: bucket).list(
      prefix: prefix, delimiter: delimiter, startAfter: after, limit: limit)
  }

  package func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try await store(of: key).beginUpload(key)
  }
}
