import LakeIceberg
import LakeModel
package import LakeNet
package import LakePorts
package import LakeSchema

/// A catalog behind Iceberg's REST protocol: Nessie, Polaris, Lakekeeper, or another of our own.
package struct RESTCatalog: Catalog {
  let client: RESTCatalogClient
  private let remembered = RememberedTables()
  private let vended: VendedCredentials?

  /// - Parameters:
  ///   - credentials: to sign with, where the server wants AWS's signatures.
  ///   - vended: is told the keys that the server gives out with tables.
  package init(
    settings: RESTCatalogSettings, transport: any HTTPTransport, credentials: (any CredentialSource)? = nil,
    vended: VendedCredentials? = nil, clock: any LakeClock, wall: any WallClock, random: any Randomness
  ) {
    self.vended = vended
    client = RESTCatalogClient(
      settings: settings, transport: transport, credentials: credentials, clock: clock, wall: wall, random: random)
  }

  // MARK: paths

  private func path(_ namespace: [String]) async throws(CatalogError) -> String {
    let separator = try await client.agreement().separator
    return "/namespaces/" + namespace.map { PercentEncoding.encode($0) }.joined(separator: separator)
  }

  private func path(_ table: TableIdentifier) async throws(CatalogError) -> String {
    try await path(table.namespace) + "/tables/" + PercentEncoding.encode(table.name)
  }

  private func send(_ method: String, _ path: String, _ body: Bytes? = nil) async throws(CatalogError) -> HTTPAnswer {
    try await client.send(RESTCatalogClient.Call(method: method, path: path, body: body))
  }

  private func parsed<Value>(_ what: String, _ read: () throws(IcebergError) -> Value) throws(CatalogError) -> Value {
    do { return try read() } catch { throw .corrupt("\(what): \(error)") }
  }

  // MARK: namespaces

  package func createNamespace(_ namespace: [String], properties: [String: String]) async throws(CatalogError) {
    try CatalogRules.check(namespace: namespace)
    let body = RESTNamespaces.Creation(namespace: namespace, properties: properties).encoded()
    let answer = try await send("POST", "/namespaces", body)
    switch answer.status {
    case 200...299: return
    case 404: throw .noSuchNamespace(namespace.dropLast())
    case 409: throw .namespaceExists(namespace)
    default: throw RESTCatalogClient.refusal(answer, of: "creating a namespace")
    }
  }

  package func listNamespaces() async throws(CatalogError) -> [[String]] {
    var found: [[String]] = []
    var open: [[String]] = [[]]
    while let parent = open.popLast() {
      let inside = try await listNamespaces(in: parent)
      found += inside
      open += inside
    }
    return Set(found).sorted { $0.lexicographicallyPrecedes($1) { $0.utf8.precedes($1.utf8) } }
  }

  private func listNamespaces(in parent: [String]) async throws(CatalogError) -> [[String]] {
    var found: [[String]] = []
    var token: String? = ""
    while let page = token {
      var call = RESTCatalogClient.Call(method: "GET", path: "/namespaces", query: [("pageToken", page)])
      if !parent.isEmpty { call.query.append(("parent", parent.joined(separator: "\u{1F}"))) }
      let answer = try await client.send(call)
      // Servers of one level refuse the question; a namespace may go between two questions.
      if !parent.isEmpty, [400, 404, 406].contains(answer.status) { return [] }
      guard answer.status == 200 else { throw RESTCatalogClient.refusal(answer, of: "listing namespaces") }
      let listing = try parsed("namespaces") { () throws(IcebergError) in try RESTNamespaces.Listing(answer.body) }
      found += listing.namespaces.filter { $0.count > parent.count }
      token = listing.next.flatMap { $0.isEmpty || $0 == page ? nil : $0 }
    }
    return found
  }

  package func loadNamespace(_ namespace: [String]) async throws(CatalogError) -> [String: String] {
    let answer = try await send("GET", try await path(namespace))
    switch answer.status {
    case 200:
      return try parsed("namespace") { () throws(IcebergError) in try RESTNamespaces.Creation(answer.body).properties }
    case 404: throw .noSuchNamespace(namespace)
    default: throw RESTCatalogClient.refusal(answer, of: "loading a namespace")
    }
  }

  package func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    async throws(CatalogError)
  {
    try CatalogRules.checkUpdate(setting: setting, removing: removing)
    let body = RESTNamespaces.Update(removals: Set(removing).sorted(), updates: setting).encoded()
    let answer = try await send("POST", try await path(namespace) + "/properties", body)
    switch answer.status {
    case 200...299: return
    case 404: throw .noSuchNamespace(namespace)
    case 409: throw .conflict("the namespace changed meanwhile")
    default: throw RESTCatalogClient.refusal(answer, of: "updating a namespace")
    }
  }

  package func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    let answer = try await send("DELETE", try await path(namespace))
    switch answer.status {
    case 200...299: return
    case 404: throw .noSuchNamespace(namespace)
    case 409: throw .namespaceNotEmpty(namespace)
    default: throw RESTCatalogClient.refusal(answer, of: "dropping a namespace")
    }
  }

  // MARK: tables

  package func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier] {
    var found: [TableIdentifier] = []
    var token: String? = ""
    let path = try await path(namespace) + "/tables"
    while let page = token {
      let answer = try await client.send(
        RESTCatalogClient.Call(method: "GET", path: path, query: [("pageToken", page)]))
      switch answer.status {
      case 200: break
      case 404: throw .noSuchNamespace(namespace)
      default: throw RESTCatalogClient.refusal(answer, of: "listing tables")
      }
      let listing = try parsed("tables") { () throws(IcebergError) in try RESTTables.Listing(answer.body) }
      found += listing.tables.map { TableIdentifier(namespace: $0.namespace, name: $0.name) }
      token = listing.next.flatMap { $0.isEmpty || $0 == page ? nil : $0 }
    }
    return found.sorted()
  }

  package func createTable(_ table: TableIdentifier, _ creation: TableCreation) async throws(CatalogError) -> TableState
  {
    try CatalogRules.check(table)
    let body = RESTTables.Creation(
      name: table.name, location: creation.location, schema: creation.schema, partitionSpec: creation.partitionSpec,
      sortOrder: creation.sortOrder, properties: creation.properties
    ).encoded()
    let answer = try await client.send(
      RESTCatalogClient.Call(
        method: "POST", path: try await path(table.namespace) + "/tables", headers: RESTCatalog.delegation, body: body))
    switch answer.status {
    case 200...299: return try await loaded(table, answer)
    case 404: throw .noSuchNamespace(table.namespace)
    case 409: throw .tableExists(table)
    default: throw RESTCatalogClient.refusal(answer, of: "creating \(table)")
    }
  }

  /// Servers that hand out keys for a table's files may do so.
  private static let delegation = [(name: "X-Iceberg-Access-Delegation", value: "vended-credentials,remote-signing")]

  package func loadTable(_ table: TableIdentifier) async throws(CatalogError) -> TableState {
    guard (try? CatalogRules.check(table)) != nil else { throw .noSuchTable(table) }
    let known = await remembered.find(table)
    var call = RESTCatalogClient.Call(method: "GET", path: try await path(table), headers: RESTCatalog.delegation)
    if let known { call.headers.append(("If-None-Match", known.tag)) }
    let answer = try await client.send(call)
    switch answer.status {
    case 200: return try await loaded(table, answer)
    case 304 where known != nil: return known!.state
    case 404: throw .noSuchTable(table)
    default: throw RESTCatalogClient.refusal(answer, of: "loading \(table)")
    }
  }

  /// - Parameter isCommit: such an answer says nothing of how files are reached.
  private func loaded(_ table: TableIdentifier, _ answer: HTTPAnswer, isCommit: Bool = false)
    async throws(CatalogError) -> TableState
  {
    let found = try parsed("\(table)") { () throws(IcebergError) in try RESTTables.Loaded(answer.body) }
    guard let location = found.metadataLocation else {
      throw .corrupt("\(table): the answer names no metadata location")
    }
    let state = TableState(metadata: found.metadata, metadataLocation: location)
    let isVended =
      isCommit
      ? vended?.hasKeys(below: found.metadata.location) ?? false : try await takeAccess(found, table)
    // Keys expire: a state that came with some is asked for again.
    await remembered.keep(table, state, tag: isVended ? nil : answer.header("etag"))
    return state
  }

  /// What the answer says of how the table's files are reached.
  /// - Returns: whether it brought keys.
  private func takeAccess(_ found: RESTTables.Loaded, _ table: TableIdentifier) async throws(CatalogError) -> Bool {
    guard let vended else { return false }
    if vended.take(found, of: table, renew: { await renewKeys(table) }) { return true }
    let agreement = try await client.agreement()
    let config = agreement.properties.merging(found.config) { $1 }
    guard config["s3.remote-signing-enabled"] == "true" else { return false }
    let standard = "/v1\(agreement.prefix)\(try await path(table))/sign"
    vended.take(
      RemoteSigner(client: client, agreement: agreement, config: config, signing: found.signing, standard: standard),
      below: found.metadata.location)
    return false
  }

  /// Before keys expire. What fails is tried again by who needs them.
  private func renewKeys(_ table: TableIdentifier) async {
    do throws(CatalogError) {
      guard try await client.agreement().endpoints.contains(RESTCatalog.keysEndpoint) else {
        _ = try await loadTable(table)
        return
      }
      let answer = try await send("GET", try await path(table) + "/credentials")
      guard answer.status == 200, let found = try? RESTTables.Loaded.credentials(answer.body) else { return }
      vended?.take(found, of: table, renew: { await renewKeys(table) })
    } catch {}
  }

  private static let keysEndpoint = "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials"

  package func commit(_ table: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate])
    async throws(CatalogError) -> TableState
  {
    let name = RESTTables.Name(namespace: table.namespace, name: table.name)
    let body = RESTTables.Commit(table: name, requirements: requirements, updates: updates).encoded()
    let answer = try await send("POST", try await path(table), body)
    switch answer.status {
    case 200...299: return try await loaded(table, answer, isCommit: true)
    case 404:
      let isNamespace = RESTError(answer.body, status: 404).type == "NoSuchNamespaceException"
      throw isNamespace && requirements.contains(.assertCreate)
        ? .noSuchNamespace(table.namespace) : .noSuchTable(table)
    case 409: throw .conflict(RESTError(answer.body, status: 409).message)
    default: throw RESTCatalogClient.refusal(answer, of: "a commit to \(table)")
    }
  }

  package func dropTable(_ table: TableIdentifier) async throws(CatalogError) {
    let answer = try await client.send(
      RESTCatalogClient.Call(
        method: "DELETE", path: try await path(table), query: [("purgeRequested", "false")]))
    switch answer.status {
    case 200...299: return
    case 404: throw .noSuchTable(table)
    default: throw RESTCatalogClient.refusal(answer, of: "dropping \(table)")
    }
  }

  package func renameTable(_ table: TableIdentifier, to target: TableIdentifier) async throws(CatalogError) {
    try CatalogRules.check(target)
    let body = RESTTables.Rename(
      source: .init(namespace: table.namespace, name: table.name),
      destination: .init(namespace: target.namespace, name: target.name)
    ).encoded()
    let answer = try await send("POST", "/tables/rename", body)
    switch answer.status {
    case 200...299: return
    case 404:
      let isNamespace = RESTError(answer.body, status: 404).type == "NoSuchNamespaceException"
      throw isNamespace ? .noSuchNamespace(target.namespace) : .noSuchTable(table)
    case 409: throw .tableExists(target)
    default: throw RESTCatalogClient.refusal(answer, of: "renaming \(table)")
    }
  }

  package func registerTable(_ table: TableIdentifier, _ state: TableState) async throws(CatalogError) {
    try CatalogRules.check(table)
    let body = RESTTables.Registration(name: table.name, metadataLocation: state.metadataLocation).encoded()
    let answer = try await send("POST", try await path(table.namespace) + "/register", body)
    switch answer.status {
    case 200...299: return
    case 404: throw .noSuchNamespace(table.namespace)
    case 409: throw .tableExists(table)
    default: throw RESTCatalogClient.refusal(answer, of: "registering \(table)")
    }
  }
}

/// Tables as they were loaded last, with the server's tag, so that what did not change is not sent again.
private actor RememberedTables {
  private var tables: [TableIdentifier: (state: TableState, tag: String)] = [:]
  private var uses: [TableIdentifier] = []
  private static let tablesMax = 64

  func find(_ table: TableIdentifier) -> (state: TableState, tag: String)? { tables[table] }

  /// - Parameter tag: nil: not to be remembered.
  func keep(_ table: TableIdentifier, _ state: TableState, tag: String?) {
    uses.removeAll { $0 == table }
    tables[table] = tag.map { (state, $0) }
    guard tag != nil else { return }
    uses.append(table)
    if uses.count > Self.tablesMax { tables[uses.removeFirst()] = nil }
  }
}
