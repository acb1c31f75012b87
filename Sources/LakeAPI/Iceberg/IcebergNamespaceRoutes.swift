import LakeIceberg
import LakeModel
import LakePorts

/// `/namespaces` and what is below, tables apart.
struct IcebergNamespaceRoutes: Sendable {
  let ports: Ports
  let settings: IcebergHandler.Settings

  /// - Parameter skipped: arguments of the path before ours.
  func register(in router: inout Router, _ base: String, _ skipped: Int) {
    answer(&router, ["GET"], "\(base)/namespaces") { (request, _) throws(IcebergRefusal) in try await list(request) }
    answer(&router, ["POST"], "\(base)/namespaces") { (request, _) throws(IcebergRefusal) in
      try await create(request)
    }
    answer(&router, ["GET", "HEAD"], "\(base)/namespaces/{namespace}") { (_, arguments) throws(IcebergRefusal) in
      let namespace = IcebergRequest.namespace(arguments[skipped])
      return .json(200, RESTNamespaces.Creation(namespace: namespace, properties: try await load(namespace)).encoded())
    }
    answer(&router, ["DELETE"], "\(base)/namespaces/{namespace}") { (_, arguments) throws(IcebergRefusal) in
      do throws(CatalogError) {
        try await ports.catalog.dropNamespace(IcebergRequest.namespace(arguments[skipped]))
      } catch { throw IcebergRefusal(error) }
      return HTTPResponse(status: 204)
    }
    answer(&router, ["POST"], "\(base)/namespaces/{namespace}/properties") {
      (request, arguments) throws(IcebergRefusal) in
      try await update(request, IcebergRequest.namespace(arguments[skipped]))
    }
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

  private func load(_ namespace: [String]) async throws(IcebergRefusal) -> [String: String] {
    do { return try await ports.catalog.loadNamespace(namespace) } catch { throw IcebergRefusal(error) }
  }

  /// The namespaces directly inside `parent`, or of the first level.
  private func list(_ request: IcebergRequest) async throws(IcebergRefusal) -> HTTPResponse {
    let parameters = try request.parameters()
    let parent = parameters["parent"].map(IcebergRequest.namespace) ?? []
    if !parent.isEmpty { _ = try await load(parent) }
    let all: [[String]]
    do { all = try await ports.catalog.listNamespaces() } catch { throw IcebergRefusal(error) }
    let inside = all.filter { $0.count == parent.count + 1 && $0.starts(with: parent) }
    let (page, next) = try request.page(inside) { $0[$0.count - 1] }
    return .json(200, RESTNamespaces.Listing(namespaces: page, next: next).encoded())
  }

  private func create(_ request: IcebergRequest) async throws(IcebergRefusal) -> HTTPResponse {
    let wanted = try request.message { (bytes) throws(IcebergError) in try RESTNamespaces.Creation(bytes) }
    do throws(CatalogError) {
      try await ports.catalog.createNamespace(wanted.namespace, properties: wanted.properties)
    } catch { throw IcebergRefusal(error) }
    return .json(200, wanted.encoded())
  }

  private func update(_ request: IcebergRequest, _ namespace: [String]) async throws(IcebergRefusal) -> HTTPResponse {
    let wanted = try request.message { (bytes) throws(IcebergError) in try RESTNamespaces.Update(bytes) }
    if let both = wanted.removals.sorted().first(where: { wanted.updates[$0] != nil }) {
      throw IcebergRefusal(422, "UnprocessableEntityException", "property \(both) is both set and removed")
    }
    let before = try await load(namespace)
    do throws(CatalogError) {
      try await ports.catalog.updateNamespace(namespace, setting: wanted.updates, removing: wanted.removals)
    } catch { throw IcebergRefusal(error) }
    let removals = Set(wanted.removals).sorted()
    return .json(
      200,
      RESTNamespaces.updated(
        wanted.updates.keys.sorted(), removed: removals.filter { before[$0] != nil },
        missing: removals.filter { before[$0] == nil }))
  }
}
