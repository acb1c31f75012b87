import LakeIceberg
import LakePorts

/// Views: this catalog keeps none, and says so in the protocol's words. A list of them is empty, a look finds nothing,
/// and making one is refused.
struct IcebergViewRoutes: Sendable {
  let ports: Ports

  /// - Parameter skipped: arguments of the path before ours.
  func register(in router: inout Router, _ base: String, _ skipped: Int) {
    let views = "\(base)/namespaces/{namespace}/views"
    router.get(views) { [ports] _, arguments in
      let namespace = IcebergRequest.namespace(arguments[skipped])
      do throws(CatalogError) { _ = try await ports.catalog.loadNamespace(namespace) } catch {
        return IcebergRefusal(error).response
      }
      return .json(200, RESTTables.Listing(tables: [], next: nil).encoded())
    }
    router.get("\(views)/{view}") { _, arguments in
      IcebergRefusal(404, "NoSuchViewException", "view does not exist: \(arguments[skipped + 1])").response
    }
    let refused: Router.Handler = { _, _ in IcebergRefusal.unsupported("this catalog keeps no views").response }
    router.post(views, refused)
    router.on(["POST", "DELETE"], "\(views)/{view}", refused)
    router.post("\(base)/namespaces/{namespace}/register-view", refused)
    router.post("\(base)/views/rename", refused)
  }
}
