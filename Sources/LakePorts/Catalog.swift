package import LakeSchema

package struct TableIdentifier: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let namespace: [String]
  package let name: String

  package init(namespace: [String], name: String) {
    self.namespace = namespace
    self.name = name
  }

  package init(_ table: LakeTable) { self.init(namespace: [LakeTable.namespace], name: table.name) }

  package var description: String { (namespace + [name]).joined(separator: ".") }
  package static func < (a: TableIdentifier, b: TableIdentifier) -> Bool { a.description < b.description }
}

/// What the catalog says of a table now.
package struct TableState: Hashable, Sendable {
  package var metadata: TableMetadata
  /// Where that metadata was read from; a location never names two contents (PRT-2).
  package var metadataLocation: String

  package init(metadata: TableMetadata, metadataLocation: String) {
    self.metadata = metadata
    self.metadataLocation = metadataLocation
  }
}

/// What a new table is made of. Field, spec and order ids are kept as given.
package struct TableCreation: Hashable, Sendable {
  package var schema: Schema
  package var partitionSpec: PartitionSpec
  package var sortOrder: SortOrder
  /// nil: the catalog's own choice below its warehouse.
  package var location: String?
  package var properties: [String: String]

  package init(
    schema: Schema, partitionSpec: PartitionSpec, sortOrder: SortOrder, location: String? = nil,
    properties: [String: String] = [:]
  ) {
    self.schema = schema
    self.partitionSpec = partitionSpec
    self.sortOrder = sortOrder
    self.location = location
    self.properties = properties
  }

  /// One of our own tables.
  package init(_ table: LakeTable, location: String? = nil) {
    self.init(
      schema: table.schema, partitionSpec: table.partitionSpec, sortOrder: table.sortOrder, location: location,
      properties: table.properties)
  }
}

/// A catalog of Iceberg tables (PRT-2): a load sees every commit anyone was told of; a commit is all or nothing.
package protocol Catalog: Sendable {
  /// - Throws: `.noSuchNamespace` when the namespace around it is missing.
  func createNamespace(_ namespace: [String], properties: [String: String]) async throws(CatalogError)
  /// Of every depth, ascending.
  func listNamespaces() async throws(CatalogError) -> [[String]]
  /// Ascending.
  func listTables(in namespace: [String]) async throws(CatalogError) -> [TableIdentifier]
  func createTable(_ table: TableIdentifier, _ creation: TableCreation) async throws(CatalogError) -> TableState
  func loadTable(_ table: TableIdentifier) async throws(CatalogError) -> TableState
  /// Applies `updates` when every requirement holds of the table as it is at that moment.
  ///
  /// - Throws: `.conflict` when one does not, or another commit won: load again and decide anew;
  ///   `.outcomeUnknown` when the reply was lost: load and look for the commit before anything else (SHF-4).
  func commit(_ table: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate])
    async throws(CatalogError) -> TableState
  func dropTable(_ table: TableIdentifier) async throws(CatalogError)
  /// The table keeps its location and metadata.
  func renameTable(_ table: TableIdentifier, to target: TableIdentifier) async throws(CatalogError)
  /// Enters a table that exists already (its metadata file was written by somebody) under a name.
  func registerTable(_ table: TableIdentifier, _ state: TableState) async throws(CatalogError)
  func loadNamespace(_ namespace: [String]) async throws(CatalogError) -> [String: String]
  func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    async throws(CatalogError)
  /// - Throws: `.namespaceNotEmpty` when a table or another namespace lies in it.
  func dropNamespace(_ namespace: [String]) async throws(CatalogError)
}

/// What a commit to several tables does to one of them.
package struct TableChange: Hashable, Sendable {
  package var table: TableIdentifier
  package var requirements: [TableRequirement]
  package var updates: [TableUpdate]

  package init(table: TableIdentifier, requirements: [TableRequirement], updates: [TableUpdate]) {
    self.table = table
    self.requirements = requirements
    self.updates = updates
  }
}

/// A catalog that can change several tables in one step.
package protocol MultiTableCatalog: Catalog {
  /// Every change or none; a table occurs once.
  /// - Throws: as `commit` of one table.
  func commit(_ changes: [TableChange]) async throws(CatalogError)
}

extension Catalog {
  /// Creates the namespace and the table where they are missing; what is there stays as it is.
  package func ensureTable(_ table: TableIdentifier, _ creation: @autoclosure () -> TableCreation)
    async throws(CatalogError) -> TableState
  {
    do {
      return try await loadTable(table)
    } catch .noSuchTable {
    } catch .noSuchNamespace {
    }
    do {
      try await createNamespace(table.namespace, properties: [:])
    } catch .namespaceExists {
    }
    do {
      return try await createTable(table, creation())
    } catch .tableExists {  // somebody else was faster
      return try await loadTable(table)
    }
  }
}

package enum CatalogError: Error, Hashable, Sendable {
  case noSuchTable(TableIdentifier)
  case noSuchNamespace([String])
  case tableExists(TableIdentifier)
  case namespaceExists([String])
  case namespaceNotEmpty([String])
  /// A requirement does not hold, or another commit came first.
  case conflict(String)
  /// The updates contradict the table or each other; trying again cannot help.
  case invalid(String)
  /// Certainly not carried out; worth another try later.
  case unavailable(String)
  case outcomeUnknown(String)
  case denied(String)
  /// What the catalog points at cannot be read as table metadata.
  case corrupt(String)
  case cancelled
}

extension CatalogError {
  /// Another commit came first, or what the commit required has changed: load again and decide anew.
  package var isConflict: Bool { if case .conflict = self { true } else { false } }
}
