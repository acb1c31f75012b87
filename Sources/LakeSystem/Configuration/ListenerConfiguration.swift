/// A port that a service listens on: `enabled`, `host`, `port`, and ours, `tls`.
package struct ListenerConfiguration: Sendable, Hashable {
  package var isEnabled: Bool
  package var host: String
  package var port: Int
  /// Nil: plain TCP.
  package var tls: TLSConfiguration?

  package init(isEnabled: Bool, host: String, port: Int, tls: TLSConfiguration? = nil) {
    self.isEnabled = isEnabled
    self.host = host
    self.port = port
    self.tls = tls
  }

  init(_ reader: inout ConfigReader, enabled: Bool, host: String = "0.0.0.0", port: Int) throws(ConfigError) {
    isEnabled = try reader.bool("enabled", default: enabled)
    self.host = try reader.string("host", default: host)
    self.port = try reader.int("port", default: port, in: 0...65_535)
    tls = try TLSConfiguration.read(&reader)
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

/// The `tls` section of a port, ours: PEM files, read again when they change.
package struct TLSConfiguration: Sendable, Hashable {
  package var certificateFile: String
  package var keyFile: String
  /// Clients must bring a certificate of one of these authorities; nil: they need none.
  package var clientAuthorityFile: String?

  static func read(_ reader: inout ConfigReader) throws(ConfigError) -> TLSConfiguration? {
    try reader.optionalSection("tls") { (section) throws(ConfigError) in
      TLSConfiguration(
        certificateFile: try section.requiredString(
          "cert_file", because: "a PEM file with the certificate and those between it and the root"),
        keyFile: try section.requiredString(
          "key_file", because: "a PEM file with the certificate's key, without a password"),
        clientAuthorityFile: try section.optionalString("client_ca_file"))
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
