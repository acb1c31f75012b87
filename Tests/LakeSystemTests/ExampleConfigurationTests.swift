import Foundation
import LakePorts
import LakeSystem
import Testing

@Suite("the manual's configuration examples")
struct ExampleConfigurationTests {
  static func example(_ name: String) throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Fixtures/examples/configuration")
    return try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
  }

  static func read(_ name: String, _ text: String) throws -> ConfigFacts {
    let source = ConfigSource(file: name, text: text, environment: { _ in nil })
    switch name.prefix(while: { $0 != "." && $0 != "-" }) {
    case "ingest": return try IngestConfiguration.read(source).facts
    case "query": return try QueryConfiguration.read(source).facts
    default: return try MaintainConfiguration.read(source).facts
    }
  }

  @Test(
    "every example is accepted, and what means nothing here is named",
    arguments: [
      (
        "ingest.yaml",
        ["shift.write.table_cache_ttl_secs", "shift.jobsmanager.poll_interval_ms", "shift.jobsmanager.storage"]
      ),
      (
        "query.yaml",
        ["engine.refresh_interval_secs", "engine.max_age_secs", "engine.batch_size", "engine.catalog_name"]
      ),
      ("maintain.yaml", []), ("maintain-glue.yaml", []), ("maintain-s3tables.yaml", []), ("maintain-memory.yaml", []),
      ("query-cache.yaml", ["engine.refresh_interval_secs", "engine.max_age_secs"]),
      ("ingest-high-throughput.toml", []),
      ("ingest-low-latency.yaml", ["shift.write.table_cache_ttl_secs", "shift.jobsmanager.poll_interval_ms"]),
      ("query-high-concurrency.yaml", ["engine.refresh_interval_secs", "engine.batch_size"]),
    ])
  func accepted(name: String, ignored: [String]) throws {
    let facts = try ExampleConfigurationTests.read(name, ExampleConfigurationTests.example(name))
    #expect(facts.ignored == ignored)
    #expect(facts.entries.count > 8)
  }

  struct Mutant: Sendable, CustomTestStringConvertible {
    let file: String
    let from: String
    let to: String
    let key: String
    var testDescription: String { "\(file): \(to)" }
    init(_ file: String, _ from: String, _ to: String, _ key: String) {
      self.file = file
      self.from = from
      self.to = to
      self.key = key
    }
  }

  static let mutants = [
    Mutant("ingest.yaml", "backend: !rest", "backend: !nessie", "catalog.backend"),
    Mutant(
      "ingest.yaml", "backend: !rest\n    uri: http://nessie:19120/iceberg", "backend: !rest", "catalog.backend.uri"),
    Mutant("ingest.yaml", "uri: http:", "uri: ftp:", "catalog.backend.uri"),
    Mutant("ingest.yaml", "warehouse: s3://warehouse/", "warehouse:", "catalog.warehouse"),
    Mutant("ingest.yaml", "bucket: warehouse\n    region", "region", "storage.backend.bucket"),
    Mutant(
      "ingest.yaml", "endpoint: http://minio:9000\nqueue", "endpoint: minio:9000\nqueue", "storage.backend.endpoint"),
    Mutant(
      "ingest.yaml", "region: us-east-1\n    endpoint", "regoin: us-east-1\n    endpoint", "storage.backend.region"),
    Mutant("ingest.yaml", "base_path: s3://queue/", "base_path: /queue", "queue.common.base_path"),
    Mutant("ingest.yaml", "base_path: s3://queue/", "base_path: gs://queue/", "queue.common.base_path"),
    Mutant("ingest.yaml", "channel_capacity: 1024", "channel_capacity: 0", "queue.common.channel_capacity"),
    Mutant("ingest.yaml", "compression: zstd", "compression: lzo", "queue.write.compression"),
    Mutant(
      "ingest.yaml", "max_bytes_per_flush: 67108864", "max_bytes_per_flush: 64MiB", "queue.write.max_bytes_per_flush"),
    Mutant("ingest.yaml", "flush_interval_ms: 200", "flush_interval: 200", "queue.write.flush_interval"),
    Mutant("ingest.yaml", "worker_count: 4", "worker_count: -1", "shift.jobsmanager.worker_count"),
    Mutant("ingest.yaml", "port: 4317", "port: 70000", "otlp_grpc.port"),
    Mutant(
      "ingest.yaml", "enabled: true\n  host: 0.0.0.0\n  port: 4318", "enabled: yes\n  port: 4318", "otlp_http.enabled"),
    Mutant("ingest.yaml", "path: /metrics", "path: metrics", "metrics.path"),
    Mutant("ingest.yaml", "sample_ratio: 1.0", "sample_ratio: 10", "tracing.sample_ratio"),
    Mutant("ingest.yaml", "tracing:\n  enabled", "tracing:\n  enabled: true\n  enabled", "tracing.enabled"),
    Mutant("ingest.yaml", "shift:\n", "shifts:\n", "shifts"),
    Mutant("query.yaml", "max_age_secs: 30", "max_age_secs: 5", "engine.max_age_secs"),
    Mutant("query.yaml", "    disk_dir: /tmp/icegate/cache\n", "", "catalog.cache.disk_dir"),
    Mutant(
      "query.yaml",
      "wal_query_enabled: false\n  wal_metadata_size_hint: 65536\nqueue:\n  common:\n    base_path: s3://queue/",
      "wal_query_enabled: true", "queue.common.base_path"),
    Mutant("maintain-glue.yaml", "\"123456789012\"", "\"12345\"", "catalog.backend.catalog_id"),
    Mutant("maintain-s3tables.yaml", "arn:aws:s3tables", "arn:aws:s3", "catalog.backend.table_bucket_arn"),
    Mutant(
      "maintain-memory.yaml", "storage:\n  backend: !memory", "storage:\n  backend: !filesystem\n    root_path: /x",
      "catalog.backend"),
    Mutant(
      "ingest-high-throughput.toml", "warehouse = \"/var/data/icegate/warehouse\"", "warehouse = \"/elsewhere\"",
      "catalog.warehouse"),
    Mutant(
      "ingest-high-throughput.toml", "base_path = \"wal\"", "base_path = \"warehouse/icegate/logs/wal\"",
      "queue.common.base_path"),
  ]

  @Test("a wrong file is refused with a message that names the key", arguments: mutants)
  func refused(mutant: Mutant) throws {
    let text = try ExampleConfigurationTests.example(mutant.file)
    #expect(text.contains(mutant.from))
    let changed = text.replacingOccurrences(of: mutant.from, with: mutant.to)
    let error = #expect(throws: ConfigError.self) {
      _ = try ExampleConfigurationTests.read(mutant.file, changed)
    }
    #expect(error?.key == mutant.key)
    #expect(error?.description.hasPrefix("\(mutant.file):") == true)
    #expect(error?.message.contains("allowed") == true || error?.message.contains("twice") == true)
  }

  @Test("the effective configuration can be read again, and says the same")
  func effective() throws {
    for name in ["ingest.yaml", "query-cache.yaml", "maintain-glue.yaml", "maintain-memory.yaml"] {
      let facts = try ExampleConfigurationTests.read(name, ExampleConfigurationTests.example(name))
      let again = try ExampleConfigurationTests.read(name, EffectiveConfiguration.text(facts.entries))
      #expect(again.entries.map(\.path) == facts.entries.map(\.path))
      #expect(again.entries.map(\.value) == facts.entries.map(\.value))
    }
  }

  @Test("secrets are masked where the configuration is shown")
  func masked() throws {
    let text = try ExampleConfigurationTests.example("maintain.yaml")
      .replacingOccurrences(
        of: "prefix: main", with: "credential: me:hidden1\n    token: hidden2\n    s3.secret-access-key: hidden3"
      )
      .replacingOccurrences(of: "http://nessie", with: "http://me:hidden4@nessie")
      .replacingOccurrences(
        of: "region: us-east-1", with: "region: us-east-1\n    access_key_id: hidden5\n    secret_access_key: hidden6")
    let shown = EffectiveConfiguration.text(try ExampleConfigurationTests.read("maintain.yaml", text).entries)
    #expect(!shown.contains("hidden"))
    #expect(shown.contains("http://********@nessie"))
    #expect(shown.contains("token: \"********\""))
  }
}

@Suite("places")
struct PlacesTests {
  func places(_ replacements: (String, String)...) throws -> Places {
    var text = ConfigurationTests.ingest
    for (from, to) in replacements { text = text.replacingOccurrences(of: from, with: to) }
    return try Places(
      try IngestConfiguration.read(ConfigSource(file: "i.yaml", text: text, environment: { _ in nil })))
  }

  @Test("on S3 a key begins with its bucket, and the log may have one of its own")
  func buckets() throws {
    let own = try places(("!rest\n    uri: http://nessie:19120/iceberg", "!object_store"))
    #expect(own.queue == "queue")
    #expect(own.tables == "s3://warehouse")
    #expect(try own.mapping.key(of: "s3a://warehouse/icegate/logs/x").text == "warehouse/icegate/logs/x")
    #expect(try places(("s3://queue/", "s3://warehouse/wal")).queue == "warehouse/wal")
    #expect(try places(("s3://queue/", "wal/a")).queue == "warehouse/wal/a")
  }
}
