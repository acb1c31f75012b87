/// `query run`: answers.
package struct QueryConfiguration: ServiceConfiguration {
  package var catalog: CatalogConfiguration
  package var storage: StorageConfiguration
  package var engine: EngineConfiguration
  package var queueBasePath: String?
  package var loki: ListenerConfiguration
  package var prometheus: ListenerConfiguration
  package var tempo: ListenerConfiguration
  /// Ours: Iceberg's REST protocol over the configured catalog.
  package var icebergREST: IcebergRESTConfiguration
  package var metrics: MetricsConfiguration
  package var tracing: TracingConfiguration
  package var facts: ConfigFacts

  /// Whether queries see what is not shifted yet.
  package var readsQueue: Bool { engine.readsQueue ?? (queueBasePath != nil) }

  package static func read(_ source: ConfigSource) throws(ConfigError) -> QueryConfiguration {
    try source.reading(
      { (reader, shared, ignored) throws(ConfigError) in
        let engine = try reader.section("engine") { (section) throws(ConfigError) in
          try EngineConfiguration(&section, ignored: &ignored)
        }
        let basePath = try reader.section("queue") { (section) throws(ConfigError) in
          try section.section("common") { (section) throws(ConfigError) in
            section.ignore(["channel_capacity", "max_row_group_size"], into: &ignored)
            return try section.optionalString("base_path")
          }
        }
        if engine.readsQueue == true && basePath == nil {
          throw reader.refusal(
            "queue.common.base_path",
            "is missing; allowed: a location such as s3://queue/, which engine.wal_query_enabled reads")
        }
        return QueryConfiguration(
          catalog: shared.catalog, storage: shared.storage, engine: engine, queueBasePath: basePath,
          loki: try .read("loki", &reader, port: 3100), prometheus: try .read("prometheus", &reader, port: 9090),
          tempo: try .read("tempo", &reader, port: 3200),
          icebergREST: try .read(&reader, enabled: false),
          metrics: shared.metrics, tracing: shared.tracing, facts: ConfigFacts(file: source.file))
      }, facts: \.facts)
  }
}

/// The `engine` section of the query service.
package struct EngineConfiguration: Sendable {
  /// Row groups scanned at the same time by one query.
  package var targetPartitions = 4
  /// Whether queries see what is not shifted yet; nil: when `queue.common.base_path` says where it lies. On by default,
  /// unlike the manual's: an answer without it is out of date.
  package var readsQueue: Bool?
  package var footerBytesHint = 65_536

  init(_ reader: inout ConfigReader, ignored: inout [String]) throws(ConfigError) {
    targetPartitions = try reader.int("target_partitions", default: 4, in: 1...1024)
    let refresh = try reader.int("refresh_interval_secs", default: 15, in: 1...86_400)
    let age = try reader.int("max_age_secs", default: 30, in: 1...86_400)
    if age < refresh {
      throw reader.refusal("max_age_secs", "found `\(age)`, allowed: at least refresh_interval_secs (\(refresh))")
    }
    // Every query confirms the snapshot that it read (RDR-1): there is no older one to be refreshed.
    reader.reportUnused(["refresh_interval_secs", "max_age_secs"], into: &ignored)
    readsQueue = try reader.optionalBool("wal_query_enabled")
    footerBytesHint = try reader.optionalInt("wal_metadata_size_hint", in: 8...1_073_741_824) ?? 65_536
    // Another engine's batches and SQL names.
    reader.ignore(["batch_size", "catalog_name"], into: &ignored)
  }
}
