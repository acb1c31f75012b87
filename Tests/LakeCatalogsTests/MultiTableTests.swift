import LakeCatalogs
import LakeModel
import LakePorts
import LakeSchema
import PortContracts
import Testing

@Suite("commits to several tables")
struct MultiTableTests {
  private static let wall = TestWall()

  static func catalogs() throws -> [(String, any MultiTableCatalog, () -> Void)] {
    let bench = try SQLiteBench()
    let memory = MemoryCatalog(
      warehouse: WarehouseLocation(trusted: "memory://lake"), random: TestRandomness(), wall: wall)
    return [("memory", memory, {}), ("SQLite", bench.catalog(), { bench.remove() })]
  }

  private static func change(_ table: String, to value: String, uuid: String? = nil) -> TableChange {
    TableChange(
      table: TableIdentifier(namespace: ["n"], name: table),
      requirements: uuid.map { [.assertTableUUID($0)] } ?? [], updates: [.setProperties(["v": value])])
  }

  @Test("stand together or not at all")
  func together() async throws {
    for (name, catalog, remove) in try Self.catalogs() {
      defer { remove() }
      try await catalog.createNamespace(["n"], properties: [:])
      var uuids: [String] = []
      for table in ["a", "b"] {
        let made = try await catalog.createTable(TableIdentifier(namespace: ["n"], name: table), TableCreation(.logs))
        uuids.append(made.metadata.tableUUID)
      }
      func values() async throws -> [String?] {
        var found: [String?] = []
        for table in ["a", "b"] {
          found.append(
            try await catalog.loadTable(TableIdentifier(namespace: ["n"], name: table)).metadata.properties["v"])
        }
        return found
      }
      try await catalog.commit([
        Self.change("a", to: "1", uuid: uuids[0]), Self.change("b", to: "1", uuid: uuids[1]),
      ])
      #expect(try await values() == ["1", "1"], "\(name)")
      // The second requirement does not hold; a table that is not there.
      for bad in [Self.change("b", to: "2", uuid: uuids[0]), Self.change("none", to: "2")] {
        await #expect(throws: CatalogError.self, "\(name)") {
          try await catalog.commit([Self.change("a", to: "2"), bad])
        }
        #expect(try await values() == ["1", "1"], "\(name)")
      }
      try await catalog.commit([])
      #expect(try await values() == ["1", "1"], "\(name)")
    }
  }

  @Test("of many at once, each takes every table from one state to the next")
  func races() async throws {
    let bench = try SQLiteBench()
    defer { bench.remove() }
    let first = bench.catalog()
    try await first.createNamespace(["n"], properties: [:])
    for table in ["a", "b"] {
      _ = try await first.createTable(TableIdentifier(namespace: ["n"], name: table), TableCreation(.logs))
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<4 {
        let catalog = bench.catalog()
        group.addTask {
          var done = 0
          while done < 5 {
            do {
              try await catalog.commit([
                Self.change("a", to: "\(index)-\(done)"), Self.change("b", to: "\(index)-\(done)"),
              ])
              done += 1
            } catch let error as CatalogError where error.isConflict {}
          }
        }
      }
      try await group.waitForAll()
    }
    let a = try await first.loadTable(TableIdentifier(namespace: ["n"], name: "a")).metadata.properties["v"]
    let b = try await first.loadTable(TableIdentifier(namespace: ["n"], name: "b")).metadata.properties["v"]
    #expect(a == b && a != nil)
    // Losers removed what they had written: one file for each creation, and two for each of the 20 commits.
    #expect(try await bench.metadataFiles().count == 42)
  }
}
