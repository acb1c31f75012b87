/// The `queue` section: how the write-ahead log is written.
package struct QueueConfiguration: Sendable {
  package enum Compression: String, CaseIterable, Sendable { case none, snappy, gzip, lzo, brotli, lz4, zstd }
  package var basePath: String
  package var channelCapacity = 1024
  package var rowGroupRowsMax = 8192
  package var writeRetries = 5
  package var compression = Compression.zstd
  package var recordsPerFlushMultiplier = 1
  package var flushBytesMax = 67_108_864
  package var flushInterval = Duration.milliseconds(200)
  package var metadataEntriesMax = 2048
  package var isDeduplicating = true
  package var deduplicationWindow = Duration.seconds(600)

  init(_ reader: inout ConfigReader) throws(ConfigError) {
    (basePath, channelCapacity, rowGroupRowsMax) = try reader.section("common") { (section) throws(ConfigError) in
      (
        try section.requiredString("base_path", because: "a location such as s3://queue/"),
        try section.int("channel_capacity", default: 1024, in: 1...1_000_000),
        try section.int("max_row_group_size", default: 8192, in: 1...10_000_000)
      )
    }
    try reader.section("write") { (section) throws(ConfigError) in
      writeRetries = try section.int("write_retries", default: 5, in: 0...1000)
      compression = try section.choice("compression", default: .zstd)
      if compression == .lzo {
        throw section.refusal(
          "compression",
          "found `lzo`, which no maintained library writes; allowed: none, snappy, gzip, brotli, lz4, zstd")
      }
      recordsPerFlushMultiplier = try section.int("records_per_flush_multiplier", default: 1, in: 1...10_000)
      flushBytesMax = try section.int("max_bytes_per_flush", default: 67_108_864, in: 1024...4_294_967_295)
      flushInterval = .milliseconds(try section.int("flush_interval_ms", default: 200, in: 1...60_000))
    }
    try reader.section("read") { (section) throws(ConfigError) in
      metadataEntriesMax = try section.int("metadata_entries_cache_capacity", default: 2048, in: 0...10_000_000)
    }
    try reader.section("dedup") { (section) throws(ConfigError) in
      isDeduplicating = try section.bool("enabled", default: true)
      deduplicationWindow = .seconds(try section.int("window_secs", default: 600, in: 1...86_400))
    }
  }
}
