import Foundation
import LakeAPI
import LakeCatalogs
import LakeModel
import LakeNet
import LakePorts
import LakeSchema
import PortContracts
import Testing

@Suite("the REST catalog client")
struct RESTCatalogTests {
  /// Our own server over a catalog in memory, without sockets between.
  static func bench(_ properties: [String: String] = [:], token: String? = nil) throws -> (RESTCatalog, ServerTransport)
  {
    let store = MemoryObjectStore()
    let warehouse = WarehouseLocation(trusted: "memory://lake")
    let catalog = try ObjectStoreCatalog(
      store: store, warehouse: warehouse, random: TestRandomness(), wall: TestWall())
    var settings = IcebergHandler.Settings()
    settings.token = token
    settings.tables = warehouse.root
    let ports = Ports(
      clock: RunningClock(), wall: TestWall(), random: TestRandomness(), store: store, catalog: catalog,
      warehouse: warehouse)
    let transport = ServerTransport(handler: IcebergHandler(ports: ports, settings: settings))
    return (client(properties, transport), transport)
  }

  static func client(_ properties: [String: String], _ transport: any HTTPTransport) -> RESTCatalog {
    var settings = RESTCatalogSettings(uri: "http://catalog/", warehouse: "lake", properties: properties)
    settings.backoffBase = .milliseconds(1)
    settings.backoffMax = .milliseconds(2)
    return RESTCatalog(
      settings: settings, transport: transport, clock: RunningClock(), wall: TestWall(), random: TestRandomness())
  }

  @Test("keeps the contract of catalogs against our own server", arguments: CatalogContract.checks)
  func contract(check: CatalogContract.Check) async throws {
    let (catalog, _) = try Self.bench(["prefix": "main"])
    try await check.run(.init(catalog: catalog, namespace: "contract"))
  }

  @Test("a table that did not change is not sent again")
  func remembered() async throws {
    let (catalog, transport) = try Self.bench()
    let table = TableIdentifier(LakeTable.logs)
    let state = try await catalog.ensureTable(table, TableCreation(.logs))
    let before = transport.statuses.count
    for _ in 0..<3 { #expect(try await catalog.loadTable(table) == state) }
    #expect(transport.statuses.dropFirst(before) == [304, 304, 304])
    let after = try await catalog.commit(table, requirements: [], updates: [.setProperties(["a": "b"])])
    #expect(try await catalog.loadTable(table) == after)
  }

  @Test("a token is fetched with the credential once, and again when the server stops taking it")
  func token() async throws {
    let (catalog, transport) = try Self.bench(["credential": "me:secret"], token: "secret")
    try await catalog.createNamespace(["a"], properties: [:])
    _ = try await catalog.listTables(in: ["a"])
    #expect(transport.paths.filter { $0 == "/v1/oauth/tokens" }.count == 1)
    transport.rejectNext(401)
    _ = try await catalog.listTables(in: ["a"])
    #expect(transport.paths.filter { $0 == "/v1/oauth/tokens" }.count == 2)
    let (wrong, _) = try Self.bench(["credential": "me:other"], token: "secret")
    await Self.expect(.denied) { try await wrong.createNamespace(["a"], properties: [:]) }
    let (given, _) = try Self.bench(["token": "other"], token: "secret")
    await Self.expect(.denied) { try await given.createNamespace(["a"], properties: [:]) }
  }

  enum Kind: Equatable { case denied, unavailable, unknown, none, other }

  static func kind(_ body: () async throws -> Void) async -> Kind {
    do {
      try await body()
      return .none
    } catch let error as CatalogError {
      switch error {
      case .denied: return .denied
      case .unavailable: return .unavailable
      case .outcomeUnknown: return .unknown
      default: return .other
      }
    } catch { return .other }
  }

  static func expect(_ wanted: Kind, _ body: () async throws -> Void) async {
    let found = await kind(body)
    #expect(found == wanted)
  }

  @Test(
    "a lost reply of a commit is unknown and not sent again; one that never left is unavailable; a read is repeated")
  func lost() async throws {
    let (catalog, transport) = try Self.bench()
    let table = TableIdentifier(LakeTable.logs)
    _ = try await catalog.ensureTable(table, TableCreation(.logs))
    for (error, wanted) in [
      (TransportError.broken("reset"), Kind.unknown), (.timedOut("late"), .unknown), (.notSent("refused"), .none),
    ] {
      transport.failNext(error)
      let before = transport.statuses.count
      await Self.expect(wanted) {
        _ = try await catalog.commit(table, requirements: [], updates: [.setProperties(["\(error)": "x"])])
      }
      #expect(transport.statuses.count - before == (wanted == .none ? 1 : 0))
      transport.failNext(error)
      _ = try await catalog.loadTable(table)
    }
    for status in [500, 502, 503, 504] {
      transport.rejectNext(status)
      await Self.expect(.unknown) {
        _ = try await catalog.commit(table, requirements: [], updates: [.setProperties(["s": "\(status)"])])
      }
      transport.rejectNext(status)
      _ = try await catalog.loadTable(table)
    }
  }

  @Test("keys that come with a table are used for its files and nothing else, until they expire")
  func vended() async throws {
    let standard = CredentialChain(
      sources: .init(
        given: AWSCredentials(accessKeyID: "own", secretAccessKey: "own"), environment: { _ in nil },
        readFile: { _ in nil }, region: "r"), transport: ServerTransport(handler: Nothing()), wall: TestWall())
    let vended = VendedCredentials(standard: standard, wall: TestWall())
    let later = Int64(Date().timeIntervalSince1970 * 1000) + 60_000
    var settings = IcebergHandler.Settings()
    settings.tables = "s3://b/lake"
    settings.config = [
      "s3.access-key-id": "vended", "s3.secret-access-key": "x", "s3.session-token": "t",
      "s3.session-token-expires-at-ms": "\(later)",
    ]
    let warehouse = WarehouseLocation(trusted: "s3://b/lake")
    let ports = Ports(
      clock: RunningClock(), wall: TestWall(), random: TestRandomness(), store: MemoryObjectStore(),
      catalog: MemoryCatalog(warehouse: warehouse, random: TestRandomness(), wall: TestWall()), warehouse: warehouse)
    let catalog = RESTCatalog(
      settings: RESTCatalogSettings(uri: "http://catalog", warehouse: ""),
      transport: ServerTransport(handler: IcebergHandler(ports: ports, settings: settings)), vended: vended,
      clock: RunningClock(), wall: TestWall(), random: TestRandomness())
    #expect(try await vended.credentials(for: "s3://b/lake/icegate/logs/x").accessKeyID == "own")
    _ = try await catalog.ensureTable(TableIdentifier(LakeTable.logs), TableCreation(.logs))
    #expect(try await vended.credentials(for: "s3://b/lake/icegate/logs/x").accessKeyID == "vended")
    #expect(try await vended.credentials(for: "s3://b/lake/icegate/spans/x").accessKeyID == "own")
  }

  @Test("keys are renewed before they expire, once for all who want them; expired ones are never used")
  func renewal() async throws {
    let standard = CredentialChain(
      sources: .init(
        given: AWSCredentials(accessKeyID: "own", secretAccessKey: "own"), environment: { _ in nil },
        readFile: { _ in nil }, region: "r"), transport: ServerTransport(handler: Nothing()), wall: TestWall())
    let warehouse = WarehouseLocation(trusted: "s3://b/lake")
    let ports = Ports(
      clock: RunningClock(), wall: TestWall(), random: TestRandomness(), store: MemoryObjectStore(),
      catalog: MemoryCatalog(warehouse: warehouse, random: TestRandomness(), wall: TestWall()), warehouse: warehouse)
    // Seconds until they expire, what is used, how often the table is loaded for it.
    for (life, used, loads) in [(3600, "vended", 0), (60, "vended", 1), (-10, "own", 1)] {
      var settings = IcebergHandler.Settings()
      settings.tables = "s3://b/lake"
      let expiry = (Int64(Date().timeIntervalSince1970) + Int64(life)) * 1000
      settings.config = [
        "s3.access-key-id": "vended", "s3.secret-access-key": "x", "s3.session-token-expires-at-ms": "\(expiry)",
      ]
      let transport = ServerTransport(handler: IcebergHandler(ports: ports, settings: settings))
      let vended = VendedCredentials(standard: standard, wall: TestWall())
      let catalog = RESTCatalog(
        settings: RESTCatalogSettings(uri: "http://catalog", warehouse: ""), transport: transport, vended: vended,
        clock: RunningClock(), wall: TestWall(), random: TestRandomness())
      _ = try await catalog.ensureTable(TableIdentifier(LakeTable.logs), TableCreation(.logs))
      let before = transport.paths.count
      #expect(try await vended.credentials(for: "s3://b/lake/icegate/logs/x").accessKeyID == used, "\(life)")
      #expect(transport.paths.dropFirst(before) == Array(repeating: Self.logsPath, count: loads)[...], "\(life)")
    }
  }

  private static let logsPath = "/v1/namespaces/icegate/tables/logs"
}

struct Nothing: HTTPHandler {
  func handle(_ request: HTTPRequest) async -> HTTPResponse { HTTPResponse(status: 404) }
}

/// A server reached without sockets.
final class ServerTransport: HTTPTransport, @unchecked Sendable {  // everything is guarded by `lock`
  private let handler: any HTTPHandler
  private let lock = NSLock()
  private var failure: TransportError?
  private var rejection: Int?
  private var seen: [(path: String, status: Int)] = []

