import LakeIceberg
import LakeModel
package import LakePorts

/// The Iceberg REST port (8181): the configured catalog for every engine that speaks the protocol.
///
/// Source: apache/iceberg, open-api/rest-catalog-open-api.yaml. A `{prefix}` in a path is accepted and means nothing: one
/// server serves one catalog.
package struct IcebergHandler: HTTPHandler {
  private let router: Router
  private let settings: Settings
  private let journal: any Journal

  package struct Settings: Sendable {
    /// Whether engines may only look.
    package var isReadOnly = false
    /// What a client must bring as `Authorization: Bearer ...`; nil: nothing.
    package var token: String?
    /// Below it staged tables without a location of their own are put; nil: they must bring one.
    package var tables: String?
    /// What clients that do not say otherwise go by, `s3.endpoint` and the like: what they say themselves wins.
    package var defaults: [String: String] = [:]
    /// Given to every client with a table, and wins over what it says itself.
    package var config: [String: String] = [:]
    package var bodyBytesMax = 64 << 20
    /// Entries of one page that names no size.
    package var pageSize = 1000

    package init() {}
  }

  package init(ports: Ports, settings: Settings = Settings()) {
    self.settings = settings
    journal = ports.journal
    var router = Router { status, allowed in
      status == 404
        ? IcebergRefusal(404, "NotFoundException", "no such route").response
        : IcebergRefusal(405, "UnsupportedOperationException", "allowed: \(allowed.joined(separator: ", "))").response
    }
    let endpoints = IcebergHandler.endpoints(of: ports.catalog)
    router.get("/v1/config") { _, _ in
      .json(200, RESTConfig(defaults: settings.defaults, overrides: [:], endpoints: endpoints).encoded())
    }
    router.post("/v1/oauth/tokens") { request, _ in IcebergTokens(settings: settings).handle(request) }
    for (base, skipped) in [("/v1", 0), ("/v1/{prefix}", 1)] {
      IcebergNamespaceRoutes(ports: ports, settings: settings).register(in: &router, base, skipped)
      IcebergTableRoutes(ports: ports, settings: settings).register(in: &router, base, skipped)
      IcebergViewRoutes(ports: ports).register(in: &router, base, skipped)
    }
    self.router = router
  }

  private static func endpoints(of catalog: any Catalog) -> [String] {
    catalog is any MultiTableCatalog ? endpoints + ["POST /v1/{prefix}/transactions/commit"] : endpoints
  }

  /// What a client may count on, whatever the catalog behind it.
  static let endpoints = [
    "GET /v1/{prefix}/namespaces", "POST /v1/{prefix}/namespaces", "GET /v1/{prefix}/namespaces/{namespace}",
    "HEAD /v1/{prefix}/namespaces/{namespace}", "DELETE /v1/{prefix}/namespaces/{namespace}",
    "POST /v1/{prefix}/namespaces/{namespace}/properties", "GET /v1/{prefix}/namespaces/{namespace}/tables",
    "POST /v1/{prefix}/namespaces/{namespace}/tables", "POST /v1/{prefix}/namespaces/{namespace}/register",
    "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}",
    "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics", "POST /v1/{prefix}/tables/rename",
  ]

  package func handle(_ request: HTTPRequest) async -> HTTPResponse {
    var request = request
    // Base URLs of other servers end so, as the manual's `http://nessie:19120/iceberg`.
    if request.path.hasPrefix("/iceberg/v1/") { request.path = String(request.path.dropFirst("/iceberg".count)) }
    if let token = settings.token, request.path != "/v1/oauth/tokens",
      !IcebergTokens.isSame(request.headers["Authorization"] ?? "", "Bearer \(token)")
    {
      return IcebergRefusal(401, "NotAuthorizedException", "a bearer token is needed").response
    }
    let isReading = request.method == "GET" || request.method == "HEAD"
    let isHarmless = request.path.hasSuffix("/metrics") || request.path == "/v1/oauth/tokens"
    if settings.isReadOnly && !isReading && !isHarmless {
      return IcebergRefusal.forbidden("this catalog is served for reading only").response
    }
    var response = await router.handle(request)
    if response.status >= 500 {
      journal.note(.warning, "iceberg.failed", [("path", request.path), ("status", "\(response.status)")])
    }
    if request.method == "HEAD", response.status < 300 { response = HTTPResponse(status: 204) }
    return response
  }
}

