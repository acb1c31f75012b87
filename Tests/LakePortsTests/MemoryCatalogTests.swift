import LakeModel
import LakePorts
import LakeSchema
import PortContracts
import Testing

@Suite("the memory catalog")
struct MemoryCatalogTests {
  private func catalog() -> MemoryCatalog {
    MemoryCatalog(warehouse: WarehouseLocation(trusted: "memory://lake"), random: Counting(), wall: FixedWall())
  }

  @Test("keeps the contract of catalogs", arguments: CatalogContract.checks)
  func contract(check: CatalogContract.Check) async throws {
    try await check.run(.init(catalog: catalog(), namespace: "contract"))
  }

  @Test("keeps it when all checks share one catalog")
  func sharedContract() async { #expect(await CatalogContract.failures(of: catalog(), prefix: "ns") == []) }

  @Test("puts tables below its warehouse and names metadata files by version")
  func locations() async throws {
    let catalog = catalog()
    let state = try await catalog.ensureTable(TableIdentifier(LakeTable.logs), TableCreation(.logs))
    #expect(state.metadata.location == "memory://lake/icegate/logs")
    #expect(
      state.metadataLocation
        == "memory://lake/icegate/logs/metadata/00000-00000000-0000-4003-8000-000000000004.metadata.json")
    let next = try await catalog.commit(
      TableIdentifier(LakeTable.logs), requirements: [], updates: [.setProperties(["a": "b"])])
    #expect(MetadataFileName(location: next.metadataLocation)?.version == 1)
  }
}

/// Ids in a row.
final class Counting: Randomness, @unchecked Sendable {  // one test uses it from one actor
  private var last: UInt64 = 0
  func next() -> UInt64 {
    last += 1
    return last
  }
}

struct FixedWall: WallClock { let now = Timestamp(nanoseconds: 1_793_000_000_000_000_000) }
