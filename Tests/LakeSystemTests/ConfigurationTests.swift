import LakeSystem
import Testing

@Suite("configuration files")
struct ConfigurationTests {
  static let ingest = """
    catalog:
      backend: !rest
        uri: http://nessie:19120/iceberg
      warehouse: s3://warehouse/
      properties:
        prefix: main
    storage:
      backend: !s3
        bucket: warehouse
        region: us-east-1
        endpoint: http://minio:9000
    queue:
      common:
        base_path: s3://queue/
        channel_capacity: 1024
        max_row_group_size: 8192
      write:
        write_retries: 5
        compression: zstd
        records_per_flush_multiplier: 1
        max_bytes_per_flush: 67108864
        flush_interval_ms: 200
    shift:
      read:
        max_record_batches_per_task: 1024
        max_input_bytes_per_task: 67108864
        plan_segment_read_parallelism: 8
        shift_segment_read_parallelism: 8
      write:
        row_group_size: 8192
        max_file_size_mb: 64
        table_cache_ttl_secs: 60
      jobsmanager:
        worker_count: 4
        poll_interval_ms: 1000
        iteration_interval_millisecs: 30000
        storage:
          endpoint: http://minio:9000
          bucket: jobs
          prefix: shifter
          region: us-east-1
          use_ssl: false
          job_state_codec: json
          request_timeout_secs: 5
    otlp_http:
      enabled: true
      host: 0.0.0.0
      port: 4318
    otlp_grpc:
      enabled: true
      host: 0.0.0.0
      port: 4317
    metrics:
      enabled: true
      host: 0.0.0.0
      port: 9091
      path: /metrics
    tracing:
      enabled: true
      service_name: icegate-ingest
      otlp_endpoint: http://jaeger:4317
      sample_ratio: 1.0
    """

  func source(_ text: String, file: String = "ingest.yaml", environment: [String: String] = [:]) -> ConfigSource {
    ConfigSource(file: file, text: text, environment: { environment[$0] })
  }

