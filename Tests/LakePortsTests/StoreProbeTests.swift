import LakeModel
import LakePorts
import Testing

@Suite("the probe of a store")
struct StoreProbeTests {
  @Test("accepts a store that keeps its conditions, and leaves nothing behind")
  func accepts() async throws {
    let store = MemoryObjectStore()
    try await StoreProbe(store: store, random: CountingRandomness()).run(prefix: "queue/", needsReplacement: true)
    #expect(try await store.listAll(prefix: "").isEmpty)
  }

  @Test("refuses a store that ignores a condition", arguments: [Ignoring.Condition.ifAbsent, .ifMatch])
  func refuses(condition: Ignoring.Condition) async throws {
    let store = Ignoring(store: MemoryObjectStore(), condition: condition)
    let failure = await #expect(throws: ProbeFailure.self) {
      try await StoreProbe(store: store, random: CountingRandomness()).run(prefix: "", needsReplacement: true)
    }
    #expect(failure?.description.contains("ignores conditional writes") == true)
    #expect(try await store.listAll(prefix: "").isEmpty)
  }
}

/// A store that takes a condition and does not look at it, as some S3 servers do.
struct Ignoring: ObjectStore {
  enum Condition: Sendable { case ifAbsent, ifMatch }
  let store: MemoryObjectStore
  let condition: Condition

  func put(_ key: ObjectKey, _ bytes: Bytes, condition asked: PutCondition) async throws(ObjectStoreError) -> ContentTag
  {
    switch (asked, condition) {
    case (.ifAbsent, .ifAbsent), (.ifMatch, .ifMatch): try await store.put(key, bytes, condition: .none)
    default: try await store.put(key, bytes, condition: asked)
    }
  }
  func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try await store.get(key, range: range)
  }
  func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await store.head(key) }
  func delete(_ key: ObjectKey) async throws(ObjectStoreError) { try await store.delete(key) }
  func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int) async throws(ObjectStoreError)
    -> ObjectPage
  { try await store.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit) }
  func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try await store.beginUpload(key)
  }
}

/// 1, 2, 3, ... for one task: `@unchecked Sendable` because each test has its own.
final class CountingRandomness: Randomness, @unchecked Sendable {
  private var last: UInt64 = 0
  func next() -> UInt64 {
    last += 1
    return last
  }
}
