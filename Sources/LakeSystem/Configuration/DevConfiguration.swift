/// What `icegate dev -c FILE` takes from a file: what a laptop may want to try, without the places that `--data` stands for.
package struct DevConfiguration: Sendable {
  package var limits = IngestLimitsConfiguration()
  package var cors = CORSConfiguration()
  package var process = ProcessConfiguration()
  package var tenancy = TenancyConfiguration(invalid: .reject)
  /// Of both OTLP ports.
  package var tls: TLSConfiguration?
  /// Nil: nothing of our own is traced.
  package var tracing: TracingConfiguration?

  package init() {}

  package static func read(_ source: ConfigSource) throws(ConfigError) -> DevConfiguration {
    var reader = try source.reader()
    var configuration = DevConfiguration()
    configuration.limits = try reader.section("limits") { (section) throws(ConfigError) in
      try IngestLimitsConfiguration(&section)
    }
    configuration.cors = try reader.section("cors") { (section) throws(ConfigError) in try CORSConfiguration(&section) }
    configuration.process = try reader.section("process") { (section) throws(ConfigError) in
      try ProcessConfiguration(&section)
    }
    configuration.tenancy = try reader.section("tenancy") { (section) throws(ConfigError) in
      try TenancyConfiguration(&section, default: .reject)
    }
    configuration.tls = try TLSConfiguration.read(&reader)
    configuration.tracing = try reader.optionalSection("tracing") { (section) throws(ConfigError) in
      try TracingConfiguration(&section, environment: source.environment)
    }
    try reader.finish()
    return configuration
  }
}