  @Test("the manual's complete ingest example is read, and what means nothing here is named")
  func completeIngest() throws {
    let read = try IngestConfiguration.read(source(ConfigurationTests.ingest))
    #expect(read.catalog.backend == .rest(uri: "http://nessie:19120/iceberg"))
    #expect(read.catalog.warehouse == "s3://warehouse/")
    #expect(read.catalog.properties.map(\.key) == ["prefix"])
    #expect(
      read.storage.backend
        == .s3(.init(bucket: "warehouse", region: "us-east-1", endpoint: "http://minio:9000")))
    #expect(read.queue.basePath == "s3://queue/")
    #expect(read.queue.flushInterval == .milliseconds(200))
    #expect(read.shift.workerCount == 4)
    #expect(read.otlpGRPC == ListenerConfiguration(isEnabled: true, host: "0.0.0.0", port: 4317))
    #expect(read.tracing.sampleRatio == 1)
    #expect(
      read.facts.ignored == [
        "shift.write.table_cache_ttl_secs", "shift.jobsmanager.poll_interval_ms", "shift.jobsmanager.storage",
      ])
  }

  @Test("TOML says the same in its own words")
  func toml() throws {
    let text = """
      [catalog]
      warehouse = "s3://warehouse/"   # where tables lie
      [catalog.backend.rest]
      uri = "http://nessie:19120/iceberg"
      [storage.backend.filesystem]
      root_path = '/var/data'
      [queue.common]
      base_path = "file:///var/data/queue"
      [queue.write]
      max_bytes_per_flush = 33_554_432
      compression = "lz4"
      [metrics]
      enabled = true
      """
    let read = try IngestConfiguration.read(source(text, file: "ingest.toml"))
    #expect(read.catalog.backend == .rest(uri: "http://nessie:19120/iceberg"))
    #expect(read.storage.backend == .filesystem(root: "/var/data"))
    #expect(read.queue.flushBytesMax == 33_554_432)
    #expect(read.queue.compression == .lz4)
    #expect(read.metrics.listener.isEnabled)
  }

  @Test("an environment variable stands for a value, a missing one is an error that names it")
  func environment() throws {
    let text = ConfigurationTests.ingest.replacing("s3://queue/", with: "${QUEUE}/wal/${ZONE:-a}")
    let read = try IngestConfiguration.read(source(text, environment: ["QUEUE": "s3://q"]))
    #expect(read.queue.basePath == "s3://q/wal/a")
    let error = #expect(throws: ConfigError.self) { _ = try IngestConfiguration.read(source(text)) }
    #expect(
      error?.description
        == "ingest.yaml:14: queue.common.base_path: the environment variable QUEUE is not set")
  }

  @Test(
    "a wrong file stops the start with line, key, what was found and what is allowed",
    arguments: [
      (
        "flush_interval_ms: 200", "flush_interval_ms: soon",
        "ingest.yaml:22: queue.write.flush_interval_ms: found `soon`, allowed: a whole number from 1 to 60000"
      ),
      (
        "flush_interval_ms: 200", "flush_intervall_ms: 200",
        "ingest.yaml:22: queue.write.flush_intervall_ms: is not a key; allowed here: compression, flush_interval_ms, max_bytes_per_flush, records_per_flush_multiplier, write_retries"
      ),
      (
        "compression: zstd", "compression: lzo",
        "ingest.yaml:19: queue.write.compression: found `lzo`, which no maintained library writes; allowed: none, snappy, gzip, brotli, lz4, zstd"
      ),
      (
        "compression: zstd", "compression: zip",
        "ingest.yaml:19: queue.write.compression: found `zip`, allowed: none, snappy, gzip, lzo, brotli, lz4, zstd"
      ),
      (
        "backend: !rest", "backend: !nessie",
        "ingest.yaml:2: catalog.backend: found `nessie`, allowed: memory, rest, s3tables, glue, sqlite, object_store"
      ),
      (
        "uri: http://nessie", "uri: nessie",
        "ingest.yaml:3: catalog.backend.uri: found `nessie:19120/iceberg`, allowed: a URL that starts with http:// or https://"
      ),
      (
        "  port: 4318", "  port: 70000",
        "ingest.yaml:48: otlp_http.port: found `70000`, allowed: a whole number from 0 to 65535"
      ),
      (
        "enabled: true\n  host: 0.0.0.0\n  port: 4317", "enabled: yes\n  host: 0.0.0.0\n  port: 4317",
        "ingest.yaml:50: otlp_grpc.enabled: found `yes`, allowed: true or false"
      ),
      (
        "sample_ratio: 1.0", "sample_ratio: 2",
        "ingest.yaml:62: tracing.sample_ratio: found `2`, allowed: a number from 0.0 to 1.0"
      ),
      (
        "base_path: s3://queue/", "base_path: [a]",
        "ingest.yaml:14: queue.common.base_path: found a list, allowed: a location such as s3://queue/"
      ),
      ("tracing:\n", "metrics:\n", "ingest.yaml:58: metrics: stands here twice"),
      (
        "    region: us-east-1\n", "",
        "ingest.yaml:8: storage.backend.region: is missing; allowed: a region such as us-east-1"
      ),
    ])
  func refusals(from: String, to: String, message: String) throws {
    let text = ConfigurationTests.ingest.replacing(from, with: to, maxReplacements: 1)
    #expect(text != ConfigurationTests.ingest)
    let error = #expect(throws: ConfigError.self) { _ = try IngestConfiguration.read(source(text)) }
    #expect(error?.description == message)
  }

  @Test("text that is neither YAML nor TOML is refused with its line")
  func malformed() throws {
    let yaml = #expect(throws: ConfigError.self) { _ = try IngestConfiguration.read(source("a: [1,\nb: }")) }
    #expect(yaml?.line == 2)
    for text in ["a = ", "[a", "a = \"x", "a = 1\na = 2", "a = b", "= 1", "a = [1,", "[a]\n[a]", "a = {b = 1"] {
      #expect(throws: ConfigError.self, "\(text)") { _ = try IngestConfiguration.read(source(text, file: "x.toml")) }
    }
    #expect(throws: ConfigError.self) { _ = try IngestConfiguration.read(source("", file: "x.json")) }
  }

  @Test("the query service refuses a maximum age below the refresh interval")
  func ages() throws {
    let text = """
      catalog: {backend: !memory , warehouse: /tmp/w}
      storage: {backend: !memory }
      engine:
        refresh_interval_secs: 30
        max_age_secs: 10
        batch_size: 8192
      """
    let error = #expect(throws: ConfigError.self) { _ = try QueryConfiguration.read(source(text)) }
    #expect(
      error?.description
        == "ingest.yaml:5: engine.max_age_secs: found `10`, allowed: at least refresh_interval_secs (30)")
  }
}