/// The token endpoint, which some clients ask before anything else.
struct IcebergTokens: Sendable {
  let settings: IcebergHandler.Settings

  private static let lifetime = 3600

  /// The client's secret is the token itself: this server keeps no accounts.
  func handle(_ request: HTTPRequest) -> HTTPResponse {
    guard let parameters = try? RequestParameters(request) else {
      return IcebergRefusal.badRequest("the form cannot be read").response
    }
    guard let token = settings.token else {
      return .json(200, RESTToken(accessToken: "none", expiresIn: IcebergTokens.lifetime).encoded())
    }
    guard IcebergTokens.isSame(parameters["client_secret"] ?? "", token) else {
      return .json(401, Bytes(#"{"error":"invalid_client","error_description":"unknown client"}"#))
    }
    return .json(200, RESTToken(accessToken: token, expiresIn: IcebergTokens.lifetime).encoded())
  }

  /// Takes as long for a wrong text as for the right one of its length.
  static func isSame(_ a: String, _ b: String) -> Bool {
    let (a, b) = (Array(a.utf8), Array(b.utf8))
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

/// Parts of requests that both kinds of routes read.
struct IcebergRequest: Sendable {
  let request: HTTPRequest
  let settings: IcebergHandler.Settings

  func body() throws(IcebergRefusal) -> Bytes {
    do throws(RequestBody.Refused) {
      return try RequestBody.decoded(request, limit: settings.bodyBytesMax)
    } catch {
      switch error {
      case .tooLarge(let limit): throw IcebergRefusal(413, "BadRequestException", "the body is over \(limit) bytes")
      case .unknownCoding(let name): throw .badRequest("unknown Content-Encoding \(name)")
      case .malformed(let why): throw .badRequest(why)
      }
    }
  }

  /// Reads a message, or refuses the body that is none.
  func message<Message>(_ read: (Bytes) throws(IcebergError) -> Message) throws(IcebergRefusal) -> Message {
    let bytes = try body()
    do throws(IcebergError) { return try read(bytes) } catch {
      switch error {
      case .malformed(let why), .invalid(let why), .conflict(let why): throw .badRequest(why)
      case .unsupported(let why): throw .unsupported(why)
      }
    }
  }

  func parameters() throws(IcebergRefusal) -> RequestParameters {
    do { return try RequestParameters(request) } catch { throw .badRequest("the query cannot be read") }
  }

  /// Levels are separated by the unit separator.
  static func namespace(_ text: String) -> [String] {
    text.split(separator: "\u{1F}", omittingEmptySubsequences: false).map(String.init)
  }

  /// One page of what is sorted by `name`, and where the next begins.
  func page<Element>(_ all: [Element], _ name: (Element) -> String) throws(IcebergRefusal) -> ([Element], String?) {
    let parameters = try parameters()
    guard let token = parameters["pageToken"] else {
      // Clients that know no pages get everything.
      guard parameters["pageSize"] != nil else { return (all, nil) }
      return try slice(all[...], parameters, name)
    }
    return try slice(all.drop { !token.utf8.precedes(name($0).utf8) && !token.isEmpty }, parameters, name)
  }

  private func slice<Element>(
    _ rest: ArraySlice<Element>, _ parameters: RequestParameters, _ name: (Element) -> String
  ) throws(IcebergRefusal) -> ([Element], String?) {
    var size = settings.pageSize
    if let text = parameters["pageSize"] {
      guard let number = Int(text), number > 0 else { throw .badRequest("pageSize: found \(text), allowed: 1 and up") }
      size = number
    }
    let page = Array(rest.prefix(size))
    return (page, page.count < rest.count ? page.last.map(name) : nil)
  }
}
