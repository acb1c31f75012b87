import LakeModel
import LakePorts
import PortContracts
import Testing

@Suite("the memory object store")
struct MemoryObjectStoreTests {
  @Test("keeps the contract of object stores", arguments: ObjectStoreContract.checks)
  func contract(check: ObjectStoreContract.Check) async throws {
    try await check.run(.init(store: MemoryObjectStore(), prefix: "contract/"))
  }

  @Test("lists as the contract says when its pages are short", arguments: ObjectStoreContract.listing, [1, 2, 3])
  func contractWithShortPages(check: ObjectStoreContract.Check, pageEntriesMax: Int) async throws {
    try await check.run(.init(store: MemoryObjectStore(pageEntriesMax: pageEntriesMax), prefix: "contract/"))
  }

  @Test("never gives a tag twice, not even to the same bytes under the same key")
  func tagsNeverRepeat() async throws {
    let store = MemoryObjectStore()
    let key = ObjectKey(trusted: "pointer")
    var tags: Set<String> = []
    for turn in 0..<10 {
      tags.insert(try await store.put(key, Bytes("same"), condition: .none).text)
      if turn % 3 == 0 { try await store.delete(key) }
    }
    #expect(tags.count == 10)
  }

  @Test("denies what a filesystem could not hold")
  func deniesImpossibleFiles() async throws {
    let store = MemoryObjectStore()
    _ = try await store.put(ObjectKey(trusted: "a/b"), Bytes(), condition: .none)
    for text in ["a", "a/b/c", "a/b/c/d", String(repeating: "n", count: 256)] {
      await #expect(throws: ObjectStoreError.self) {
        _ = try await store.put(ObjectKey(trusted: text), Bytes(), condition: .none)
      }
    }
    let names = try await store.listAll(prefix: "").map(\.key.text)
    #expect(names == ["a/b"])
    _ = try await store.put(ObjectKey(trusted: "a/b2"), Bytes(), condition: .none)
    _ = try await store.put(ObjectKey(trusted: "a-b"), Bytes(), condition: .none)
    _ = try await store.put(ObjectKey(trusted: String(repeating: "n", count: 255)), Bytes(), condition: .none)
  }

  @Test("an upload takes no part after a small one, and replaces nothing")
  func uploadsAreStrict() async throws {
    let store = MemoryObjectStore()
    let key = ObjectKey(trusted: "file")
    let upload = try await store.beginUpload(key)
    try await upload.append(Bytes("small"))
    await #expect(throws: ObjectStoreError.denied("a part of 5 bytes may only be the last")) {
      try await upload.append(Bytes("more"))
    }
    _ = try await upload.complete()
    let second = try await store.beginUpload(key)
    await #expect(throws: ObjectStoreError.preconditionFailed(key)) { _ = try await second.complete() }
    #expect(try await store.get(key).bytes.text == "small")
  }

  @Test("takes the time of a write from its wall clock")
  func modifiedComesFromTheWallClock() async throws {
    struct Fixed: WallClock { let now = Timestamp(nanoseconds: 1_700_000_000_123_456_789) }
    let store = MemoryObjectStore(wall: Fixed())
    let key = ObjectKey(trusted: "k")
    _ = try await store.put(key, Bytes(), condition: .none)
    #expect(try await store.head(key).modified == 1_700_000_000_123)
  }
}

@Suite("object keys")
struct ObjectKeyTests {
  @Test("are the same when their bytes are, canonical equivalence or not")
  func equalityIsOfBytes() {
    let composed = ObjectKey(trusted: "\u{00E1}")
    let decomposed = ObjectKey(trusted: "a\u{0301}")
    #expect(composed != decomposed)
    #expect(decomposed < composed)
    #expect(Set([composed, decomposed]).count == 2)
  }

  @Test(
    "refuse what no store takes",
    arguments: ["", "/", "/a", "a/", "a//b", ".", "..", "a/./b", "a/../b", "a\0b", String(repeating: "x", count: 1025)])
  func refusals(text: String) { #expect(ObjectKey(text) == nil) }

  @Test("take 1024 bytes, dots inside names and any other character", arguments: ["...", "a/.b", "日本", "a b"])
  func acceptances(text: String) { #expect(ObjectKey(text)?.text == text) }
}

@Suite("a contract that is broken")
struct BrokenContractTests {
  /// Ignores conditions, as some S3 servers do.
  struct Unconditional: ObjectStore {
    let base = MemoryObjectStore()
    func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
      try await base.get(key, range: range)
    }
    func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await base.head(key) }
    func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError) -> ContentTag {
      try await base.put(key, bytes, condition: .none)
    }
    func delete(_ key: ObjectKey) async throws(ObjectStoreError) { try await base.delete(key) }
    func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int)
      async throws(ObjectStoreError) -> ObjectPage
    { try await base.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit) }
    func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
      try await base.beginUpload(key)
    }
  }

  @Test("is noticed: a store that ignores conditions fails every check that needs one")
  func unconditionalStoreFails() async {
    let failures = await ObjectStoreContract.failures(of: Unconditional(), prefix: "p/")
    // Whether the counter loses a step depends on the threads.
    let names = failures.map { String($0.prefix { $0 != ":" }) }.filter { !$0.hasPrefix("a counter") }
    #expect(
      names == [
        "if-absent creates once and never replaces", "if-absent refuses to replace an empty object",
        "if-match replaces exactly the content it names", "if-match of what is not there fails and creates nothing",
        "a condition that names a tag no content ever had fails",
        "of many creates of one key one wins, and its bytes stand", "of many replacements of one content one wins",
      ])
  }
}
