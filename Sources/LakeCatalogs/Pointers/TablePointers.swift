package import LakePorts

/// Where a table's metadata lies now.
package struct TablePointer: Hashable, Sendable {
  package var location: String
  /// What a swap is conditional on beside the location: a content tag, a version id, a token; whatever the catalog gives.
  package var token: String

  package init(location: String, token: String = "") {
    self.location = location
    self.token = token
  }
}

/// A name that is about to become a table.
package struct TableReservation: Hashable, Sendable {
  /// Where the table is to lie.
  package var location: String
  package var token: String

  package init(location: String, token: String = "") {
    self.location = location
    self.token = token
  }
}

package enum SwapOutcome: Hashable, Sendable {
  case swapped
  /// Another commit came first; ours certainly does not stand and never will.
  case lost
  /// The reply was lost and the pointer has moved since: ours stands if the metadata there has it in its log.
  case movedOn(String)
}

/// Keeps, for each table, the one location that counts: all that a catalog of metadata files has to get right.
package protocol TablePointers: Sendable {
  /// - Returns: nil when there is no such table.
  func pointer(of table: TableIdentifier) async throws(CatalogError) -> TablePointer?

  /// Looks whether the name is free, and where the table may lie.
  /// - Parameter location: as asked for; nil: the catalog's choice, shared with no other table.
  /// - Throws: `.noSuchNamespace`, `.tableExists`.
  func reserve(_ table: TableIdentifier, location: String?) async throws(CatalogError) -> TableReservation

  /// Makes the table. - Throws: `.tableExists` when somebody was faster.
  func enter(_ table: TableIdentifier, _ reservation: TableReservation, location: String) async throws(CatalogError)

  /// Gives back what `reserve` took, after the table did not come to be.
  func release(_ table: TableIdentifier, _ reservation: TableReservation) async

  /// - Throws: `.outcomeUnknown` when the swap may stand or may yet.
  func swap(_ table: TableIdentifier, from old: TablePointer, to location: String) async throws(CatalogError)
    -> SwapOutcome

  func remove(_ table: TableIdentifier) async throws(CatalogError)
  func rename(_ table: TableIdentifier, to target: TableIdentifier) async throws(CatalogError)

  func listTables(in namespace: [String]) async throws(CatalogError) -> [String]
  /// Namespaces around a known one may be left out.
  func listNamespaces() async throws(CatalogError) -> [[String]]
  func createNamespace(_ namespace: [String], properties: [String: String]) async throws(CatalogError)
  func loadNamespace(_ namespace: [String]) async throws(CatalogError) -> [String: String]
  func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    async throws(CatalogError)
  func dropNamespace(_ namespace: [String]) async throws(CatalogError)
}

/// One pointer of several that move together.
package struct PointerSwap: Hashable, Sendable {
  package var table: TableIdentifier
  /// nil: the table is new.
  package var old: TablePointer?
  package var location: String
}

/// Pointers of which several can move in one step.
package protocol MultiTablePointers: TablePointers {
  /// - Returns: false when one of them is not where it was any more: none has moved.
  /// - Throws: `.tableExists` for a new one whose name is taken, with none moved; `.outcomeUnknown` when all may have.
  func swapAll(_ swaps: [PointerSwap]) async throws(CatalogError) -> Bool
}

extension TablePointers {
  package func release(_ table: TableIdentifier, _ reservation: TableReservation) async {}
}
