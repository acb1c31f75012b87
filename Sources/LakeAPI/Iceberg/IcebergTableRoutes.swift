import LakeIceberg
import LakeModel
import LakePorts
import LakeSchema

/// `/namespaces/{namespace}/tables` and what is below, `register` and `/tables/rename`.
struct IcebergTableRoutes: Sendable {
  let ports: Ports
  let settings: IcebergHandler.Settings

  /// - Parameter skipped: arguments of the path before ours.
  func register(in router: inout Router, _ base: String, _ skipped: Int) {
    let tables = "\(base)/namespaces/{namespace}/tables"
    answer(&router, ["GET"], tables) { (request, arguments) throws(IcebergRefusal) in
      try await list(request, IcebergRequest.namespace(arguments[skipped]))
    }
    answer(&router, ["POST"], tables) { (request, arguments) throws(IcebergRefusal) in
      try await create(request, IcebergRequest.namespace(arguments[skipped]))
    }
    answer(&router, ["POST"], "\(base)/namespaces/{namespace}/register") {
      (request, arguments) throws(IcebergRefusal) in
      try await register(request, IcebergRequest.namespace(arguments[skipped]))
    }
    answer(&router, ["GET", "HEAD"], "\(tables)/{table}") { (request, arguments) throws(IcebergRefusal) in
      try await load(request, Self.table(arguments, skipped))
    }
    answer(&router, ["POST"], "\(tables)/{table}") { (request, arguments) throws(IcebergRefusal) in
      try await commit(request, Self.table(arguments, skipped))
    }
    answer(&router, ["DELETE"], "\(tables)/{table}") { (request, arguments) throws(IcebergRefusal) in
      try await drop(request, Self.table(arguments, skipped))
    }
    answer(&router, ["POST"], "\(tables)/{table}/metrics") { (_, _) throws(IcebergRefusal) in HTTPResponse(status: 204)
    }
    answer(&router, ["POST"], "\(base)/transactions/commit") { (request, _) throws(IcebergRefusal) in
      try await commitMany(request)
    }
    answer(&router, ["POST"], "\(base)/tables/rename") { (request, _) throws(IcebergRefusal) in
      try await rename(request)
    }
  }

  private static func table(_ arguments: RouteArguments, _ skipped: Int) -> TableIdentifier {
    TableIdentifier(namespace: IcebergRequest.namespace(arguments[skipped]), name: arguments[skipped + 1])
  }

  private func answer(
    _ router: inout Router, _ methods: [String], _ path: String,
    _ body: @escaping @Sendable (IcebergRequest, RouteArguments) async throws(IcebergRefusal) -> HTTPResponse
  ) {
    router.on(methods, path) { [settings] request, arguments in
      do throws(IcebergRefusal) {
        return try await body(IcebergRequest(request: request, settings: settings), arguments)
      } catch { return error.response }
    }
  }

  private func list(_ request: IcebergRequest, _ namespace: [String]) async throws(IcebergRefusal) -> HTTPResponse {
    let all: [TableIdentifier]
    do { all = try await ports.catalog.listTables(in: namespace) } catch { throw IcebergRefusal(error) }
    let (page, next) = try request.page(all) { $0.name }
    let names = page.map { RESTTables.Name(namespace: $0.namespace, name: $0.name) }
    return .json(200, RESTTables.Listing(tables: names, next: next).encoded())
  }

  // MARK: creation

  private func create(_ request: IcebergRequest, _ namespace: [String]) async throws(IcebergRefusal) -> HTTPResponse {
    let wanted = try request.message { (bytes) throws(IcebergError) in try RESTTables.Creation(bytes) }
    let table = TableIdentifier(namespace: namespace, name: wanted.name)
    let (schema, spec, order) = FreshIDs.assigned(
      schema: wanted.schema, spec: wanted.partitionSpec ?? PartitionSpec(id: 0, fields: []),
      order: wanted.sortOrder ?? SortOrder(id: 0, fields: []))
    let creation = TableCreation(
      schema: schema, partitionSpec: spec, sortOrder: order, location: wanted.location, properties: wanted.properties)
    if wanted.isStaged { return try await stage(table, creation) }
    do throws(CatalogError) {
      return loaded(try await ports.catalog.createTable(table, creation))
    } catch { throw IcebergRefusal(error) }
  }