  init(handler: any HTTPHandler) { self.handler = handler }

  private func locked<R>(_ body: () -> R) -> R {
    lock.lock()
    defer { lock.unlock() }
    return body()
  }

  var statuses: [Int] { locked { seen.map(\.status) } }
  var paths: [String] { locked { seen.map(\.path) } }
  func failNext(_ error: TransportError) { locked { failure = error } }
  func rejectNext(_ status: Int) { locked { rejection = status } }

  func send(_ exchange: HTTPExchange) async throws(TransportError) -> HTTPAnswer {
    if let error = locked({ () -> TransportError? in
      defer { failure = nil }; return failure
    }) {
      throw error
    }
    let url = URLComponents(string: exchange.url)!
    let isToken = url.path == "/v1/oauth/tokens"
    let refused =
      isToken
      ? nil
      : locked { () -> Int? in
        defer { rejection = nil }; return rejection
      }
    if let refused {
      return HTTPAnswer(status: refused, headers: [], body: Bytes())
    }
    let request = HTTPRequest(
      method: exchange.method, path: url.path, query: url.percentEncodedQuery ?? "",
      headers: HTTPHeaders(exchange.headers), body: exchange.body ?? Bytes())
    let response = await handler.handle(request)
    locked { seen.append((url.path, response.status)) }
    guard case .bytes(let body) = response.body else { throw .broken("a stream") }
    return HTTPAnswer(
      status: response.status, headers: response.headers.fields.map { ($0.name.lowercased(), $0.value) }, body: body)
  }
}

struct RunningClock: LakeClock {
  var now: ClockInstant { ClockInstant(nanoseconds: Int64(DispatchTime.now().uptimeNanoseconds)) }
  func sleep(until deadline: ClockInstant) async throws { try await Task.sleep(for: now.duration(to: deadline)) }
}
