import LakeIceberg
import LakeMaintain
import LakeModel
import LakePorts
import LakeSchema
import Testing

@Suite("expiry of snapshots")
struct SnapshotExpirerTests {
  private static let table = TableIdentifier(LakeTable.logs)
  private static let day: Int64 = 86_400_000

  /// A table of one append a day, each of one file, in memory.
  private final class Lake {
    let ports: Ports
    let wall = SetWall()
    private var next: Int64 = 1

    init(properties: [String: String] = [:]) async throws {
      let warehouse = WarehouseLocation(trusted: "memory://lake")
      let random = CountingRandomness()
      ports = Ports(
        clock: StoppedClock(), wall: wall, random: random, store: MemoryObjectStore(),
        catalog: MemoryCatalog(warehouse: warehouse, random: random, wall: wall), warehouse: warehouse)
      _ = try await ports.catalog.ensureTable(SnapshotExpirerTests.table, TableCreation(.logs))
      if !properties.isEmpty {
        _ = try await ports.catalog.commit(
          SnapshotExpirerTests.table, requirements: [], updates: [.setProperties(properties)])
      }
    }

    var metadata: TableMetadata {
      get async throws { try await ports.catalog.loadTable(SnapshotExpirerTests.table).metadata }
    }

    func manifests(_ metadata: TableMetadata) async throws -> [ManifestFile] {
      guard let list = metadata.currentSnapshot?.manifestList else { return [] }
      return try ManifestList.decode(try await ports.store.get(ports.warehouse.key(of: list)).bytes)
    }

    private func context() -> CommitContext {
      defer { next += 1 }
      return CommitContext(snapshotID: next, commitUUID: "uuid-\(next)", now: Int64(wall.now.nanoseconds / 1_000_000))
    }

    func carryOut(_ commit: SnapshotCommit) async throws {
      for upload in commit.uploads {
        _ = try await ports.store.put(ports.warehouse.key(of: upload.location), upload.bytes, condition: .ifAbsent)
      }
      _ = try await ports.catalog.commit(
        SnapshotExpirerTests.table, requirements: commit.requirements, updates: commit.updates)
    }

    private func file(_ name: String, _ metadata: TableMetadata) async throws -> DataFile {
      let path = "\(metadata.dataDirectory)/\(name).parquet"
      _ = try await ports.store.put(ports.warehouse.key(of: path), Bytes("rows"), condition: .ifAbsent)
      return DataFile(
        path: path, specID: 0, partition: [.string("a"), nil, .int(20_758)], recordCount: 1, fileSize: 4)
    }

    func append(_ name: String, at day: Int64) async throws {
      wall.milliseconds.value = day * SnapshotExpirerTests.day
      let metadata = try await metadata
      try await carryOut(
        FastAppend(files: [try await file(name, metadata)]).commit(
          to: metadata, manifests: try await manifests(metadata), context: context()))
    }

    /// One file in place of all.
    func rewrite(as name: String, at day: Int64) async throws {
      wall.milliseconds.value = day * SnapshotExpirerTests.day
      let metadata = try await metadata
      let manifests = try await manifests(metadata)
      var entries: [String: [ManifestEntry]] = [:]
      for manifest in manifests {
        entries[manifest.path] = try Manifest.decode(
          try await ports.store.get(ports.warehouse.key(of: manifest.path)).bytes, of: manifest, table: metadata)
      }
      let old = entries.values.joined().filter(\.isLive).map(\.file)
      let change = FileChange(.replace, adding: [try await file(name, metadata)], removing: old)
      try await carryOut(
        change.commit(
          to: metadata, manifests: manifests,
          entries: entries.filter { key, _ in change.manifestsNeeded(manifests).contains { $0.path == key } },
          context: context()))
    }

    /// Names of data files that are there.
    var dataFiles: [String] {
      get async throws {
        try await ports.store.listAll(prefix: "").map(\.key.text).filter { $0.hasSuffix(".parquet") }
          .map { String($0.split(separator: "/").last!.dropLast(8)) }.sorted()
      }
    }

    var objectCount: Int { get async throws { try await ports.store.listAll(prefix: "").count } }
  }

  /// Days 1, 2, 3 append; day 4 rewrites all; day 10 appends.
  private func lake(_ properties: [String: String] = [:]) async throws -> Lake {
    let lake = try await Lake(properties: properties)
    for (day, name) in ["x", "y", "z"].enumerated() { try await lake.append(name, at: Int64(day) + 1) }
    try await lake.rewrite(as: "all", at: 4)
    try await lake.append("new", at: 10)
    return lake
  }

