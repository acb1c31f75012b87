import CSqlite
import Glibc
import LakePorts

/// The tables of the SQL catalog layout that PyIceberg's SqlCatalog and Java's JdbcCatalog share. Every method is one
/// transaction; none waits for anything but the database.
///
/// Source: README.md, "The layout".
actor SQLiteCatalogDatabase {
  private let executor = ThreadExecutor()
  nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

  private let path: String
  nonisolated let catalog: String
  private var opened: SQLiteConnection?
  /// Catalogs of the first layout have no column `iceberg_type`.
  private var hasTypeColumn = false

  init(path: String, catalog: String) {
    self.path = path
    self.catalog = catalog
  }

  // MARK: namespaces

  func createNamespace(_ namespace: String, parent: String?, properties: [String: String]) throws(SQLiteFailure) {
    try write { (database) throws(SQLiteFailure) in
      if let parent { guard try exists(parent, database) else { throw .rule(.noSuchNamespace(Self.levels(parent))) } }
      if try exists(namespace, database) { throw .rule(.namespaceExists(Self.levels(namespace))) }
      // A namespace is its rows: this one stays when the last property goes.
      try insert(["exists": "true"].merging(properties) { $1 }, into: namespace, database)
    }
  }

  func listNamespaces() throws(SQLiteFailure) -> [String] {
    try read { (database) throws(SQLiteFailure) in
      try database.query(
        """
        SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ?1
        UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = ?1
        """, [catalog]
      ).compactMap { $0[0] }
    }
  }

  func loadNamespace(_ namespace: String) throws(SQLiteFailure) -> [String: String] {
    try read { (database) throws(SQLiteFailure) in
      try require(namespace, database)
      let rows = try database.query(
        """
        SELECT property_key, property_value FROM iceberg_namespace_properties
        WHERE catalog_name = ?1 AND namespace = ?2 AND property_key <> 'exists'
        """, [catalog, namespace])
      return Dictionary(rows.map { ($0[0] ?? "", $0[1] ?? "") }) { $1 }
    }
  }

  func updateNamespace(_ namespace: String, setting: [String: String], removing: [String]) throws(SQLiteFailure) {
    try write { (database) throws(SQLiteFailure) in
      try require(namespace, database)
      for name in removing where name != "exists" {
        try database.query(
          "DELETE FROM iceberg_namespace_properties WHERE catalog_name = ?1 AND namespace = ?2 AND property_key = ?3",
          [catalog, namespace, name])
      }
      try insert(["exists": "true"].merging(setting) { $1 }, into: namespace, database)
    }
  }

  func dropNamespace(_ namespace: String) throws(SQLiteFailure) {
    try write { (database) throws(SQLiteFailure) in
      try require(namespace, database)
      let inside = try database.query(
        """
        SELECT 1 FROM iceberg_tables WHERE catalog_name = ?1
          AND (table_namespace = ?2 OR substr(table_namespace, 1, length(?2) + 1) = ?2 || '.')
        UNION SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = ?1
          AND substr(namespace, 1, length(?2) + 1) = ?2 || '.' LIMIT 1
        """, [catalog, namespace])
      guard inside.isEmpty else { throw .rule(.namespaceNotEmpty(Self.levels(namespace))) }
      try database.query(
        "DELETE FROM iceberg_namespace_properties WHERE catalog_name = ?1 AND namespace = ?2", [catalog, namespace])
    }
  }

  /// A namespace is there when it has a row of its own, a table, or another namespace inside.
  private func exists(_ namespace: String, _ database: SQLiteConnection) throws(SQLiteFailure) -> Bool {
    try !database.query(
      """
      SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = ?1
        AND (namespace = ?2 OR substr(namespace, 1, length(?2) + 1) = ?2 || '.')
      UNION SELECT 1 FROM iceberg_tables WHERE catalog_name = ?1
        AND (table_namespace = ?2 OR substr(table_namespace, 1, length(?2) + 1) = ?2 || '.') LIMIT 1
      """, [catalog, namespace]
    ).isEmpty
  }

  private func require(_ namespace: String, _ database: SQLiteConnection) throws(SQLiteFailure) {
    guard try exists(namespace, database) else { throw .rule(.noSuchNamespace(Self.levels(namespace))) }
  }

  private func insert(_ properties: [String: String], into namespace: String, _ database: SQLiteConnection)
    throws(SQLiteFailure)
  {
    for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
      try database.query(
        """
        INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value)
        VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (catalog_name, namespace, property_key) DO UPDATE SET property_value = excluded.property_value
        """, [catalog, namespace, name, value])
    }
  }

  static func levels(_ namespace: String) -> [String] {
    namespace.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  }

  // MARK: tables

  func listTables(in namespace: String) throws(SQLiteFailure) -> [String] {
    try read { (database) throws(SQLiteFailure) in
      try require(namespace, database)
      return try database.query(
        "SELECT table_name FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 \(onlyTables)",
        [catalog, namespace]
      ).compactMap { $0[0] }
    }
  }

  /// - Returns: nil when there is no such table.
  func pointer(of name: String, in namespace: String) throws(SQLiteFailure) -> String? {
    try read { (database) throws(SQLiteFailure) in
      try database.query(pointerStatement, [catalog, namespace, name]).first.flatMap { $0[0] }
    }
  }

  /// Asks for a table's pointer; its values are the catalog's name, the namespace and the table's name. Good once the database is open.
  var pointerStatement: String {
    """
    SELECT metadata_location FROM iceberg_tables
    WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 \(onlyTables)
    """
  }

  /// - Throws: `.rule` with `.noSuchNamespace` or `.tableExists`.
  func checkFree(_ table: TableIdentifier) throws(SQLiteFailure) {
    try read { (database) throws(SQLiteFailure) in try checkFree(table, database) }
  }

  private func checkFree(_ table: TableIdentifier, _ database: SQLiteConnection) throws(SQLiteFailure) {
    let namespace = table.namespace.joined(separator: ".")
    try require(namespace, database)
    // A view of the same name is in the way too.
    let rows = try database.query(
      "SELECT 1 FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3",
      [catalog, namespace, table.name])
    guard rows.isEmpty else { throw .rule(.tableExists(table)) }
  }

  /// Whether some table has its metadata below this location.
  func isLocationTaken(_ location: String) throws(SQLiteFailure) -> Bool {
    try read { (database) throws(SQLiteFailure) in
      try !database.query(
        "SELECT 1 FROM iceberg_tables WHERE substr(metadata_location, 1, length(?1) + 1) = ?1 || '/' LIMIT 1",
        [location]
      ).isEmpty
    }
  }

  func insertTable(_ table: TableIdentifier, pointer: String) throws(SQLiteFailure) {
    try write { (database) throws(SQLiteFailure) in try insert(table, pointer: pointer, database) }
  }

  private func insert(_ table: TableIdentifier, pointer: String, _ database: SQLiteConnection) throws(SQLiteFailure) {
    try checkFree(table, database)
    try database.query(
      """
      INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location\
      \(hasTypeColumn ? ", iceberg_type" : "")) VALUES (?1, ?2, ?3, ?4\(hasTypeColumn ? ", 'TABLE'" : ""))
      """, [catalog, table.namespace.joined(separator: "."), table.name, pointer])
  }

  /// - Returns: false when the pointer is not `old` any more: nothing was changed.
  func swapPointer(of table: TableIdentifier, from old: String, to new: String) throws(SQLiteFailure) -> Bool {
    try write { (database) throws(SQLiteFailure) in try swap(table, from: old, to: new, database) }
  }

  private func swap(_ table: TableIdentifier, from old: String, to new: String, _ database: SQLiteConnection)
    throws(SQLiteFailure) -> Bool
  {
    try database.query(
      """
      UPDATE iceberg_tables SET metadata_location = ?5, previous_metadata_location = ?4
      WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 AND metadata_location = ?4 \(onlyTables)
      """, [catalog, table.namespace.joined(separator: "."), table.name, old, new])
    return database.changes == 1
  }

  /// All of them in one transaction.
  /// - Returns: false when one is not where it was any more: nothing was changed.
  func swapPointers(_ swaps: [PointerSwap]) throws(SQLiteFailure) -> Bool {
    do throws(SQLiteFailure) {
      try write { (database) throws(SQLiteFailure) in
        for one in swaps {
          if let old = one.old {
            // Thrown, so that what came before is rolled back.
            guard try swap(one.table, from: old.location, to: one.location, database) else {
              throw .rule(.conflict("\(one.table): another commit came first"))
            }
          } else {
            try insert(one.table, pointer: one.location, database)
          }
        }
      }
      return true
    } catch .rule(.conflict) { return false }
  }

  func deleteTable(_ table: TableIdentifier) throws(SQLiteFailure) {
    try write { (database) throws(SQLiteFailure) in
      try database.query(
        "DELETE FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 \(onlyTables)",
        [catalog, table.namespace.joined(separator: "."), table.name])
      guard database.changes == 1 else { throw .rule(.noSuchTable(table)) }
    }
  }

  func renameTable(_ table: TableIdentifier, to target: TableIdentifier) throws(SQLiteFailure) {
    try write { (database) throws(SQLiteFailure) in
      let namespace = table.namespace.joined(separator: ".")
      let rows = try database.query(
        "SELECT 1 FROM iceberg_tables WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 \(onlyTables)",
        [catalog, namespace, table.name])
      guard !rows.isEmpty else { throw .rule(.noSuchTable(table)) }
      try checkFree(target, database)
      try database.query(
        """
        UPDATE iceberg_tables SET table_namespace = ?4, table_name = ?5
        WHERE catalog_name = ?1 AND table_namespace = ?2 AND table_name = ?3 \(onlyTables)
        """, [catalog, namespace, table.name, target.namespace.joined(separator: "."), target.name])
    }
  }

  /// Views of other engines live in the same table.
  private var onlyTables: String { hasTypeColumn ? "AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)" : "" }

  // MARK: transactions

  private func read<Result>(
    _ body: (SQLiteConnection) throws(SQLiteFailure) -> Result
  ) throws(SQLiteFailure) -> Result {
    try transaction("BEGIN", body)
  }

  private func write<Result>(
    _ body: (SQLiteConnection) throws(SQLiteFailure) -> Result
  ) throws(SQLiteFailure) -> Result {
    try transaction("BEGIN IMMEDIATE", body)
  }

  /// Up to COMMIT a failure means that nothing happened. A COMMIT that finds the database busy has not happened either; any
  /// other failure of it may have come after the point of no return.
  private func transaction<Result>(
    _ begin: String, _ body: (SQLiteConnection) throws(SQLiteFailure) -> Result
  ) throws(SQLiteFailure) -> Result {
    let database = try connection()
    let result: Result
    do {
      try database.query(begin)
      result = try body(database)
    } catch {
      rollBack(database)
      throw error
    }
    do throws(SQLiteError) {
      try database.run("COMMIT")
    } catch {
      let isBusy = error.kind == SQLITE_BUSY
      rollBack(database)
      throw isBusy || begin == "BEGIN" ? .notDone(error) : .unknown(error)
    }
    return result
  }

  /// A connection that cannot even roll back is given up.
  private func rollBack(_ database: SQLiteConnection) {
    guard database.isInTransaction else { return }
    do { try database.run("ROLLBACK") } catch { opened = nil }
  }

  private func connection() throws(SQLiteFailure) -> SQLiteConnection {
    if let opened { return opened }
    do throws(SQLiteError) {
      let database = try SQLiteConnection(path: path)
      try prepare(database)
      opened = database
      return database
    } catch { throw .notDone(error) }
  }

  private func prepare(_ database: SQLiteConnection) throws(SQLiteError) {
    // Readers are never in a writer's way in WAL mode; where it cannot be had the mode stays as it is. EXTRA is FULL, and
    // in the other modes the journal's directory is synced too: a commit we answered survives a power cut.
    do { try database.run("PRAGMA journal_mode = WAL") } catch { if error.kind != SQLITE_BUSY { throw error } }
    try database.run("PRAGMA synchronous = EXTRA")
    try database.run(
      """
      CREATE TABLE IF NOT EXISTS iceberg_tables (
        catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
        metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5),
        PRIMARY KEY (catalog_name, table_namespace, table_name))
      """)
    try database.run(
      """
      CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
        catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL,
        property_value VARCHAR(1000) NOT NULL, PRIMARY KEY (catalog_name, namespace, property_key))
      """)
    hasTypeColumn = try database.run("PRAGMA table_info(iceberg_tables)").contains { $0[1] == "iceberg_type" }
    syncDirectory()
  }

  /// The file itself must be found again after a power cut.
  private func syncDirectory() {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = fsync(descriptor)
    close(descriptor)
  }
}

enum SQLiteFailure: Error, Sendable {
  /// Certainly nothing was changed.
  case notDone(SQLiteError)
  /// The transaction may stand.
  case unknown(SQLiteError)
  /// The catalog's own rules.
  case rule(CatalogError)
}

extension SQLiteConnection {
  /// As `run`, for use inside a transaction: whatever fails there is rolled back.
  @discardableResult
  fileprivate func query(_ sql: String, _ values: [String?] = []) throws(SQLiteFailure) -> [[String?]] {
    do { return try run(sql, values) } catch { throw .notDone(error) }
  }
}
