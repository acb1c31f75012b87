/// `ingest run`: takes telemetry in, and shifts it into the tables.
package struct IngestConfiguration: ServiceConfiguration {
  package var catalog: CatalogConfiguration
  package var storage: StorageConfiguration
  package var queue: QueueConfiguration
  package var shift: ShiftConfiguration
  package var otlpHTTP: ListenerConfiguration
  package var otlpGRPC: ListenerConfiguration
  package var metrics: MetricsConfiguration
  package var tracing: TracingConfiguration
  package var tenancy: TenancyConfiguration
  package var limits: IngestLimitsConfiguration
  package var cors: CORSConfiguration
  package var process: ProcessConfiguration
  package var facts: ConfigFacts

  package var queueBasePath: String? { queue.basePath }

  package static func read(_ source: ConfigSource) throws(ConfigError) -> IngestConfiguration {
    try source.reading(
      { (reader, shared, ignored) throws(ConfigError) in
        IngestConfiguration(
          catalog: shared.catalog, storage: shared.storage,
          queue: try reader.section("queue") { (section) throws(ConfigError) in try QueueConfiguration(&section) },
          shift: try reader.section("shift") { (section) throws(ConfigError) in
            try ShiftConfiguration(&section, ignored: &ignored)
          },
          otlpHTTP: try .read("otlp_http", &reader, port: 4318), otlpGRPC: try .read("otlp_grpc", &reader, port: 4317),
          metrics: shared.metrics, tracing: shared.tracing,
          tenancy: try reader.section("tenancy") { (section) throws(ConfigError) in try TenancyConfiguration(&section)
          },
          limits: try reader.section("limits") { (section) throws(ConfigError) in
            try IngestLimitsConfiguration(&section)
          },
          cors: try reader.section("cors") { (section) throws(ConfigError) in try CORSConfiguration(&section) },
          process: try reader.section("process") { (section) throws(ConfigError) in try ProcessConfiguration(&section)
          },
          facts: ConfigFacts(file: source.file))
      }, facts: \.facts)
  }
}
