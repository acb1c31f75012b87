import LakeModel
package import LakePorts
import LakeSchema

/// What every catalog must do, however it keeps its pointers: the doc comments of `Catalog` and PRT-2, one check each.
///
/// The checks of one run share a catalog; each works in a namespace of its own.
package enum CatalogContract {
  /// What one check works on.
  package struct Bench: Sendable {
    package let catalog: any Catalog
    /// One level; does not exist when the check begins.
    package let namespace: String

    package init(catalog: any Catalog, namespace: String) {
      self.catalog = catalog
      self.namespace = namespace
    }

    func table(_ name: String) -> TableIdentifier { TableIdentifier(namespace: [namespace], name: name) }

    /// A table in a namespace made for it.
    func newTable(_ name: String = "t") async throws -> (TableIdentifier, TableState) {
      try await catalog.createNamespace([namespace], properties: [:])
      return (table(name), try await catalog.createTable(table(name), Self.creation))
    }

    static let creation = TableCreation(
      schema: Schema(id: 0, fields: [Field(1, "tenant", .string, required: true), Field(2, "n", .long)]),
      partitionSpec: PartitionSpec(
        id: 0, fields: [PartitionField(sourceID: 1, fieldID: 1000, name: "tenant", transform: .identity)]),
      sortOrder: SortOrder(
        id: 1, fields: [SortField(sourceID: 2, direction: .descending, nullOrder: .last)]),
      properties: ["owner": "contract"])
  }

  package typealias Check = ContractCheck<Bench>

  package static let checks: [Check] = namespaces + tables + commits + races

  /// Runs every check, each in a namespace named by `prefix` and its number.
  ///
  /// - Returns: one line for each check that failed.
  package static func failures(of catalog: any Catalog, prefix: String) async -> [String] {
    var failures: [String] = []
    for (index, check) in checks.enumerated() {
      do {
        try await check.run(Bench(catalog: catalog, namespace: "\(prefix)\(index)"))
      } catch {
        failures.append("\(check.name): \(error)")
      }
    }
    return failures
  }
}

/// Which error came, without the words that differ from catalog to catalog.
enum CatalogErrorKind: Hashable, Sendable {
  case none, noSuchTable, noSuchNamespace, tableExists, namespaceExists, namespaceNotEmpty, conflict, invalid
  case other(String)

  init(_ error: CatalogError) {
    switch error {
    case .noSuchTable: self = .noSuchTable
    case .noSuchNamespace: self = .noSuchNamespace
    case .tableExists: self = .tableExists
    case .namespaceExists: self = .namespaceExists
    case .namespaceNotEmpty: self = .namespaceNotEmpty
    case .conflict: self = .conflict
    case .invalid: self = .invalid
    case .unavailable, .outcomeUnknown, .denied, .corrupt, .cancelled: self = .other("\(error)")
    }
  }

  static func of(_ body: () async throws -> Void) async -> CatalogErrorKind {
    do {
      try await body()
      return .none
    } catch let error as CatalogError {
      return CatalogErrorKind(error)
    } catch {
      return .other("\(error)")
    }
  }
}

/// A commit of an empty snapshot on top of `base`, as the shift makes them.
struct EmptyCommit {
  let snapshot: Snapshot
  let requirements: [TableRequirement]
  let updates: [TableUpdate]

  init(on base: TableMetadata, snapshotID: Int64, properties: [String: String] = [:]) {
    snapshot = Snapshot(
      id: snapshotID, parentID: base.currentSnapshotID, sequenceNumber: base.lastSequenceNumber + 1,
      timestamp: base.lastUpdated + 1, manifestList: "\(base.location)/metadata/snap-\(snapshotID).avro",
      summary: ["operation": "append"], schemaID: base.currentSchemaID)
    requirements = [
      .assertTableUUID(base.tableUUID), .assertRefSnapshotID(ref: "main", snapshotID: base.currentSnapshotID),
    ]
    updates = [
      .addSnapshot(snapshot), .setSnapshotRef(name: "main", SnapshotRef(snapshotID: snapshotID, kind: .branch)),
      .setProperties(properties),
    ]
  }

  func run(_ table: TableIdentifier, on catalog: any Catalog) async throws -> TableState {
    try await catalog.commit(table, requirements: requirements, updates: updates)
  }
}
