import Foundation
import LakeAPI
import LakeCatalogs
import LakeIceberg
import LakeModel
import LakeNet
import LakePorts
import LakeSchema
import LakeStorage
import PortContracts
import Synchronization
import Testing

@Suite("requests that the catalog signs")
struct RemoteSignerTests {
  /// A catalog that signs, and a store that takes nothing unsigned, behind one transport.
  final class Signing: HTTPTransport {
    let catalog: ServerTransport
    private let seen = Mutex<[String]>([])
    private let away = Mutex(false)

    init(_ catalog: ServerTransport) { self.catalog = catalog }

    var requests: [String] { seen.withLock { $0 } }
    func leave() { away.withLock { $0 = true } }

    func send(_ exchange: HTTPExchange) async throws(TransportError) -> HTTPAnswer {
      let url = URLComponents(string: exchange.url)!
      if url.path.hasSuffix("/sign") {
        if away.withLock({ $0 }) { throw .notSent("refused") }
        seen.withLock { $0.append("sign \(url.host!)\(url.path)") }
        guard let wanted = try? RESTSigning.Request(exchange.body!), wanted.properties == ["table": "t"],
          exchange.headers.contains(where: { $0.name == "x-signer" && $0.value == "1" })
        else { return HTTPAnswer(status: 400, headers: [], body: Bytes()) }
        if wanted.body != nil { seen.withLock { $0.append("with the body") } }
        let result = RESTSigning.Result(
          uri: wanted.uri, headers: wanted.headers.merging(["Authorization": "signed \(wanted.method)"]) { $1 })
        return HTTPAnswer(status: 200, headers: [], body: result.encoded())
      }
      if url.host == "store" {
        let signature = exchange.headers.first { $0.name == "Authorization" }?.value
        seen.withLock { $0.append("\(exchange.method) \(url.path) \(signature ?? "by ourselves")") }
        let body = exchange.method == "POST" ? Bytes("<DeleteResult/>") : Bytes("data")
        return HTTPAnswer(status: 200, headers: [("etag", "\"1\"")], body: body)
      }
      let answer = try await catalog.send(exchange)
      guard answer.status == 200, answer.body.text.hasPrefix("{\"metadata-location\"") else {
        return answer
      }
      let signing = #","remote-signing-config":{"properties":{"table":"t"},"headers":{"x-signer":["1"]}}}"#
      return HTTPAnswer(status: 200, headers: [], body: Bytes(answer.body.text.dropLast() + signing))
    }
  }

  static func bench(_ config: [String: String]) throws -> (RESTCatalog, S3ObjectStore, Signing) {
    let wall = TestWall()
    var settings = IcebergHandler.Settings()
    settings.config = config
    let warehouse = WarehouseLocation(trusted: "s3://b/lake")
    let ports = Ports(
      clock: RunningClock(), wall: wall, random: TestRandomness(), store: MemoryObjectStore(),
      catalog: MemoryCatalog(warehouse: warehouse, random: TestRandomness(), wall: wall), warehouse: warehouse)
    let transport = Signing(ServerTransport(handler: IcebergHandler(ports: ports, settings: settings)))
    let own = CredentialChain(
      sources: .init(
        given: AWSCredentials(accessKeyID: "own", secretAccessKey: "own"), environment: { _ in nil },
        readFile: { _ in nil }, region: "r"), transport: transport, wall: wall)
    let vended = VendedCredentials(standard: own, wall: wall)
    let catalog = RESTCatalog(
      settings: RESTCatalogSettings(uri: "http://catalog", warehouse: ""), transport: transport, vended: vended,
      clock: RunningClock(), wall: wall, random: TestRandomness())
    var s3 = S3Settings(bucket: "b", region: "r", endpoint: "http://store")
    s3.attemptsMax = 2
    let client = S3Client(
      settings: s3, transport: transport, credentials: vended, clock: RunningClock(), wall: wall,
      random: TestRandomness())
    return (catalog, S3ObjectStore(client: client), transport)
  }

  @Test("are sent as the catalog gave them back, for the table's files only")
  func signed() async throws {
    let (catalog, store, transport) = try Self.bench(["s3.remote-signing-enabled": "true"])
    let table = TableIdentifier(LakeTable.logs)
    _ = try await catalog.ensureTable(table, TableCreation(.logs))
    _ = try await catalog.loadTable(table)
    _ = try await store.get(ObjectKey(trusted: "lake/icegate/logs/data/x"))
    _ = try await store.get(ObjectKey(trusted: "lake/icegate/spans/data/x"))
    let path = "sign catalog/v1/namespaces/icegate/tables/logs/sign"
    #expect(
      transport.requests == [
        path, "GET /b/lake/icegate/logs/data/x signed GET", "GET /b/lake/icegate/spans/data/x by ourselves",
      ])
    let keys = ["x", "y"].map { ObjectKey(trusted: "lake/icegate/logs/data/\($0)") }
    #expect(await store.deleteAll(keys) == [])
    #expect(transport.requests.suffix(3) == [path, "with the body", "POST /b signed POST"])
  }

  @Test("are neither sent nor known as done when the signer is away")
  func away() async throws {
    let (catalog, store, transport) = try Self.bench(["s3.remote-signing-enabled": "true"])
    let table = TableIdentifier(LakeTable.logs)
    _ = try await catalog.ensureTable(table, TableCreation(.logs))
    _ = try await catalog.loadTable(table)
    transport.leave()
    do throws(ObjectStoreError) {
      _ = try await store.put(ObjectKey(trusted: "lake/icegate/logs/data/x"), Bytes("1"), condition: .ifAbsent)
      Issue.record("written without a signature")
    } catch {
      guard case .unavailable = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(!transport.requests.contains { $0.hasPrefix("PUT") })
  }

  @Test("keys win over a signer; a signer that the server names is asked where it says")
  func places() async throws {
    let (catalog, store, transport) = try Self.bench([
      "s3.remote-signing-enabled": "true", "s3.access-key-id": "vended", "s3.secret-access-key": "x",
    ])
    let table = TableIdentifier(LakeTable.logs)
    _ = try await catalog.ensureTable(table, TableCreation(.logs))
    _ = try await store.get(ObjectKey(trusted: "lake/icegate/logs/data/x"))
    #expect(transport.requests == ["GET /b/lake/icegate/logs/data/x by ourselves"])
    let (other, itsStore, seen) = try Self.bench([
      "s3.remote-signing-enabled": "true", "signer.uri": "http://signer/", "signer.endpoint": "/v1/sign",
    ])
    _ = try await other.ensureTable(table, TableCreation(.logs))
    _ = try await other.loadTable(table)
    _ = try await itsStore.get(ObjectKey(trusted: "lake/icegate/logs/data/x"))
    #expect(seen.requests.first == "sign signer/v1/sign")
  }
}
