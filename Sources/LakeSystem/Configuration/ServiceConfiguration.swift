/// The configuration of the three services, each reading the sections that it knows.
package struct IngestConfiguration: Sendable {
  package var catalog: CatalogConfiguration
  package var storage: StorageConfiguration
  package var queue: QueueConfiguration
  package var shift: ShiftConfiguration
  package var otlpHTTP: ListenerConfiguration
  package var otlpGRPC: ListenerConfiguration
  package var metrics: MetricsConfiguration
  package var tracing: TracingConfiguration
  package var tenancy: TenancyConfiguration
  /// Keys of the file that are accepted and mean nothing here.
  package var ignored: [String]

  package static func read(_ source: ConfigSource) throws(ConfigError) -> IngestConfiguration {
    var reader = try source.reader()
    var ignored: [String] = []
    let configuration = IngestConfiguration(
      catalog: try reader.section("catalog") { (section) throws(ConfigError) in
        try CatalogConfiguration(&section, ignored: &ignored)
      },
      storage: try reader.section("storage") { (section) throws(ConfigError) in try StorageConfiguration(&section) },
      queue: try reader.section("queue") { (section) throws(ConfigError) in try QueueConfiguration(&section) },
      shift: try reader.section("shift") { (section) throws(ConfigError) in
        try ShiftConfiguration(&section, ignored: &ignored)
      },
      otlpHTTP: try .read("otlp_http", &reader, port: 4318), otlpGRPC: try .read("otlp_grpc", &reader, port: 4317),
      metrics: try reader.section("metrics") { (section) throws(ConfigError) in try MetricsConfiguration(&section) },
      tracing: try reader.section("tracing") { (section) throws(ConfigError) in
        try TracingConfiguration(&section, environment: source.environment)
      },
      tenancy: try reader.section("tenancy") { (section) throws(ConfigError) in try TenancyConfiguration(&section) },
      ignored: ignored)
    try reader.finish()
    return configuration
  }
}

package struct QueryConfiguration: Sendable {
  package var catalog: CatalogConfiguration
  package var storage: StorageConfiguration
  package var engine: EngineConfiguration
  /// Where the write-ahead log lies; nil: only the tables are read.
  package var queueBasePath: String?
  package var loki: ListenerConfiguration
  package var prometheus: ListenerConfiguration
  package var tempo: ListenerConfiguration
  package var metrics: MetricsConfiguration
  package var tracing: TracingConfiguration
  package var ignored: [String]

  package static func read(_ source: ConfigSource) throws(ConfigError) -> QueryConfiguration {
    var reader = try source.reader()
    var ignored: [String] = []
    let configuration = QueryConfiguration(
      catalog: try reader.section("catalog") { (section) throws(ConfigError) in
        try CatalogConfiguration(&section, ignored: &ignored)
      },
      storage: try reader.section("storage") { (section) throws(ConfigError) in try StorageConfiguration(&section) },
      engine: try reader.section("engine") { (section) throws(ConfigError) in
        try EngineConfiguration(&section, ignored: &ignored)
      },
      queueBasePath: try reader.section("queue") { (section) throws(ConfigError) in
        try section.section("common") { (section) throws(ConfigError) in
          section.ignore(["channel_capacity", "max_row_group_size"], into: &ignored)
          return try section.optionalString("base_path")
        }
      },
      loki: try .read("loki", &reader, port: 3100), prometheus: try .read("prometheus", &reader, port: 9090),
      tempo: try .read("tempo", &reader, port: 3200),
      metrics: try reader.section("metrics") { (section) throws(ConfigError) in try MetricsConfiguration(&section) },
      tracing: try reader.section("tracing") { (section) throws(ConfigError) in
        try TracingConfiguration(&section, environment: source.environment)
      }, ignored: ignored)
    try reader.finish()
    return configuration
  }
}

/// The `engine` section of the query service.
package struct EngineConfiguration: Sendable {
  /// Row groups scanned at the same time by one query.
  package var targetPartitions = 4
  package var refreshInterval = Duration.seconds(15)
  package var ageMax = Duration.seconds(30)
  /// Whether queries see what is not shifted yet. On, unlike the manual's default: an answer without it is out of date.
  package var readsQueue = true
  package var footerBytesHint = 65_536

  init(_ reader: inout ConfigReader, ignored: inout [String]) throws(ConfigError) {
    targetPartitions = try reader.int("target_partitions", default: 4, in: 1...1024)
    let refresh = try reader.int("refresh_interval_secs", default: 15, in: 1...86_400)
    let age = try reader.int("max_age_secs", default: 30, in: 1...86_400)
    if age < refresh {
      throw reader.refusal("max_age_secs", "found `\(age)`, allowed: at least refresh_interval_secs (\(refresh))")
    }
    refreshInterval = .seconds(refresh)
    ageMax = .seconds(age)
    readsQueue = try reader.bool("wal_query_enabled", default: true)
    footerBytesHint = try reader.optionalInt("wal_metadata_size_hint", in: 8...1_073_741_824) ?? 65_536
    // Another engine's batches and SQL names.
    reader.ignore(["batch_size", "catalog_name"], into: &ignored)
  }
}

package struct MaintainConfiguration: Sendable {
  package var catalog: CatalogConfiguration
  package var storage: StorageConfiguration
  package var metrics: MetricsConfiguration
  package var tracing: TracingConfiguration
  package var ignored: [String]

  package static func read(_ source: ConfigSource) throws(ConfigError) -> MaintainConfiguration {
    var reader = try source.reader()
    var ignored: [String] = []
    let configuration = MaintainConfiguration(
      catalog: try reader.section("catalog") { (section) throws(ConfigError) in
        try CatalogConfiguration(&section, ignored: &ignored)
      },
      storage: try reader.section("storage") { (section) throws(ConfigError) in try StorageConfiguration(&section) },
      metrics: try reader.section("metrics") { (section) throws(ConfigError) in try MetricsConfiguration(&section) },
      tracing: try reader.section("tracing") { (section) throws(ConfigError) in
        try TracingConfiguration(&section, environment: source.environment)
      }, ignored: ignored)
    try reader.finish()
    return configuration
  }
}

/// A configuration file and the environment that its `${NAME}`s are taken from.
package struct ConfigSource: Sendable {
  package var file: String
  package var text: String
  package var environment: @Sendable (String) -> String?

  package init(file: String, text: String, environment: @escaping @Sendable (String) -> String?) {
    self.file = file
    self.text = text
    self.environment = environment
  }

  func reader() throws(ConfigError) -> ConfigReader {
    let root: ConfigNode
    if file.hasSuffix(".toml") {
      root = try TOMLDocument.parse(text, file: file)
    } else if file.hasSuffix(".yaml") || file.hasSuffix(".yml") {
      root = try YAMLDocument.parse(text, file: file)
    } else {
      throw ConfigError(file: file, line: 0, key: "", message: "the name must end in .yaml, .yml or .toml")
    }
    return try ConfigReader(root, file: file, environment: environment)
  }
}
