import LakeJSON
import LakeModel
import LakeNet
package import LakePorts
import LakeSchema

/// AWS S3 Tables: the service gives every table a place of its own and keeps its metadata location under a version token.
package typealias S3TablesCatalog = PointerCatalog<S3TablesPointers>

extension S3TablesCatalog {
  /// - Parameter tableBucket: its ARN.
  package init(service: AWSService, tableBucket: String, store: any ObjectStore, warehouse: WarehouseLocation) {
    self.init(
      pointers: S3TablesPointers(service: service, tableBucket: tableBucket), store: store, warehouse: warehouse,
      random: service.random, wall: service.wall)
  }
}

/// Pointers behind `UpdateTableMetadataLocation`, which takes the version token that was read and refuses a stale one.
package struct S3TablesPointers: TablePointers {
  let service: AWSService
  let tableBucket: String

  // MARK: requests

  private func call(
    _ method: String, _ path: String, query: [(name: String, value: String)] = [],
    _ write: ((inout JSONWriter) -> Void)? = nil
  ) async throws(AWSService.Failure) -> JSONDocument {
    var call = AWSService.Call(method: method, path: path, query: query, isRepeatable: method == "GET")
    if let write {
      var json = JSONWriter()
      json.object { json in write(&json) }
      call.body = json.finish()
      call.headers = [("Content-Type", "application/json")]
    }
    let body = try await service.send(call)
    do { return try JSONDocument(body.isEmpty ? Bytes("{}") : body) } catch {
      throw .unknown("\(path): the answer is no JSON")
    }
  }

  private func path(_ kind: String, _ parts: String...) -> String {
    "/\(kind)/" + ([tableBucket] + parts).map { PercentEncoding.encode($0) }.joined(separator: "/")
  }

  private func path(_ table: TableIdentifier) -> String { path("tables", table.namespace[0], table.name) }

  // MARK: tables

  private struct Place {
    let location: String?
    let warehouse: String
    let token: String
  }

  private func place(_ table: TableIdentifier) async throws(CatalogError) -> Place? {
    guard table.namespace.count == 1 else { return nil }
    do throws(AWSService.Failure) {
      let found = try await call("GET", path(table) + "/metadata-location").root
      guard let token = found["versionToken"]?.string, let warehouse = found["warehouseLocation"]?.string else {
        throw AWSService.Failure.unknown("the answer names no version token or warehouse location")
      }
      let location = found["metadataLocation"]?.string.flatMap { $0.isEmpty ? nil : $0 }
      return Place(location: location, warehouse: TableMetadata.withoutTrailingSlash(warehouse), token: token)
    } catch {
      if error.isStatus(404) { return nil }
      throw error.catalogError(isReading: true)
    }
  }

  package func pointer(of table: TableIdentifier) async throws(CatalogError) -> TablePointer? {
    guard let place = try await place(table), let location = place.location else { return nil }
    return TablePointer(location: location, token: place.token)
  }

  /// The service makes the table, empty, and says where it lies. One that somebody left without metadata is taken over.
  package func reserve(_ table: TableIdentifier, location: String?) async throws(CatalogError) -> TableReservation {
    _ = try await loadNamespace(table.namespace)
    do throws(AWSService.Failure) {
      _ = try await call("PUT", path("tables", table.namespace[0])) { json in
        json.member("name", table.name)
        json.member("format", "ICEBERG")
      }
    } catch {
      guard error.isStatus(409) else { throw error.catalogError(isReading: false) }
    }
    guard let place = try await place(table) else { throw .unavailable("\(table) went while it was being made") }
    guard place.location == nil else { throw .tableExists(table) }
    if let location, TableMetadata.withoutTrailingSlash(location) != place.warehouse {
      await release(table, TableReservation(location: place.warehouse, token: place.token))
      throw .invalid("S3 Tables gives every table a location of its own")
    }
    return TableReservation(location: place.warehouse, token: place.token)
  }

  package func release(_ table: TableIdentifier, _ reservation: TableReservation) async {
    // The token keeps a table that somebody else has made meanwhile.
    _ = try? await call("DELETE", path(table), query: [("versionToken", reservation.token)])
  }

  package func enter(_ table: TableIdentifier, _ reservation: TableReservation, location: String)
    async throws(CatalogError)
  {
    let old = TablePointer(location: "", token: reservation.token)
    switch try await swap(table, from: old, to: location) {
    case .swapped: return
    case .lost, .movedOn: throw .tableExists(table)
    }
  }

  package func swap(_ table: TableIdentifier, from old: TablePointer, to location: String) async throws(CatalogError)
    -> SwapOutcome
  {
    try await settled(table, from: old, to: location) { () throws(AWSService.Failure) in
      _ = try await call("PUT", path(table) + "/metadata-location") { json in
        json.member("metadataLocation", location)
        json.member("versionToken", old.token)
      }
    } isLost: { failure in
      failure.isStatus(409) || failure.isStatus(404)
    }
  }

  package func remove(_ table: TableIdentifier) async throws(CatalogError) {
    guard try await pointer(of: table) != nil else { throw .noSuchTable(table) }
    do throws(AWSService.Failure) { _ = try await call("DELETE", path(table)) } catch {
      if error.isStatus(404) { throw .noSuchTable(table) }
      throw error.catalogError(isReading: false)
    }
  }

  package func rename(_ table: TableIdentifier, to target: TableIdentifier) async throws(CatalogError) {
    guard let place = try await place(table), place.location != nil else { throw .noSuchTable(table) }
    _ = try await loadNamespace(target.namespace)
    if try await self.place(target) != nil { throw .tableExists(target) }
    do throws(AWSService.Failure) {
      _ = try await call("PUT", path(table) + "/rename") { json in
        json.member("newNamespaceName", target.namespace[0])
        json.member("newName", target.name)
        json.member("versionToken", place.token)
      }
    } catch {
      if error.isStatus(409) { throw .conflict("\(table) or \(target) changed meanwhile") }
      throw error.catalogError(isReading: false)
    }
  }

  /// - Parameter read: takes what it wants of each page.
  private func pages(
    _ path: String, query: [(name: String, value: String)] = [], _ read: (JSONValue) -> Void
  ) async throws(AWSService.Failure) {
    var token: String?
    repeat {
      let page = try await call("GET", path, query: query + (token.map { [("continuationToken", $0)] } ?? []))
      read(page.root)
      token = page.root["continuationToken"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    } while token != nil
  }

  package func listTables(in namespace: [String]) async throws(CatalogError) -> [String] {
    _ = try await loadNamespace(namespace)
    var names: [String] = []
    do throws(AWSService.Failure) {
      try await pages(path("tables"), query: [("namespace", namespace[0])]) { page in
        guard let list = page["tables"], list.kind == .array else { return }
        names += list.elements.compactMap { $0["name"]?.string }
      }
    } catch { throw error.catalogError(isReading: true) }
    // What is only reserved is not a table.
    var made: [String] = []
    for name in names where try await pointer(of: TableIdentifier(namespace: namespace, name: name)) != nil {
      made.append(name)
    }
    return made
  }

  // MARK: namespaces

  package func listNamespaces() async throws(CatalogError) -> [[String]] {
    var found: [[String]] = []
    do throws(AWSService.Failure) {
      try await pages(path("namespaces")) { page in
        guard let list = page["namespaces"], list.kind == .array else { return }
        for entry in list.elements {
          guard let levels = entry["namespace"], levels.kind == .array else { continue }
          found.append(levels.elements.compactMap(\.string))
        }
      }
    } catch { throw error.catalogError(isReading: true) }
    return found
  }

  package func createNamespace(_ namespace: [String], properties: [String: String]) async throws(CatalogError) {
    guard namespace.count == 1 else {
      _ = try await loadNamespace([namespace[0]])
      throw .invalid("S3 Tables has namespaces of one level")
    }
    if !properties.isEmpty {
      let isThere = (try? await loadNamespace(namespace)) != nil
      throw isThere ? .namespaceExists(namespace) : .invalid("S3 Tables keeps no properties of namespaces")
    }
    do throws(AWSService.Failure) {
      _ = try await call("PUT", path("namespaces")) { json in
        json.key("namespace")
        json.array { json in json.value(namespace[0]) }
      }
    } catch {
      if error.isStatus(409) { throw .namespaceExists(namespace) }
      throw error.catalogError(isReading: false)
    }
  }

  package func loadNamespace(_ namespace: [String]) async throws(CatalogError) -> [String: String] {
    guard namespace.count == 1 else { throw .noSuchNamespace(namespace) }
    do throws(AWSService.Failure) { _ = try await call("GET", path("namespaces", namespace[0])) } catch {
      if error.isStatus(404) { throw .noSuchNamespace(namespace) }
      throw error.catalogError(isReading: true)
    }
    return [:]
  }

  package func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    async throws(CatalogError)
  {
    _ = try await loadNamespace(namespace)
    if !setting.isEmpty { throw .invalid("S3 Tables keeps no properties of namespaces") }
  }

  package func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    _ = try await loadNamespace(namespace)
    if try await !listTables(in: namespace).isEmpty { throw .namespaceNotEmpty(namespace) }
    do throws(AWSService.Failure) { _ = try await call("DELETE", path("namespaces", namespace[0])) } catch {
      if error.isStatus(404) { throw .noSuchNamespace(namespace) }
      if error.isStatus(409) { throw .namespaceNotEmpty(namespace) }
      throw error.catalogError(isReading: false)
    }
  }
}
