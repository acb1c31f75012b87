/// What the configurations of all services have.
package protocol ServiceConfiguration: Sendable {
  var catalog: CatalogConfiguration { get }
  var storage: StorageConfiguration { get }
  /// Where the write-ahead log lies; nil: this service does not touch it.
  var queueBasePath: String? { get }
  var metrics: MetricsConfiguration { get }
  var tracing: TracingConfiguration { get }
  var facts: ConfigFacts { get }

  static func read(_ source: ConfigSource) throws(ConfigError) -> Self
}

/// The sections of every service's file.
struct SharedSections {
  let catalog: CatalogConfiguration
  let storage: StorageConfiguration
  let metrics: MetricsConfiguration
  let tracing: TracingConfiguration

  init(_ reader: inout ConfigReader, _ source: ConfigSource, ignored: inout [String]) throws(ConfigError) {
    catalog = try reader.section("catalog") { (section) throws(ConfigError) in
      try CatalogConfiguration(&section, ignored: &ignored)
    }
    storage = try reader.section("storage") { (section) throws(ConfigError) in try StorageConfiguration(&section) }
    metrics = try reader.section("metrics") { (section) throws(ConfigError) in try MetricsConfiguration(&section) }
    tracing = try reader.section("tracing") { (section) throws(ConfigError) in
      try TracingConfiguration(&section, environment: source.environment)
    }
  }
}

extension ConfigSource {
  /// Reads a whole file: what `read` leaves is refused, and what it read is kept as facts.
  func reading<Configuration: ServiceConfiguration>(
    _ read: (inout ConfigReader, SharedSections, inout [String]) throws(ConfigError) -> Configuration,
    facts: WritableKeyPath<Configuration, ConfigFacts>
  ) throws(ConfigError) -> Configuration {
    var reader = try reader()
    var ignored: [String] = []
    let shared = try SharedSections(&reader, self, ignored: &ignored)
    var configuration = try read(&reader, shared, &ignored)
    try reader.finish()
    configuration[keyPath: facts] = ConfigFacts(file: file, entries: reader.entries, ignored: ignored)
    // A key that contradicts another one is found before anything is opened.
    _ = try Places(configuration)
    return configuration
  }
}
