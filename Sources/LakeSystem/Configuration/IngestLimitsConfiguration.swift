/// The `limits` section, ours: what a tenant may send. `limits.tenants.NAME` stands in for the whole of it for one tenant.
package struct IngestLimitsConfiguration: Sendable, Hashable {
  package enum OnExcess: String, CaseIterable, Sendable { case truncate, reject }

  package struct Limits: Sendable, Hashable {
    package var bytesPerSecond: Int?
    package var bytesBurst: Int?
    package var recordsPerSecond: Int?
    package var recordsBurst: Int?
    package var attributes: Int?
    package var attributeBytes: Int?
    package var bodyBytes: Int?
    package var onExcess = OnExcess.truncate
    package var days = 100

    package init() {}

    init(_ reader: inout ConfigReader) throws(ConfigError) {
      bytesPerSecond = try reader.optionalInt("bytes_per_second", in: 1...Int.max)
      bytesBurst = try reader.optionalInt("burst_bytes", in: 1...Int.max)
      recordsPerSecond = try reader.optionalInt("records_per_second", in: 1...Int.max)
      recordsBurst = try reader.optionalInt("burst_records", in: 1...Int.max)
      attributes = try reader.optionalInt("attributes_per_record", in: 0...Int.max)
      attributeBytes = try reader.optionalInt("attribute_bytes", in: 1...Int.max)
      bodyBytes = try reader.optionalInt("body_bytes", in: 1...Int.max)
      onExcess = try reader.choice("on_excess", default: .truncate)
      days = try reader.int("days_per_request", default: 100, in: 1...Int.max)
    }
  }

  package var everybody = Limits()
  /// In file order.
  package var tenants: [(tenant: String, limits: Limits)] = []
  /// Distinct attribute keys of one request.
  package var keysPerRequest = 100_000
  /// Records of one request.
  package var recordsPerRequest = 4_000_000

  package init() {}

  package init(_ reader: inout ConfigReader) throws(ConfigError) {
    keysPerRequest = try reader.int("keys_per_request", default: 100_000, in: 1...Int.max)
    recordsPerRequest = try reader.int("records_per_request", default: 4_000_000, in: 1...4_000_000)
    everybody = try Limits(&reader)
    tenants = try reader.sections("tenants") { (section) throws(ConfigError) in try Limits(&section) }
      .map { (tenant: $0.key, limits: $0.value) }
  }

  package static func == (a: IngestLimitsConfiguration, b: IngestLimitsConfiguration) -> Bool {
    a.everybody == b.everybody && a.keysPerRequest == b.keysPerRequest && a.recordsPerRequest == b.recordsPerRequest
      && a.tenants.elementsEqual(b.tenants) { $0 == $1 }
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(everybody)
    hasher.combine(tenants.count)
  }
}

/// The `cors` section, ours: which pages may send to the OTLP/HTTP port.
package struct CORSConfiguration: Sendable, Hashable {
  package var allowedOrigins: [String] = []
  /// nil: the usual ones.
  package var allowedHeaders: [String]?
  package var maxAgeSeconds = 7200

  package init() {}

  package init(_ reader: inout ConfigReader) throws(ConfigError) {
    allowedOrigins = CORSConfiguration.words(try reader.string("allowed_origins", default: ""))
    allowedHeaders = try reader.optionalString("allowed_headers").map(CORSConfiguration.words)
    maxAgeSeconds = try reader.int("max_age_secs", default: 7200, in: 0...86_400)
  }

  /// Separated by commas.
  private static func words(_ text: String) -> [String] {
    text.split(whereSeparator: { $0 == "," || $0 == " " }).map(String.init)
  }
}

/// The `process` section, ours: what the process may use, and how it ends.
package struct ProcessConfiguration: Sendable, Hashable {
  /// Anonymous memory beyond which requests are refused until there is less; nil: half of what the machine, or its control group, has.
  package var memoryBytesMax: Int?
  /// How long requests in flight are waited for after SIGTERM.
  package var drain = Duration.seconds(20)

  package init() {}

  package init(_ reader: inout ConfigReader) throws(ConfigError) {
    memoryBytesMax = try reader.optionalInt("memory_bytes", in: 67_108_864...Int.max)
    drain = .seconds(try reader.int("drain_secs", default: 20, in: 0...3600))
  }
}
