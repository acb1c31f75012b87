import Foundation
import LakeModel
import LakePorts
import LakeStorage
import PortContracts
import Testing

@Suite("the read cache")
struct CachedStoreTests {
  static let pool = BlockingPool(threads: 2)

  static func folder() -> String {
    FileManager.default.temporaryDirectory.appendingPathComponent("icegate-cache-\(UUID().uuidString)").path
  }

  static func settings(_ change: (inout CacheSettings) -> Void = { _ in }) -> CacheSettings {
    var settings = CacheSettings()
    settings.blockBytes = 16
    settings.prefetchBytesMax = 20
    settings.isImmutable = { _ in true }
    change(&settings)
    return settings
  }

  static func cached(_ base: any ObjectStore, _ settings: CacheSettings, metrics: MetricsRegistry = MetricsRegistry())
    -> CachedStore
  {
    CachedStore(
      base: base, settings: settings, clock: TestClock(), wall: NowWallClock(), metrics: metrics, pool: pool)
  }

  @Test(
    "keeps the contract of object stores when every object is cached and asked for each time",
    arguments: ObjectStoreContract.checks, [false, true])
  func contract(check: ObjectStoreContract.Check, hasDisk: Bool) async throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let settings = Self.settings {
      $0.statTTL = .zero
      $0.writeBytesMax = 1000
      $0.blockBytes = 100_000
      $0.memoryBytesMax = hasDisk ? 64 : 1 << 20
      $0.diskFolder = hasDisk ? folder : nil
      $0.diskBytesMax = 1 << 20
    }
    try await check.run(.init(store: Self.cached(MemoryObjectStore(), settings), prefix: "contract/"))
  }

  @Test("keeps the contract as it is used, for files that change too", arguments: ObjectStoreContract.checks)
  func contractAsUsed(check: ObjectStoreContract.Check) async throws {
    try await check.run(.init(store: Self.cached(MemoryObjectStore(), CacheSettings()), prefix: "contract/"))
  }

  static let key = ObjectKey(trusted: "a/b.parquet")
  static func content(_ count: Int) -> Bytes { Bytes((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7) }) }

  @Test("every range of an object is the same from the store, from memory, and from the disk of an earlier process")
  func everyRange() async throws {
    for size in [0, 1, 15, 16, 17, 48, 50] {
      let folder = Self.folder()
      defer { try? FileManager.default.removeItem(atPath: folder) }
      let base = CountingStore(MemoryObjectStore())
      let content = Self.content(size)
      _ = try await base.put(Self.key, content, condition: .ifAbsent)
      let settings = Self.settings {
        $0.diskFolder = folder
        $0.diskBytesMax = 1 << 20
      }
      func ranges() -> [ByteRange?] {
        var all: [ByteRange?] = [nil]
        for low in 0...size + 2 {
          all.append(.from(low))
          if low > 0 { all.append(.suffix(low)) }
          for high in low...size + 3 { all.append(.span(low..<high)) }
        }
        return all
      }
      for _ in 0..<2 {  // a second process starts with what the first left
        let store = Self.cached(base, settings)
        for range in ranges() {
          let wanted = await Self.outcome { try await base.base.get(Self.key, range: range).bytes }
          for _ in 0..<2 {
            let found = await Self.outcome { try await store.get(Self.key, range: range).bytes }
            #expect(found == wanted, "\(size) bytes, \(String(describing: range))")
          }
        }
      }
      if size > 17 {
        let before = base.gets
        let third = Self.cached(base, settings)
        #expect(try await third.get(Self.key).bytes == content)
        #expect(base.gets == before, "a warm disk needs no request")
      }
    }
  }

  static func outcome(_ body: () async throws -> Bytes) async -> Result<Bytes, ObjectStoreError> {
    do { return .success(try await body()) } catch { return .failure(error as! ObjectStoreError) }
  }

  @Test("a thousand readers of one cold object make one request")
  func singleFlight() async throws {
    let base = CountingStore(MemoryObjectStore(), delay: .milliseconds(20))
    let content = Self.content(100)
    _ = try await base.put(Self.key, content, condition: .ifAbsent)
    let store = Self.cached(base, Self.settings())
    try await withThrowingTaskGroup(of: Void.self) { group in
      for n in 0..<1000 {
        group.addTask { () async throws in
          let low = n % 90
          let found = try await store.get(Self.key, range: .span(low..<low + 10)).bytes
          #expect(found == content[low..<low + 10])
        }
      }
      try await group.waitForAll()
    }
    // One brings the first reader's blocks; each further block comes once.
    #expect(base.gets <= 7)
  }

  @Test("files that were cut, changed or exchanged are misses, at every length")
  func damagedFiles() async throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let base = CountingStore(MemoryObjectStore())
    let content = Self.content(16)
    _ = try await base.put(Self.key, content, condition: .ifAbsent)
    let settings = Self.settings {
      $0.diskFolder = folder
      $0.diskBytesMax = 1 << 20
      $0.memoryBytesMax = 0
    }
    _ = try await Self.cached(base, settings).get(Self.key)
    let file = try Self.files(folder).first!
    let good = try Data(contentsOf: file)
    for length in 0..<good.count {
      for flips in [false, true] {
        var bad = flips ? good : good[0..<length]
        if flips { bad[length] ^= 1 }
        try bad.write(to: file)
        #expect(try await Self.cached(base, settings).get(Self.key).bytes == content, "\(length) \(flips)")
      }
    }
    // A file of another object under this name.
    let other = ObjectKey(trusted: "a/other.parquet")
    _ = try await base.put(other, Self.content(3), condition: .ifAbsent)
    _ = try await Self.cached(base, settings).get(other)
    let stranger = try Self.files(folder).first { try Data(contentsOf: $0).count < good.count }!
    try Data(contentsOf: stranger).write(to: file)
    #expect(try await Self.cached(base, settings).get(Self.key).bytes == content)
  }

  static func files(_ folder: String) throws -> [URL] {
    let url = URL(fileURLWithPath: folder)
    return try FileManager.default.subpathsOfDirectory(atPath: folder).map { url.appendingPathComponent($0) }
      .filter { try $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true }
      .sorted { $0.path < $1.path }
  }

  @Test("memory and disk stay within their limits, and what was used last stays longest")
  func limits() async throws {
    let folder = Self.folder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let base = CountingStore(MemoryObjectStore())
    let metrics = MetricsRegistry()
    let settings = Self.settings {
      $0.diskFolder = folder
      $0.diskBytesMax = 1000
      $0.memoryBytesMax = 100
    }
    let store = Self.cached(base, settings, metrics: metrics)
    for n in 0..<50 {
      let key = ObjectKey(trusted: "o\(n).parquet")
      _ = try await base.put(key, Self.content(16), condition: .ifAbsent)
      _ = try await store.get(key)
      _ = try await store.get(ObjectKey(trusted: "o0.parquet"))
    }
    let sizes = try Self.files(folder).map { try Data(contentsOf: $0).count }
    #expect(sizes.reduce(0, +) <= 1000 && sizes.count > 5)
    let before = base.gets
    _ = try await store.get(ObjectKey(trusted: "o0.parquet"))
    _ = try await store.get(ObjectKey(trusted: "o49.parquet"))
    #expect(base.gets == before)
    _ = try await store.get(ObjectKey(trusted: "o1.parquet"))
    #expect(base.gets == before + 1)
    // A smaller limit is kept from the start.
    let smaller = Self.settings {
      $0.diskFolder = folder
      $0.diskBytesMax = 300
    }
    _ = Self.cached(base, smaller)
    #expect(try Self.files(folder).map { try Data(contentsOf: $0).count }.reduce(0, +) <= 300)
  }

  @Test("what is put and small enough is not fetched; what is deleted is gone at once")
  func writes() async throws {
    let base = CountingStore(MemoryObjectStore())
    let store = Self.cached(base, Self.settings { $0.writeBytesMax = 40 })
    _ = try await store.put(Self.key, Self.content(40), condition: .ifAbsent)
    #expect(try await store.get(Self.key, range: .suffix(5)).bytes == Self.content(40)[35..<40])
    #expect(base.gets == 0)
    let large = ObjectKey(trusted: "large.parquet")
    _ = try await store.put(large, Self.content(41), condition: .ifAbsent)
    _ = try await store.get(large)
    #expect(base.gets == 1)
    try await store.delete(Self.key)
    await #expect(throws: ObjectStoreError.notFound(Self.key)) { _ = try await store.get(Self.key) }
    await #expect(throws: ObjectStoreError.notFound(Self.key)) { _ = try await store.head(Self.key) }
  }

  @Test("with a time to live, an object that another process deleted is noticed when that time is over")
  func timeToLive() async throws {
    let base = MemoryObjectStore()
    _ = try await base.put(Self.key, Self.content(40), condition: .ifAbsent)
    let store = Self.cached(base, Self.settings { $0.statTTL = .milliseconds(300) })
    _ = try await store.get(Self.key)
    try await base.delete(Self.key)
    #expect(try await store.get(Self.key).bytes == Self.content(40))
    try await Task.sleep(for: .milliseconds(400))
    await #expect(throws: ObjectStoreError.notFound(Self.key)) { _ = try await store.get(Self.key) }
  }

  @Test("an end that is read brings the footer in front of it; a folder that cannot be written is no cache")
  func prefetch() async throws {
    let base = CountingStore(MemoryObjectStore())
    _ = try await base.put(Self.key, Self.content(100), condition: .ifAbsent)
    let store = Self.cached(
      base,
      Self.settings {
        $0.diskFolder = "/proc/no/such"
        $0.diskBytesMax = 1000
      })
    _ = try await store.get(Self.key, range: .suffix(8))
    #expect(base.gets == 1)
    #expect(try await store.get(Self.key, range: .span(80..<95)).bytes == Self.content(100)[80..<95])
    #expect(base.gets == 1)
  }
}

/// Counts gets, and may take its time.
final class CountingStore: ObjectStore, @unchecked Sendable {  // `count` is guarded by `lock`
  let base: MemoryObjectStore
  private let delay: Duration?
  private let lock = NSLock()
  private var count = 0

  init(_ base: MemoryObjectStore, delay: Duration? = nil) {
    self.base = base
    self.delay = delay
  }

  var gets: Int {
    lock.lock()
    defer { lock.unlock() }
    return count
  }

  private func step() {
    lock.lock()
    defer { lock.unlock() }
    count += 1
  }

  func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    step()
    if let delay { try? await Task.sleep(for: delay) }
    return try await base.get(key, range: range)
  }
  func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await base.head(key) }
  func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError) -> ContentTag {
    try await base.put(key, bytes, condition: condition)
  }
  func delete(_ key: ObjectKey) async throws(ObjectStoreError) { try await base.delete(key) }
  func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int)
    async throws(ObjectStoreError) -> ObjectPage
  { try await base.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit) }
  func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try await base.beginUpload(key)
  }
}
