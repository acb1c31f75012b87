package import LakePorts

/// Where everything lies, worked out from the `storage`, `catalog` and `queue` sections before anything is opened.
///
/// One store holds all of it: on S3 a key begins with its bucket, on a file system it lies below `root_path`.
package struct Places: Sendable, Hashable {
  /// Maps locations to keys of the store.
  package let mapping: WarehouseLocation
  /// Below it tables without a location of their own are put; nil: the catalog decides.
  package let tables: String?
  /// Key prefix of the write-ahead log, no slash at either end; nil: this service does not touch it.
  package let queue: String?

  package init(_ configuration: some ServiceConfiguration) throws(ConfigError) {
    let facts = configuration.facts
    try Places.checkMemory(configuration)
    let warehouse = configuration.catalog.warehouse
    let location = WarehouseLocation(warehouse)
    switch configuration.storage.backend {
    case .s3(let s3):
      mapping = WarehouseLocation(allOf: "s3")
      tables = try Places.tables(configuration, location, inside: mapping, "s3://\(s3.bucket)/...")
      queue = try Places.queue(configuration, mapping, relativeTo: "s3://\(s3.bucket)", "s3://BUCKET/PREFIX")
    case .filesystem(let root):
      guard root.hasPrefix("/"), let found = WarehouseLocation(root) else {
        throw facts.refusal("storage.backend.root_path", "found `\(root)`, allowed: an absolute path")
      }
      mapping = found
      tables = try Places.tables(configuration, location, inside: mapping, "\(root)/...")
      queue = try Places.queue(configuration, mapping, relativeTo: found.root, "a place below \(root)")
    case .memory:
      // Any place will do, as long as both find themselves in the same memory.
      let scheme = location.map { String($0.root[..<$0.root.firstRange(of: "://")!.lowerBound]) } ?? "memory"
      mapping = WarehouseLocation(allOf: scheme)
      tables = location?.root ?? "memory://lake"
      queue = configuration.queueBasePath.map(Places.memoryQueue)
    }
    try checkApart(facts)
  }

  private static func memoryQueue(_ path: String) -> String {
    let names = path.firstRange(of: "://").map { path[$0.upperBound...] } ?? path[...]
    return ([".queue"] + names.split(separator: "/").map(String.init)).joined(separator: "/")
  }

  /// A catalog that forgets over a store that remembers would take rows for never shifted, or lose tables.
  private static func checkMemory(_ configuration: some ServiceConfiguration) throws(ConfigError) {
    guard case .memory = configuration.catalog.backend else { return }
    if case .memory = configuration.storage.backend { return }
    throw configuration.facts.refusal(
      "catalog.backend",
      "found `memory`, which forgets the tables that storage.backend keeps; allowed with it: rest, s3tables, glue, sqlite, object_store"
    )
  }

  private static func tables(
    _ configuration: some ServiceConfiguration, _ location: WarehouseLocation?, inside mapping: WarehouseLocation,
    _ allowed: String
  ) throws(ConfigError) -> String? {
    let warehouse = configuration.catalog.warehouse
    switch configuration.catalog.backend {
    case .rest, .s3tables: return nil
    case .memory, .glue, .sqlite, .objectStore: break
    }
    guard let location, location == mapping || (try? mapping.key(of: location.root)) != nil else {
      throw configuration.facts.refusal(
        "catalog.warehouse", "found `\(warehouse)`, which storage.backend does not hold; allowed: \(allowed)")
    }
    return location.root
  }

  private static func queue(
    _ configuration: some ServiceConfiguration, _ mapping: WarehouseLocation, relativeTo root: String, _ allowed: String
  ) throws(ConfigError) -> String? {
    guard let path = configuration.queueBasePath else { return nil }
    let isAbsolute = path.hasPrefix("/") || path.firstRange(of: "://") != nil
    let text = isAbsolute ? path : root + "/" + path
    guard let location = WarehouseLocation(text), let key = try? mapping.key(of: location.root) else {
      throw configuration.facts.refusal(
        "queue.common.base_path", "found `\(path)`, which storage.backend does not hold; allowed: \(allowed)")
    }
    return key.text
  }

  /// Segments inside a table's location would be taken for orphans by other engines (PRT-3).
  private func checkApart(_ facts: ConfigFacts) throws(ConfigError) {
    guard let queue, let tables else { return }
    let log = mapping.location(of: ObjectKey(trusted: queue))
    for table in ["logs", "spans", "metrics", "events", "operations"] {
      let location = "\(tables.hasSuffix("/") ? String(tables.dropLast()) : tables)/icegate/\(table)"
      if log == location || log.hasPrefix(location + "/") || location.hasPrefix(log + "/") && log != tables {
        throw facts.refusal(
          "queue.common.base_path",
          "found `\(log)`, which overlaps the table location \(location); allowed: a place beside the tables")
      }
    }
  }
}
