import CSqlite
import Foundation
import LakeCatalogs
import LakeModel
import LakePorts
import LakeSchema
import PortContracts
import Testing

@Suite("the SQLite catalog")
struct SQLiteCatalogTests {
  static let table = TableIdentifier(LakeTable.logs)

  @Test("keeps the contract of catalogs", arguments: CatalogContract.checks)
  func contract(check: CatalogContract.Check) async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    try await check.run(.init(catalog: bench.catalog(), namespace: "contract"))
  }

  @Test("keeps it where pointers are read on the caller's thread", arguments: CatalogContract.checks)
  func contractOnCallersThread(check: CatalogContract.Check) async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    try await check.run(.init(catalog: bench.catalog(readsOnCallersThread: true), namespace: "contract"))
  }

  @Test("a commit of another connection is seen on the caller's thread at once")
  func readsOnCallersThread() async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    let (writer, reader) = (bench.catalog(), bench.catalog(readsOnCallersThread: true))
    _ = try await writer.ensureTable(Self.table, TableCreation(.logs))
    for step in 0..<20 {
      let written = try await Self.commit(writer, counter: "\(step)")
      let found = try await reader.loadTable(Self.table)
      #expect(found.metadataLocation == written.metadataLocation)
      #expect(found.metadata.properties["counter"] == "\(step)")
    }
  }

  @Test("keeps it when all checks share one file")
  func sharedContract() async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    #expect(await CatalogContract.failures(of: bench.catalog(), prefix: "ns") == [])
  }

  @Test("lets exactly one of many connections to one file win each generation")
  func manyConnections() async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    let catalogs = (0..<4).map { _ in bench.catalog() }
    _ = try await catalogs[0].ensureTable(Self.table, TableCreation(.logs))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, catalog) in catalogs.enumerated() {
        group.addTask { for step in 0..<10 { try await Self.increment(catalog, by: "\(index)-\(step)") } }
      }
      try await group.waitForAll()
    }
    let last = try await bench.catalog().loadTable(Self.table).metadata
    #expect(last.properties["counter"] == "40")
    // Losers removed the files that they had written for nothing.
    #expect(try await bench.metadataFiles().count == 41)
  }

  private static func commit(_ catalog: SQLiteCatalog, counter: String) async throws -> TableState {
    try await catalog.commit(table, requirements: [], updates: [.setProperties(["counter": counter])])
  }

  /// Reads the counter and commits the next value onto exactly the version it was read from.
  private static func increment(_ catalog: SQLiteCatalog, by who: String) async throws {
    while true {
      let base = try await catalog.loadTable(table).metadata
      let value = Int(base.properties["counter"] ?? "0")!
      let snapshot = Snapshot(
        id: Int64(value) + 1, parentID: base.currentSnapshotID, sequenceNumber: base.lastSequenceNumber + 1,
        timestamp: base.lastUpdated, manifestList: "memory://lake/\(who)", summary: ["operation": "append"],
        schemaID: nil)
      do {
        _ = try await catalog.commit(
          table, requirements: [.assertRefSnapshotID(ref: "main", snapshotID: base.currentSnapshotID)],
          updates: [
            .addSnapshot(snapshot), .setSnapshotRef(name: "main", SnapshotRef(snapshotID: snapshot.id, kind: .branch)),
            .setProperties(["counter": "\(value + 1)"]),
          ])
        return
      } catch {
        if !error.isConflict { throw error }
      }
    }
  }

  @Test(
    "never moves the pointer when the metadata file's put fails or is not known",
    arguments: [true, false],
    [
      { .outcomeUnknown($0, "reply lost") }, { _ in .unavailable("down") }, { _ in .throttled("slow down") },
      { .preconditionFailed($0) },
    ] as [@Sendable (ObjectKey) -> ObjectStoreError])
  func failedPut(isCarriedOut: Bool, failure: @escaping @Sendable (ObjectKey) -> ObjectStoreError) async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    let base = try await bench.catalog().ensureTable(Self.table, TableCreation(.logs))
    let failing = bench.catalog(
      store: FailingPuts(base: bench.store, isCarriedOut: isCarriedOut, failure: failure))
    do {
      _ = try await failing.commit(Self.table, requirements: [], updates: [.setProperties(["a": "b"])])
      Issue.record("the commit was answered")
    } catch {
      guard case .unavailable = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(try await bench.catalog().loadTable(Self.table) == base)
    await #expect(throws: CatalogError.self) {
      _ = try await failing.createTable(TableIdentifier(LakeTable.spans), TableCreation(.spans))
    }
    #expect(try await bench.catalog().listTables(in: ["icegate"]) == [Self.table])
  }

  @Test("says unavailable while another process holds the write lock, and changes nothing")
  func busy() async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    let catalog = bench.catalog()
    let base = try await catalog.ensureTable(Self.table, TableCreation(.logs))
    var other: OpaquePointer?
    #expect(sqlite3_open(bench.path, &other) == SQLITE_OK)
    #expect(sqlite3_exec(other, "BEGIN IMMEDIATE", nil, nil, nil) == SQLITE_OK)
    do {
      _ = try await catalog.commit(Self.table, requirements: [], updates: [.setProperties(["a": "b"])])
      Issue.record("the commit was answered")
    } catch {
      guard case .unavailable = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(try await catalog.loadTable(Self.table) == base)  // readers are not in the way
    sqlite3_exec(other, "ROLLBACK", nil, nil, nil)
    sqlite3_close(other)
    let after = try await catalog.commit(Self.table, requirements: [], updates: [.setProperties(["a": "b"])])
    #expect(after.metadata.properties["a"] == "b")
  }

  @Test("has the layout that other engines expect")
  func layout() async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    let catalog = bench.catalog()
    let first = try await catalog.ensureTable(Self.table, TableCreation(.logs))
    let second = try await catalog.commit(Self.table, requirements: [], updates: [.setProperties(["a": "b"])])
    #expect(
      Self.query(bench.path, "SELECT * FROM iceberg_tables") == [
        ["icegate", "icegate", "logs", second.metadataLocation, first.metadataLocation, "TABLE"]
      ])
    #expect(
      Self.query(bench.path, "SELECT * FROM iceberg_namespace_properties") == [
        ["icegate", "icegate", "exists", "true"]
      ])
  }

  @Test("uses a file of the older layout as it is, and leaves views alone")
  func olderLayouts() async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    _ = Self.query(
      bench.path,
      """
      CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL,
        table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000),
        PRIMARY KEY (catalog_name, table_namespace, table_name))
      """)
    #expect(await CatalogContract.failures(of: bench.catalog(), prefix: "ns") == [])
    let newer = try SQLiteBench()
    defer { newer.remove() }
    let catalog = newer.catalog()
    try await catalog.createNamespace(["icegate"], properties: [:])
    _ = Self.query(
      newer.path, "INSERT INTO iceberg_tables VALUES ('icegate', 'icegate', 'logs', 'x', NULL, 'VIEW')")
    #expect(try await catalog.listTables(in: ["icegate"]) == [])
    await #expect(throws: CatalogError.noSuchTable(Self.table)) { _ = try await catalog.loadTable(Self.table) }
    await #expect(throws: CatalogError.tableExists(Self.table)) {
      _ = try await catalog.createTable(Self.table, TableCreation(.logs))
    }
  }

  @Test("keeps catalogs of different names in one file apart")
  func names() async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    let first = try await bench.catalog(name: "a").ensureTable(Self.table, TableCreation(.logs))
    #expect(try await bench.catalog(name: "b").listNamespaces() == [])
    let second = try await bench.catalog(name: "b").ensureTable(Self.table, TableCreation(.logs))
    #expect(first.metadata.location != second.metadata.location)
  }

  @Test("cleans old metadata files away when the table asks for it, the newest stay")
  func metadataLimit() async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    let catalog = bench.catalog()
    _ = try await catalog.ensureTable(Self.table, TableCreation(.logs))
    _ = try await catalog.commit(
      Self.table, requirements: [], updates: [.setProperties([TableProperties.metadataPreviousVersionsMax: "3"])])
    for turn in 0..<8 {
      _ = try await catalog.commit(Self.table, requirements: [], updates: [.setProperties(["turn": "\(turn)"])])
    }
    let versions = try await bench.metadataFiles().compactMap { MetadataFileName(location: $0)?.version }
    #expect(versions == [6, 7, 8, 9])
  }

  @Test("says corrupt when the pointer leads to no metadata, to garbage, or out of the store")
  func corrupt() async throws {
    for pointer in ["memory://lake/missing.metadata.json", "memory://lake/garbage", "s3://elsewhere/x"] {
      let bench = try SQLiteBench()
      defer { bench.remove() }
      let catalog = bench.catalog()
      try await catalog.createNamespace(["icegate"], properties: [:])
      _ = try await bench.store.put(ObjectKey(trusted: "garbage"), Bytes("{"), condition: .none)
      _ = Self.query(
        bench.path, "INSERT INTO iceberg_tables VALUES ('icegate', 'icegate', 'logs', '\(pointer)', NULL, 'TABLE')")
      do {
        _ = try await catalog.loadTable(Self.table)
        Issue.record("\(pointer) was loaded")
      } catch {
        guard case .corrupt = error else {
          Issue.record("\(pointer): \(error)")
          continue
        }
      }
    }
  }

  @Test("says why when the file is no database or cannot be made")
  func unusableFile() async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    try Data("this is no database, it only is as long as the header of one would have been at least".utf8)
      .write(to: URL(fileURLWithPath: bench.path))
    await #expect(throws: CatalogError.self) { _ = try await bench.catalog().listNamespaces() }
    let nowhere = SQLiteCatalog(
      path: "/nonexistent/catalog.db", store: bench.store, warehouse: bench.warehouse, random: TestRandomness(),
      wall: TestWall())
    do {
      _ = try await nowhere.listNamespaces()
      Issue.record("listed")
    } catch {
      guard case .unavailable(let why) = error else {
        Issue.record("\(error)")
        return
      }
      #expect(why.contains("/nonexistent/catalog.db"))
    }
  }

  /// Runs one statement beside the catalog.
  static func query(_ path: String, _ sql: String) -> [[String?]] {
    var database: OpaquePointer?
    var statement: OpaquePointer?
    defer { sqlite3_close(database) }
    guard sqlite3_open(path, &database) == SQLITE_OK,
      sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK
    else {
      Issue.record("\(String(cString: sqlite3_errmsg(database)))")
      return []
    }
    defer { sqlite3_finalize(statement) }
    var rows: [[String?]] = []
    while sqlite3_step(statement) == SQLITE_ROW {
      rows.append(
        (0..<sqlite3_column_count(statement)).map { column in
          sqlite3_column_text(statement, column).map { String(cString: $0) }
        })
    }
    return rows
  }
}
