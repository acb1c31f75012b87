/// A port that a service listens on: `enabled`, `host`, `port`.
package struct ListenerConfiguration: Sendable, Hashable {
  package var isEnabled: Bool
  package var host: String
  package var port: Int

  package init(isEnabled: Bool, host: String, port: Int) {
    self.isEnabled = isEnabled
    self.host = host
    self.port = port
  }

  init(_ reader: inout ConfigReader, enabled: Bool, host: String = "0.0.0.0", port: Int) throws(ConfigError) {
    isEnabled = try reader.bool("enabled", default: enabled)
    self.host = try reader.string("host", default: host)
    self.port = try reader.int("port", default: port, in: 0...65_535)
  }

  /// Reads the section of this name.
  static func read(_ name: String, _ reader: inout ConfigReader, enabled: Bool = true, port: Int) throws(ConfigError)
    -> ListenerConfiguration
  {
    try reader.section(name) { (section) throws(ConfigError) in
      try ListenerConfiguration(&section, enabled: enabled, port: port)
    }
  }
}

/// The `metrics` section.
package struct MetricsConfiguration: Sendable, Hashable {
  package var listener: ListenerConfiguration
  package var path: String

  init(_ reader: inout ConfigReader) throws(ConfigError) {
    listener = try ListenerConfiguration(&reader, enabled: false, host: "127.0.0.1", port: 9091)
    path = try reader.string("path", default: "/metrics")
    if !path.hasPrefix("/") { throw reader.refusal("path", "found `\(path)`, allowed: a path that starts with /") }
  }
}

/// The `tracing` section.
package struct TracingConfiguration: Sendable, Hashable {
  package var isEnabled: Bool
  package var serviceName: String?
  /// nil: tracing has nowhere to go and is off.
  package var endpoint: String?
  package var sampleRatio: Double

  init(_ reader: inout ConfigReader, environment: (String) -> String?) throws(ConfigError) {
    isEnabled = try reader.bool("enabled", default: true)
    serviceName = try reader.optionalString("service_name")
    endpoint = try reader.optionalString("otlp_endpoint") ?? environment("OTEL_EXPORTER_OTLP_ENDPOINT")
    sampleRatio = try reader.double("sample_ratio", default: 1, in: 0...1)
  }
}

/// The `tenancy` section, ours.
package struct TenancyConfiguration: Sendable, Hashable {
  package enum Invalid: String, CaseIterable, Sendable { case `default`, reject }
  /// What OTLP ingest does with a tenant that breaks the rules.
  package var invalid: Invalid

  package init(invalid: Invalid) { self.invalid = invalid }

  init(_ reader: inout ConfigReader, default fallback: Invalid = .default) throws(ConfigError) {
    invalid = try reader.choice("invalid", default: fallback)
  }
}

/// The `iceberg_rest` section, ours: the catalog served to other engines.
package struct IcebergRESTConfiguration: Sendable, Hashable {
  package var listener: ListenerConfiguration
  /// Whether other engines may only look.
  package var isReadOnly: Bool
  /// What a client must bring as `Authorization: Bearer ...`; nil: nothing.
  package var token: String?

  package init(listener: ListenerConfiguration, isReadOnly: Bool, token: String? = nil) {
    self.listener = listener
    self.isReadOnly = isReadOnly
    self.token = token
  }

  static func read(_ reader: inout ConfigReader, enabled: Bool) throws(ConfigError) -> IcebergRESTConfiguration {
    try reader.section("iceberg_rest") { (section) throws(ConfigError) in
      IcebergRESTConfiguration(
        listener: try ListenerConfiguration(&section, enabled: enabled, host: "127.0.0.1", port: 8181),
        isReadOnly: try section.bool("read_only", default: false), token: try section.optionalString("token"))
    }
  }
}