  @Test("goes by the table's properties, and deletes what only the expired led to")
  func properties() async throws {
    let lake = try await lake(["history.expire.max-snapshot-age-ms": "\(7 * Self.day)"])
    // Snapshots 1 and 2 are older than a week; all their files but those of snapshot 3 and later go.
    let before = try await lake.objectCount
    let rehearsed = try await SnapshotExpirer(ports: lake.ports).run(Self.table, isRehearsal: true)
    #expect(try await lake.objectCount == before)
    #expect(try await lake.metadata.snapshots.count == 5)
    let done = try await SnapshotExpirer(ports: lake.ports).run(Self.table)
    #expect(done == rehearsed)
    #expect(done.snapshots == [1, 2] && done.refs == [] && done.left == [])
    #expect(try await lake.metadata.snapshots.map(\.id) == [3, 4, 5])
    // x, y and z are still in snapshot 3.
    #expect(try await lake.dataFiles == ["all", "new", "x", "y", "z"])
    #expect(done.files.allSatisfy { $0.hasSuffix(".avro") } && done.files.count == 2)
    #expect(try await SnapshotExpirer(ports: lake.ports).run(Self.table) == .init())
  }

  @Test("a tag keeps its snapshot and its files, whatever their age")
  func tags() async throws {
    let lake = try await lake()
    _ = try await lake.ports.catalog.commit(
      Self.table, requirements: [],
      updates: [.setSnapshotRef(name: "audit", SnapshotRef(snapshotID: 2, kind: .tag))])
    let all = SnapshotExpiry(snapshotAgeMax: 0, snapshotsToKeepMin: 1)
    let expirer = SnapshotExpirer(ports: lake.ports)
    let done = try await expirer.run(Self.table, expiry: all, now: 100 * Self.day)
    #expect(done.snapshots == [1, 3, 4])
    #expect(try await lake.dataFiles == ["all", "new", "x", "y"])
    // Without the tag they go.
    _ = try await lake.ports.catalog.commit(Self.table, requirements: [], updates: [.removeSnapshotRef("audit")])
    let rest = try await expirer.run(Self.table, expiry: all, now: 100 * Self.day)
    #expect(rest.snapshots == [2])
    #expect(try await lake.dataFiles == ["all", "new"])
    let metadata = try await lake.metadata
    #expect(metadata.snapshots.map(\.id) == [5])
    let manifests = try await lake.manifests(metadata)
    for manifest in manifests { _ = try await lake.ports.store.get(lake.ports.warehouse.key(of: manifest.path)) }
    #expect(metadata.properties["icegate.queue.state"] == nil)
  }

  @Test("the snapshot before one that has only just come stays for its readers")
  func grace() async throws {
    let lake = try await lake()
    let all = SnapshotExpiry(snapshotAgeMax: 0, snapshotsToKeepMin: 1)
    let expirer = SnapshotExpirer(ports: lake.ports)
    let now = 10 * Self.day + SnapshotExpirer.readGrace - 1
    #expect(try await expirer.run(Self.table, expiry: all, now: now).snapshots == [1, 2, 3])
    #expect(try await expirer.run(Self.table, expiry: all, now: now + 1).snapshots == [4])
  }

  @Test("by itself it goes by the time of the table's last change, not by a clock that may be ahead")
  func clocks() async throws {
    let lake = try await lake(["history.expire.max-snapshot-age-ms": "\(20 * Self.day)"])
    lake.wall.milliseconds.value = 1000 * Self.day
    #expect(try await SnapshotExpirer(ports: lake.ports).run(Self.table) == .init())
    await SnapshotKeeper(ports: lake.ports).expire()
    #expect(try await lake.metadata.snapshots.count == 5)
  }

  @Test("a table whose files may be shared is left alone")
  func shared() async throws {
    let lake = try await lake(["gc.enabled": "false"])
    await #expect(throws: SnapshotExpirer.Failure.forbidden(Self.table)) {
      try await SnapshotExpirer(ports: lake.ports).run(
        Self.table, expiry: SnapshotExpiry(snapshotAgeMax: 0, snapshotsToKeepMin: 1))
    }
    #expect(try await lake.metadata.snapshots.count == 5)
  }
}

/// A wall clock that stands where it is put.
private final class SetWall: WallClock {
  let milliseconds = Shared<Int64>(0)
  var now: Timestamp { Timestamp(nanoseconds: UInt64(milliseconds.value) * 1_000_000) }
}

/// `@unchecked Sendable`: one test uses it, from one task at a time.
private final class Shared<Value: Sendable>: @unchecked Sendable {
  var value: Value
  init(_ value: Value) { self.value = value }
}

private final class CountingRandomness: Randomness {
  private let count = Shared<UInt64>(0)
  func next() -> UInt64 {
    count.value += 1
    return count.value &* 0x9E37_79B9_7F4A_7C15
  }
}

private struct StoppedClock: LakeClock {
  var now: ClockInstant { ClockInstant(nanoseconds: 0) }
  func sleep(until deadline: ClockInstant) async throws {}
}
