/// `maintain run|migrate`: keeps the tables in order.
package struct MaintainConfiguration: ServiceConfiguration {
  package var catalog: CatalogConfiguration
  package var storage: StorageConfiguration
  /// Ours: with a `queue` section, this service shifts too.
  package var queue: QueueConfiguration?
  package var shift: ShiftConfiguration
  /// Ours: Iceberg's REST protocol over the configured catalog.
  package var icebergREST: IcebergRESTConfiguration
  package var metrics: MetricsConfiguration
  package var tracing: TracingConfiguration
  package var facts: ConfigFacts

  package var queueBasePath: String? { queue?.basePath }

  package static func read(_ source: ConfigSource) throws(ConfigError) -> MaintainConfiguration {
    try source.reading(
      { (reader, shared, ignored) throws(ConfigError) in
        MaintainConfiguration(
          catalog: shared.catalog, storage: shared.storage,
          queue: try reader.optionalSection("queue") { (section) throws(ConfigError) in
            try QueueConfiguration(&section)
          },
          shift: try reader.section("shift") { (section) throws(ConfigError) in
            try ShiftConfiguration(&section, ignored: &ignored)
          }, icebergREST: try .read(&reader, enabled: true), metrics: shared.metrics, tracing: shared.tracing,
          facts: ConfigFacts(file: source.file))
      }, facts: \.facts)
  }
}
