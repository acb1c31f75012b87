import Foundation
import LakeCatalogs
import LakeNet
import LakePorts
import LakeStorage
import PortContracts
import Testing

/// Runs against a server that Conformance/s3 starts: `ICEGATE_TEST_S3=http://127.0.0.1:5000 swift test --filter S3Catalog`.
@Suite(
  "the object-store catalog on S3",
  .enabled(if: S3CatalogBench.endpoint != nil, "ICEGATE_TEST_S3 names no server"))
struct S3CatalogContractTests {
  @Test("keeps the contract of catalogs", arguments: CatalogContract.checks)
  func contract(check: CatalogContract.Check) async throws {
    let environment = ProcessInfo.processInfo.environment
    let given = AWSCredentials(
      accessKeyID: environment["ICEGATE_TEST_S3_KEY"] ?? "test",
      secretAccessKey: environment["ICEGATE_TEST_S3_SECRET"] ?? "test")
    let credentials = CredentialChain(
      sources: .init(given: given, environment: { _ in nil }, readFile: { _ in nil }, region: "us-east-1"),
      transport: S3CatalogBench.transport, wall: TestWall())
    let settings = S3Settings(bucket: "icegate", region: "us-east-1", endpoint: S3CatalogBench.endpoint!)
    let store = S3Buckets(
      settings: settings, transport: S3CatalogBench.transport, credentials: credentials, clock: RunningClock(),
      wall: TestWall(),
      random: TestRandomness())
    _ = try? await store.store(ofBucket: "icegate").client.createBucket()
    let catalog = try ObjectStoreCatalog(
      store: store, warehouse: WarehouseLocation(allOf: "s3"), tables: "s3://icegate/catalog/\(UUID().uuidString)",
      random: TestRandomness(), wall: TestWall())
    try await check.run(.init(catalog: catalog, namespace: "contract"))
  }
}

enum S3CatalogBench {
  static let endpoint = ProcessInfo.processInfo.environment["ICEGATE_TEST_S3"]
  static let transport = CurlTransport()
}
