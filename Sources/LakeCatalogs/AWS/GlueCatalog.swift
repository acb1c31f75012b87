import LakeJSON
import LakeModel
package import LakePorts
import LakeSchema

/// AWS Glue: databases are namespaces of one level, tables keep `metadata_location` among their parameters.
package typealias GlueCatalog = PointerCatalog<GluePointers>

extension GlueCatalog {
  /// - Parameters:
  ///   - catalogID: the account whose catalog it is; nil: the caller's own.
  ///   - tables: below it tables without a location of their own are put.
  package init(
    service: AWSService, catalogID: String?, store: any ObjectStore, warehouse: WarehouseLocation, tables: String
  ) {
    self.init(
      pointers: GluePointers(
        service: service, catalogID: catalogID, tables: TableMetadata.withoutTrailingSlash(tables)), store: store,
      warehouse: warehouse, random: service.random, wall: service.wall)
  }
}

/// Pointers in Glue's tables, swapped by `UpdateTable` with the version that was read.
package struct GluePointers: TablePointers {
  let service: AWSService
  let catalogID: String?
  let tables: String

  private static let typeKey = "table_type"
  private static let locationKey = "metadata_location"
  private static let previousKey = "previous_metadata_location"

  // MARK: requests

  private func call(
    _ action: String, isReading: Bool = false, _ write: (inout JSONWriter) -> Void
  ) async throws(AWSService.Failure) -> JSONDocument {
    var json = JSONWriter()
    json.object { json in
      if let catalogID { json.member("CatalogId", catalogID) }
      write(&json)
    }
    let body = try await service.send(
      AWSService.Call(
        method: "POST",
        headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "AWSGlue.\(action)")],
        body: json.finish(), isRepeatable: isReading))
    do { return try JSONDocument(body.isEmpty ? Bytes("{}") : body) } catch {
      throw .unknown("\(action): the answer is no JSON")
    }
  }

  private func isMissing(_ failure: AWSService.Failure) -> Bool { failure.isType("EntityNotFoundException") }

  /// Glue has namespaces of one level.
  private func database(_ namespace: [String]) throws(CatalogError) -> String {
    guard namespace.count == 1 else { throw .noSuchNamespace(namespace) }
    return namespace[0]
  }

  // MARK: tables

  private struct Found {
    let document: JSONDocument
    var table: JSONValue? { document.root["Table"] }
    var version: String { table?["VersionId"]?.string ?? "" }
    func parameter(_ name: String) -> String? { table?["Parameters"]?[name]?.string }
  }

  private func find(_ table: TableIdentifier) async throws(CatalogError) -> Found? {
    guard table.namespace.count == 1 else { return nil }
    do throws(AWSService.Failure) {
      return Found(
        document: try await call("GetTable", isReading: true) { json in
          json.member("DatabaseName", table.namespace[0])
          json.member("Name", table.name)
        })
    } catch {
      if isMissing(error) { return nil }
      throw error.catalogError(isReading: true)
    }
  }

  package func pointer(of table: TableIdentifier) async throws(CatalogError) -> TablePointer? {
    guard let found = try await find(table), found.parameter(Self.typeKey)?.uppercased() == "ICEBERG",
      let location = found.parameter(Self.locationKey)
    else { return nil }
    return TablePointer(location: location, token: found.version)
  }

  package func reserve(_ table: TableIdentifier, location: String?) async throws(CatalogError) -> TableReservation {
    _ = try await loadNamespace(table.namespace)
    if try await find(table) != nil { throw .tableExists(table) }
    if let location { return TableReservation(location: location) }
    // Who dropped or renamed a table of this name left its files: no two tables share a location.
    return TableReservation(
      location:
        "\(tables)/\((table.namespace + [table.name]).joined(separator: "/"))-\(service.random.uuid().prefix(8))")
  }

  package func enter(_ table: TableIdentifier, _ reservation: TableReservation, location: String)
    async throws(CatalogError)
  {
    do throws(AWSService.Failure) {
      _ = try await call("CreateTable") { json in
        json.member("DatabaseName", table.namespace[0])
        json.key("TableInput")
        json.object { json in
          json.member("Name", table.name)
          json.member("TableType", "EXTERNAL_TABLE")
          json.key("StorageDescriptor")
          json.object { json in
            json.key("Columns")
            json.array { _ in }
            json.member("Location", reservation.location)
          }
          Self.write([Self.typeKey: "ICEBERG", Self.locationKey: location], to: &json)
        }
      }
    } catch {
      if error.isType("AlreadyExistsException") { throw .tableExists(table) }
      if isMissing(error) { throw .noSuchNamespace(table.namespace) }
      throw error.catalogError(isReading: false)
    }
  }

  private static func write(_ parameters: [String: String], to json: inout JSONWriter) {
    json.key("Parameters")
    json.object { json in
      for (name, value) in parameters.sorted(by: { $0.key < $1.key }) { json.member(name, value) }
    }
  }

  package func swap(_ table: TableIdentifier, from old: TablePointer, to location: String) async throws(CatalogError)
    -> SwapOutcome
  {
    guard let found = try await find(table), found.parameter(Self.locationKey) == old.location,
      found.version == old.token, let input = found.table
    else { return .lost }
    var parameters: [String: String] = [:]
    if let members = input["Parameters"], members.kind == .object {
      for member in members.members { parameters[member.nameText] = member.value.string ?? "" }
    }
    parameters[Self.locationKey] = location
    parameters[Self.previousKey] = old.location
    return try await settled(table, from: old, to: location) { () throws(AWSService.Failure) in
      _ = try await call("UpdateTable") { json in
        json.member("DatabaseName", table.namespace[0])
        json.member("VersionId", old.token)
        json.member("SkipArchive", true)
        json.key("TableInput")
        json.object { json in
          json.member("Name", table.name)
          for name in ["Description", "Owner", "TableType"] {
            if let text = input[name]?.string { json.member(name, text) }
          }
          if let descriptor = input["StorageDescriptor"] {
            json.key("StorageDescriptor")
            Self.copy(descriptor, to: &json)
          }
          Self.write(parameters, to: &json)
        }
      }
    } isLost: { failure in
      failure.isType("ConcurrentModificationException") || failure.isType("ResourceNotReadyException")
        || isMissing(failure)
    }
  }

  /// What others wrote about the table stays as it is.
  private static func copy(_ value: JSONValue, to json: inout JSONWriter) {
    switch value.kind {
    case .object:
      json.object { json in
        for member in value.members where !member.value.isNull {
          json.key(member.nameText)
          copy(member.value, to: &json)
        }
      }
    case .array: json.array { json in for element in value.elements { copy(element, to: &json) } }
    case .string: json.value(value.string ?? "")
    case .integer, .unsigned: json.value(value.int64 ?? 0)
    case .double: json.value(value.double ?? 0)
    case .bool: json.value(value.bool ?? false)
    case .null: json.null()
    }
  }

  package func remove(_ table: TableIdentifier) async throws(CatalogError) {
    guard try await pointer(of: table) != nil else { throw .noSuchTable(table) }
    do throws(AWSService.Failure) {
      _ = try await call("DeleteTable") { json in
        json.member("DatabaseName", table.namespace[0])
        json.member("Name", table.name)
      }
    } catch {
      if isMissing(error) { throw .noSuchTable(table) }
      throw error.catalogError(isReading: false)
    }
  }

  /// Glue has no such request, and one made of two would leave two names for one table, each with commits of its own.
  package func rename(_ table: TableIdentifier, to target: TableIdentifier) async throws(CatalogError) {
    guard try await pointer(of: table) != nil else { throw .noSuchTable(table) }
    throw .denied("AWS Glue cannot rename a table in one step")
  }

  /// - Parameter key: the member of the answers that holds the list.
  private func all(_ action: String, _ key: String, database: String?) async throws(AWSService.Failure)
    -> [JSONDocument]
  {
    var pages: [JSONDocument] = []
    var token: String?
    repeat {
      let page = try await call(action, isReading: true) { json in
        if let database { json.member("DatabaseName", database) }
        if let token { json.member("NextToken", token) }
      }
      pages.append(page)
      token = page.root["NextToken"]?.string.flatMap { $0.isEmpty ? nil : $0 }
    } while token != nil
    return pages
  }

  package func listTables(in namespace: [String]) async throws(CatalogError) -> [String] {
    _ = try await loadNamespace(namespace)
    do throws(AWSService.Failure) {
      return try await all("GetTables", "TableList", database: namespace[0]).flatMap { page -> [String] in
        guard let list = page.root["TableList"], list.kind == .array else { return [] }
        return list.elements.compactMap { table in
          table["Parameters"]?[Self.typeKey]?.string?.uppercased() == "ICEBERG" ? table["Name"]?.string : nil
        }
      }
    } catch {
      if isMissing(error) { throw .noSuchNamespace(namespace) }
      throw error.catalogError(isReading: true)
    }
  }

  // MARK: namespaces

  package func listNamespaces() async throws(CatalogError) -> [[String]] {
    do throws(AWSService.Failure) {
      return try await all("GetDatabases", "DatabaseList", database: nil).flatMap { page -> [[String]] in
        guard let list = page.root["DatabaseList"], list.kind == .array else { return [] }
        return list.elements.compactMap { $0["Name"]?.string.map { [$0] } }
      }
    } catch { throw error.catalogError(isReading: true) }
  }

  package func createNamespace(_ namespace: [String], properties: [String: String]) async throws(CatalogError) {
    guard namespace.count == 1 else {
      _ = try await loadNamespace([namespace[0]])
      throw .invalid("AWS Glue has namespaces of one level")
    }
    do throws(AWSService.Failure) {
      _ = try await call("CreateDatabase") { json in Self.write(namespace[0], properties, to: &json) }
    } catch {
      if error.isType("AlreadyExistsException") { throw .namespaceExists(namespace) }
      throw error.catalogError(isReading: false)
    }
  }

  private static func write(_ database: String, _ properties: [String: String], to json: inout JSONWriter) {
    json.key("DatabaseInput")
    json.object { json in
      json.member("Name", database)
      write(properties, to: &json)
    }
  }

  package func loadNamespace(_ namespace: [String]) async throws(CatalogError) -> [String: String] {
    let database = try database(namespace)
    do throws(AWSService.Failure) {
      let found = try await call("GetDatabase", isReading: true) { json in json.member("Name", database) }
      var properties: [String: String] = [:]
      if let members = found.root["Database"]?["Parameters"], members.kind == .object {
        for member in members.members { properties[member.nameText] = member.value.string ?? "" }
      }
      return properties
    } catch {
      if isMissing(error) { throw .noSuchNamespace(namespace) }
      throw error.catalogError(isReading: true)
    }
  }

  package func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    async throws(CatalogError)
  {
    var properties = try await loadNamespace(namespace).merging(setting) { $1 }
    for name in removing { properties[name] = nil }
    do throws(AWSService.Failure) {
      _ = try await call("UpdateDatabase") { [properties] json in
        json.member("Name", namespace[0])
        Self.write(namespace[0], properties, to: &json)
      }
    } catch {
      if isMissing(error) { throw .noSuchNamespace(namespace) }
      throw error.catalogError(isReading: false)
    }
  }

  /// Glue deletes a database with all that is in it: looked at first, and not to be raced with.
  package func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    _ = try await loadNamespace(namespace)
    do throws(AWSService.Failure) {
      let pages = try await all("GetTables", "TableList", database: namespace[0])
      let isEmpty = pages.allSatisfy { page in
        page.root["TableList"].map { $0.kind == .array && $0.elements.first { _ in true } == nil } ?? true
      }
      guard isEmpty else { throw AWSService.Failure.refused(status: 409, type: "NotEmpty", message: "") }
      _ = try await call("DeleteDatabase") { json in json.member("Name", namespace[0]) }
    } catch {
      if error.isType("NotEmpty") { throw .namespaceNotEmpty(namespace) }
      if isMissing(error) { throw .noSuchNamespace(namespace) }
      throw error.catalogError(isReading: false)
    }
  }
}
