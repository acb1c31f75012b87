package import LakeModel
package import LakePorts

/// The store at the far end of every link: clean objects, no faults of its own.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class StoreCloud: @unchecked Sendable {
  package var objects = ObjectTable()
  private let scheduler: Scheduler
  /// Asked before a delete takes effect: which object, and who asked.
  var beforeDelete: [(ObjectKey, Life) -> Void] = []
  /// Told of every object that was created or replaced.
  var afterPut: [(ObjectKey, Bytes, PutCondition, Life) -> Void] = []

  init(scheduler: Scheduler) { self.scheduler = scheduler }

  func put(_ key: ObjectKey, _ bytes: Bytes, _ condition: PutCondition, by life: Life)
    -> Result<ContentTag, ObjectStoreError>
  {
    do throws(ObjectStoreError) {
      let modified = Int64(JumpingWallClock.epoch / 1_000_000) + scheduler.now / 1_000_000
      let tag = try objects.put(key, bytes, condition: condition, modified: modified)
      for listener in afterPut { listener(key, bytes, condition, life) }
      return .success(tag)
    } catch { return .failure(error) }
  }

  func delete(_ key: ObjectKey, by life: Life) -> Result<Void, ObjectStoreError> {
    for listener in beforeDelete { listener(key, life) }
    objects.delete(key)
    return .success(())
  }
}

/// An object store as one life sees it: the cloud behind a link on which everything can happen.
package struct SimulatedObjectStore: ObjectStore {
  let link: Link
  let cloud: StoreCloud

  private func errors(_ key: ObjectKey?) -> LinkErrors<ObjectStoreError> {
    LinkErrors(
      unavailable: { .unavailable($0) }, throttled: { .throttled($0) },
      unknown: { why in key.map { .outcomeUnknown($0, why) } ?? .unavailable(why) }, cancelled: .cancelled)
  }

  package func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try await link.send(.get, key.text, errors(key)) { () -> Result<StoredObject, ObjectStoreError> in
      do throws(ObjectStoreError) { return .success(try cloud.objects.get(key, range: range)) } catch {
        return .failure(error)
      }
    }.get()
  }

  package func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
    try await link.send(.head, key.text, errors(key)) { () -> Result<ObjectInfo, ObjectStoreError> in
      do throws(ObjectStoreError) { return .success(try cloud.objects.head(key)) } catch { return .failure(error) }
    }.get()
  }

  package func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError)
    -> ContentTag
  {
    let life = link.life
    return try await link.send(.put, key.text, errors(key), isWhole: true) {
      cloud.put(key, bytes, condition, by: life)
    }.get()
  }

  package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
    let life = link.life
    try await link.send(.delete, key.text, errors(key), isWhole: true) { cloud.delete(key, by: life) }.get()
  }

  package func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int)
    async throws(ObjectStoreError) -> ObjectPage
  {
    let simulation = link.life.simulation
    let isShort = limit > 1 && simulation.faults.occurs(.storeShortPage)
    let limit = isShort ? simulation.faults.draw { $0.uniform(1..<min(limit, 4)) } : limit
    return try await link.send(.list, prefix, errors(nil)) {
      .success(cloud.objects.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit))
    }.get()
  }

  package func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try await link.send(.upload, key.text, errors(key)) { () -> Result<Void, ObjectStoreError> in .success(()) }.get()
    return SimulatedUpload(store: self, key: key)
  }
}

/// Parts lie at the store, out of sight, until the upload is complete.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
private final class SimulatedUpload: ObjectUpload, @unchecked Sendable {
  private let store: SimulatedObjectStore
  private let key: ObjectKey
  private var parts = UploadParts()

  init(store: SimulatedObjectStore, key: ObjectKey) {
    self.store = store
    self.key = key
  }

  private var errors: LinkErrors<ObjectStoreError> {
    LinkErrors(
      unavailable: { .unavailable($0) }, throttled: { .throttled($0) },
      unknown: { [key] why in .outcomeUnknown(key, why) }, cancelled: .cancelled)
  }

  func append(_ bytes: Bytes) async throws(ObjectStoreError) {
    try await store.link.send(.upload, key.text, errors) { () -> Result<Void, ObjectStoreError> in
      do throws(ObjectStoreError) { return .success(try self.parts.append(bytes)) } catch { return .failure(error) }
    }.get()
  }

  func complete() async throws(ObjectStoreError) -> ContentTag {
    let life = store.link.life
    return try await store.link.send(.put, key.text, errors) { () -> Result<ContentTag, ObjectStoreError> in
      do throws(ObjectStoreError) {
        return self.store.cloud.put(self.key, try self.parts.finish(), .ifAbsent, by: life)
      } catch { return .failure(error) }
    }.get()
  }

  func abort() async { parts.abandon() }
}