  /// Works the table out without making it: a commit that asserts its creation follows.
  private func stage(_ table: TableIdentifier, _ creation: TableCreation) async throws(IcebergRefusal) -> HTTPResponse {
    do throws(CatalogError) {
      try CatalogRules.check(table)
      if try await ports.catalog.listTables(in: table.namespace).contains(table) { throw .tableExists(table) }
    } catch { throw IcebergRefusal(error) }
    guard
      let location = creation.location
        ?? settings.tables.map({
          // Not the standard place: whether another table lies there is known only when this one is made.
          "\($0)/\((table.namespace + [table.name]).joined(separator: "/"))-\(ports.random.uuid().prefix(8))"
        })
    else { throw .unsupported("a staged table needs a location here") }
    do throws(TableCommitError) {
      let metadata = try TableMetadata.creating(
        uuid: ports.random.uuid(), location: location, schema: creation.schema, partitionSpec: creation.partitionSpec,
        sortOrder: creation.sortOrder, properties: creation.properties,
        now: Int64(ports.wall.now.nanoseconds / 1_000_000))
      return .json(
        200, RESTTables.Loaded(metadataLocation: nil, metadata: metadata, config: settings.config).encoded())
    } catch { throw IcebergRefusal(CatalogRules.error(of: error)) }
  }

  private func register(_ request: IcebergRequest, _ namespace: [String]) async throws(IcebergRefusal) -> HTTPResponse {
    let wanted = try request.message { (bytes) throws(IcebergError) in try RESTTables.Registration(bytes) }
    let metadata = try await metadata(at: wanted.metadataLocation)
    let state = TableState(metadata: metadata, metadataLocation: wanted.metadataLocation)
    do throws(CatalogError) {
      try await ports.catalog.registerTable(TableIdentifier(namespace: namespace, name: wanted.name), state)
    } catch { throw IcebergRefusal(error) }
    return loaded(state)
  }

  private func metadata(at location: String) async throws(IcebergRefusal) -> TableMetadata {
    let key: ObjectKey
    do { key = try ports.warehouse.key(of: location) } catch {
      throw .badRequest("\(location) does not lie in the store of this catalog")
    }
    let bytes: Bytes
    do { bytes = try await ports.store.get(key).bytes } catch {
      if case .notFound = error { throw .badRequest("no file at \(location)") }
      throw IcebergRefusal(.unavailable("\(error)"))
    }
    do { return try TableMetadataCodec.decode(bytes) } catch {
      throw .badRequest("\(location) is no table metadata that can be read here")
    }
  }

  // MARK: one table

  private func loaded(_ state: TableState) -> HTTPResponse {
    var response = HTTPResponse.json(
      200,
      RESTTables.Loaded(
        metadataLocation: state.metadataLocation, metadata: state.metadata, config: settings.config
      ).encoded())
    response.headers.set("ETag", Self.tag(state))
    return response
  }

  /// A location never names two contents (PRT-2), so its last part tells them apart.
  private static func tag(_ state: TableState) -> String {
    "\"\(state.metadataLocation.split(separator: "/").last ?? "")\""
  }

  private func load(_ request: IcebergRequest, _ table: TableIdentifier) async throws(IcebergRefusal) -> HTTPResponse {
    var state: TableState
    do { state = try await ports.catalog.loadTable(table) } catch { throw IcebergRefusal(error) }
    let parameters = try request.parameters()
    if request.request.headers["If-None-Match"] == Self.tag(state), parameters["snapshots"] ?? "all" == "all" {
      return HTTPResponse(status: 304, headers: ["ETag": Self.tag(state)])
    }
    switch parameters["snapshots"] ?? "all" {
    case "all": break
    case "refs":
      let named = Set(state.metadata.refs.values.map(\.snapshotID))
      state.metadata.snapshots.removeAll { !named.contains($0.id) }
    case let other: throw .badRequest("snapshots: found \(other), allowed: all, refs")
    }
    return loaded(state)
  }

