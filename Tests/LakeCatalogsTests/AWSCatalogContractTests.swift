import Foundation
import LakeCatalogs
import LakeNet
import LakePorts
import LakeStorage
import PortContracts
import Testing

/// Run against servers that Conformance/s3 starts: `ICEGATE_TEST_GLUE=http://127.0.0.1:5000 swift test --filter AWSCatalog`.
@Suite("catalogs of AWS", .enabled(if: AWSBench.glue != nil, "ICEGATE_TEST_GLUE names no server"))
struct AWSCatalogContractTests {
  /// What Glue cannot do, whoever asks: namespaces in namespaces, renaming.
  static let notGlue = [
    "a namespace with something inside is not dropped", "tables are listed in order, each in its namespace",
    "a renamed table keeps everything but its name",
  ]
  /// What S3 Tables cannot do: those, properties of namespaces, locations of one's own, capital letters.
  static let notS3Tables =
    notGlue + [
      "a namespace keeps its properties", "a table of one's own location and properties",
      "a table is created by a commit that asserts its creation", "a dropped table can be registered again",
      "names that are alike stay apart", "names that the layout cannot hold are refused",
    ]

  @Test(
    "Glue keeps the contract as far as it goes",
    arguments: CatalogContract.checks.filter { !notGlue.contains($0.name) })
  func glue(check: CatalogContract.Check) async throws {
    try await check.run(.init(catalog: AWSBench.glueCatalog(), namespace: AWSBench.name()))
  }

  @Test(
    "S3 Tables keeps the contract as far as it goes",
    arguments: CatalogContract.checks.filter { !notS3Tables.contains($0.name) })
  func s3tables(check: CatalogContract.Check) async throws {
    try await check.run(.init(catalog: AWSBench.s3TablesCatalog(), namespace: AWSBench.name()))
  }

  @Test("what Glue and S3 Tables cannot do is refused, not done halfway")
  func refused() async throws {
    let glue = try await AWSBench.glueCatalog()
    let tables = try await AWSBench.s3TablesCatalog()
    for catalog in [glue, tables] as [any Catalog] {
      let namespace = AWSBench.name()
      try await catalog.createNamespace([namespace], properties: [:])
      await #expect(throws: CatalogError.self) { try await catalog.createNamespace([namespace, "a"], properties: [:]) }
      await #expect(throws: CatalogError.self) {
        try await catalog.createNamespace([AWSBench.name(), "a"], properties: [:])
      }
    }
  }
}

enum AWSBench {
  /// A server that also is the S3 behind the catalogs.
  static let glue = ProcessInfo.processInfo.environment["ICEGATE_TEST_GLUE"]
  static let moto = ProcessInfo.processInfo.environment["ICEGATE_TEST_MOTO"] ?? glue
  private static let transport = CurlTransport()

  static func name() -> String { "n" + UUID().uuidString.lowercased().filter { $0 != "-" }.prefix(16) }

  private static var credentials: CredentialChain {
    CredentialChain(
      sources: .init(
        given: AWSCredentials(accessKeyID: "test", secretAccessKey: "test"), environment: { _ in nil },
        readFile: { _ in nil }, region: "us-east-1"), transport: transport, wall: TestWall())
  }

  private static func service(_ name: String, _ endpoint: String?) -> AWSService {
    AWSService(
      name: name, settings: .init(region: "us-east-1", endpoint: endpoint), transport: transport,
      credentials: credentials, clock: RunningClock(), wall: TestWall(), random: TestRandomness())
  }

  private static func store() async throws -> S3Buckets {
    let store = S3Buckets(
      settings: S3Settings(bucket: "icegate", region: "us-east-1", endpoint: moto), transport: transport,
      credentials: credentials, clock: RunningClock(), wall: TestWall(), random: TestRandomness())
    _ = try? await store.store(ofBucket: "icegate").client.createBucket()
    return store
  }

  static func glueCatalog() async throws -> GlueCatalog {
    GlueCatalog(
      service: service("glue", glue), catalogID: nil, store: try await store(),
      warehouse: WarehouseLocation(allOf: "s3"),
      tables: "s3://icegate/glue")
  }

  static func s3TablesCatalog() async throws -> S3TablesCatalog {
    let arn = ProcessInfo.processInfo.environment["ICEGATE_TEST_TABLE_BUCKET"] ?? ""
    return S3TablesCatalog(
      service: service("s3tables", moto), tableBucket: arn, store: try await store(),
      warehouse: WarehouseLocation(allOf: "s3"))
  }
}
