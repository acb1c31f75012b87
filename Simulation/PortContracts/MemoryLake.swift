package import LakeModel
package import LakePorts
package import LakeSchema
import Synchronization

/// Memory ports with the tables of the lake, for small tests of engines. Time is real, chance is seeded.
package struct MemoryLake: Sendable {
  package let store: ScriptedStore
  package var ports: Ports

  /// - Parameter tables: created in the catalog.
  package init(seed: UInt64 = 1, tables: [LakeTable] = [.logs, .events]) async throws {
    let random = SeededChance(seed: seed)
    let wall = FixedWall()
    let warehouse = WarehouseLocation(trusted: "memory://lake")
    store = ScriptedStore(MemoryObjectStore(wall: wall))
    let catalog = MemoryCatalog(warehouse: warehouse, random: random, wall: wall)
    ports = Ports(
      clock: RunningClock(), wall: wall, random: random, store: store, catalog: catalog, warehouse: warehouse)
    try await catalog.createNamespace([LakeTable.namespace], properties: [:])
    for table in tables {
      _ = try await catalog.createTable(
        TableIdentifier(table),
        TableCreation(schema: table.schema, partitionSpec: table.partitionSpec, sortOrder: table.sortOrder))
    }
  }

  package func metadata(_ table: LakeTable) async throws -> TableMetadata {
    try await ports.catalog.loadTable(TableIdentifier(table)).metadata
  }

  /// Every key of the store, ascending.
  package func keys(prefix: String = "") async throws -> [String] {
    try await ports.store.listAll(prefix: prefix).map(\.key.text)
  }
}

/// Numbers that repeat with the seed (SplitMix64).
package final class SeededChance: Randomness {
  private let state: Mutex<UInt64>
  package init(seed: UInt64) { state = Mutex(seed) }

  package func next() -> UInt64 {
    state.withLock { state in
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }
}

/// 2026-01-01T00:00:00Z, always.
package struct FixedWall: WallClock {
  package init() {}
  package var now: Timestamp { Timestamp(nanoseconds: 1_767_225_600_000_000_000) }
}

/// The process's own clock.
package struct RunningClock: LakeClock {
  private let origin = ContinuousClock.now
  package init() {}
  package var now: ClockInstant {
    ClockInstant(nanoseconds: 1_000_000_000_000 + origin.duration(to: .now).nanoseconds)
  }
  package func sleep(until deadline: ClockInstant) async throws {
    try await Task.sleep(for: now.duration(to: deadline), tolerance: .zero)
  }
}

/// A store that fails when it is told to.
package final class ScriptedStore: ObjectStore {
  package enum Operation: Hashable, Sendable { case get, head, put, delete, list }

  package enum Fault: Sendable {
    /// Answered as if nothing had happened; nothing has.
    case refuse(ObjectStoreError)
    /// Carried out, and the answer is lost.
    case loseAnswer
    /// A get answers other bytes than those that lie there.
    case alter(@Sendable (Bytes) -> Bytes)
  }

  package typealias Script = @Sendable (Operation, String) -> Fault?

  private let base: any ObjectStore
  private let script = Mutex<Script?>(nil)
  private let calls = Mutex<[(Operation, String)]>([])

  package init(_ base: any ObjectStore) { self.base = base }

  /// - Parameter script: asked before each operation with the key or prefix; nil lets it pass.
  package func play(_ script: Script?) { self.script.withLock { $0 = script } }

  /// Keys of the operations so far.
  package func keys(of operation: Operation) -> [String] {
    calls.withLock { $0.filter { $0.0 == operation }.map(\.1) }
  }

  private func fault(_ operation: Operation, _ key: String) -> Fault? {
    calls.withLock { $0.append((operation, key)) }
    return script.withLock { $0 }?(operation, key)
  }

  private func run<Result>(
    _ operation: Operation, _ key: String, _ body: () async throws(ObjectStoreError) -> Result
  ) async throws(ObjectStoreError) -> Result {
    switch fault(operation, key) {
    case nil, .alter: return try await body()
    case .refuse(let error): throw error
    case .loseAnswer:
      _ = try? await body()
      throw .outcomeUnknown(ObjectKey(key) ?? ObjectKey(trusted: "x"), "the answer was lost")
    }
  }

  package func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    let found = fault(.get, key.text)
    if case .refuse(let error) = found { throw error }
    let object = try await base.get(key, range: range)
    guard case .alter(let alter) = found else { return object }
    return StoredObject(bytes: alter(object.bytes), info: object.info)
  }
  package func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
    try await run(.head, key.text) { () throws(ObjectStoreError) in try await base.head(key) }
  }
  package func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError)
    -> ContentTag
  {
    try await run(.put, key.text) { () throws(ObjectStoreError) in
      try await base.put(key, bytes, condition: condition)
    }
  }
  package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
    try await run(.delete, key.text) { () throws(ObjectStoreError) in try await base.delete(key) }
  }
  package func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int)
    async throws(ObjectStoreError) -> ObjectPage
  {
    try await run(.list, prefix) { () throws(ObjectStoreError) in
      try await base.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit)
    }
  }
  package func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try await base.beginUpload(key)
  }
}