  private func commit(_ request: IcebergRequest, _ table: TableIdentifier) async throws(IcebergRefusal) -> HTTPResponse
  {
    let wanted = try request.message { (bytes) throws(IcebergError) in try RESTTables.Commit(bytes) }
    if let name = wanted.table, TableIdentifier(namespace: name.namespace, name: name.name) != table {
      throw .badRequest("the path names another table than the body")
    }
    do throws(CatalogError) {
      let state = try await ports.catalog.commit(table, requirements: wanted.requirements, updates: wanted.updates)
      let answer = RESTTables.Loaded(metadataLocation: state.metadataLocation, metadata: state.metadata)
      return .json(200, answer.encodedCommit(), headers: ["ETag": Self.tag(state)])
    } catch { throw IcebergRefusal(error) }
  }

  private func drop(_ request: IcebergRequest, _ table: TableIdentifier) async throws(IcebergRefusal) -> HTTPResponse {
    var files: [ObjectKey] = []
    if try request.parameters()["purgeRequested"]?.lowercased() == "true" { files = try await purgeable(table) }
    do { try await ports.catalog.dropTable(table) } catch { throw IcebergRefusal(error) }
    // The table is gone: what cannot be deleted now is an orphan, not a reason to say that it is there.
    let left = await ports.store.deleteAll(files)
    if !files.isEmpty {
      ports.journal.note(
        left.isEmpty ? .info : .warning, "iceberg.purged",
        [("table", "\(table)"), ("files", "\(files.count)"), ("left", "\(left.count)")])
    }
    return HTTPResponse(status: 204)
  }

  /// The files that go with the table, found before it is dropped: afterwards nothing would lead to them.
  private func purgeable(_ table: TableIdentifier) async throws(IcebergRefusal) -> [ObjectKey] {
    guard !LakeTable.all.contains(where: { TableIdentifier($0) == table }) else {
      throw .unsupported("\(table) is written by this lake: its files are not purged while it may be")
    }
    let state: TableState
    do { state = try await ports.catalog.loadTable(table) } catch { throw IcebergRefusal(error) }
    let purge = IcebergPurge(ports: ports, state: state)
    guard purge.isAllowed else { throw .badRequest("gc.enabled is false: the files of \(table) may be another's") }
    return try await purge.keys()
  }

  /// Several tables in one step, where the catalog can.
  private func commitMany(_ request: IcebergRequest) async throws(IcebergRefusal) -> HTTPResponse {
    let wanted = try request.message { (bytes) throws(IcebergError) in try RESTTables.Transaction(bytes) }
    var changes: [TableChange] = []
    for one in wanted.changes {
      guard let name = one.table else { throw .badRequest("a change of a transaction names its table") }
      let table = TableIdentifier(namespace: name.namespace, name: name.name)
      guard !changes.contains(where: { $0.table == table }) else { throw .badRequest("\(table) is changed twice") }
      changes.append(TableChange(table: table, requirements: one.requirements, updates: one.updates))
    }
    do throws(CatalogError) {
      if let only = changes.first, changes.count == 1 {
        _ = try await ports.catalog.commit(only.table, requirements: only.requirements, updates: only.updates)
      } else if let catalog = ports.catalog as? any MultiTableCatalog {
        try await catalog.commit(changes)
      } else {
        throw .invalid("this catalog changes one table at a time: \(changes.count) cannot be changed together")
      }
    } catch { throw IcebergRefusal(error) }
    return HTTPResponse(status: 204)
  }

  private func rename(_ request: IcebergRequest) async throws(IcebergRefusal) -> HTTPResponse {
    let wanted = try request.message { (bytes) throws(IcebergError) in try RESTTables.Rename(bytes) }
    do throws(CatalogError) {
      try await ports.catalog.renameTable(
        TableIdentifier(namespace: wanted.source.namespace, name: wanted.source.name),
        to: TableIdentifier(namespace: wanted.destination.namespace, name: wanted.destination.name))
    } catch { throw IcebergRefusal(error) }
    return HTTPResponse(status: 204)
  }
}
