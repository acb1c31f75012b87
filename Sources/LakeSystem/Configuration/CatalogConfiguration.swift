/// The `catalog` section, shared by all services.
package struct CatalogConfiguration: Sendable {
  package enum Backend: Sendable, Hashable {
    case memory
    case rest(uri: String)
    case s3tables(tableBucketARN: String)
    case glue(catalogID: String?)
    /// Ours: PyIceberg's SqlCatalog layout in one file.
    case sqlite(path: String)
    /// Ours: one pointer object per table in the warehouse's store.
    case objectStore
  }
  package var backend: Backend = .memory
  package var warehouse: String
  package var properties: [(key: String, value: String)] = []
  package var cache: CacheConfiguration?

  init(_ reader: inout ConfigReader, ignored: inout [String]) throws(ConfigError) {
    backend =
      try reader.variant(
        "backend", allowed: ["memory", "rest", "s3tables", "glue", "sqlite", "object_store"],
        CatalogConfiguration.backend) ?? .memory
    if case .s3tables = backend {
      warehouse = try reader.string("warehouse", default: "")
    } else {
      warehouse = try reader.requiredString(
        "warehouse", because: "a location such as s3://warehouse/ or /var/lib/icegate")
    }
    properties = try reader.strings("properties")
    cache = try reader.optionalSection("cache") { (section) throws(ConfigError) in
      try CacheConfiguration(&section, ignored: &ignored)
    }
  }

  private static func backend(_ choice: String, _ reader: inout ConfigReader) throws(ConfigError) -> Backend {
    switch choice {
    case "rest":
      let uri = try reader.requiredString("uri", because: "a URL that starts with http:// or https://")
      guard uri.hasPrefix("http://") || uri.hasPrefix("https://") else {
        throw reader.refusal("uri", "found `\(uri)`, allowed: a URL that starts with http:// or https://")
      }
      return .rest(uri: uri)
    case "s3tables":
      let arn = try reader.requiredString(
        "table_bucket_arn", because: "an ARN arn:aws:s3tables:REGION:ACCOUNT:bucket/NAME")
      let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count == 6, parts[0] == "arn", parts[2] == "s3tables", parts[5].hasPrefix("bucket/") else {
        throw reader.refusal(
          "table_bucket_arn", "found `\(arn)`, allowed: an ARN arn:aws:s3tables:REGION:ACCOUNT:bucket/NAME")
      }
      return .s3tables(tableBucketARN: arn)
    case "glue":
      let id = try reader.optionalString("catalog_id")
      if let id, id.utf8.count != 12 || !id.utf8.allSatisfy({ (48...57).contains($0) }) {
        throw reader.refusal("catalog_id", "found `\(id)`, allowed: the 12 digits of an AWS account")
      }
      return .glue(catalogID: id)
    case "sqlite": return .sqlite(path: try reader.requiredString("path", because: "a file name"))
    case "object_store": return .objectStore
    default: return .memory
    }
  }
}

/// `catalog.cache`: what reads keep in memory and on disk.
package struct CacheConfiguration: Sendable {
  package var isEnabled = true
  package var memoryMiB: Int
  package var diskDirectory: String?
  package var diskMiB: Int
  package var statTTL: Duration?
  /// Larger objects are not cached when written; nil: none is.
  package var writeMiBMax: Int?
  /// A read within so many bytes of an object's end brings the whole of that end; 0: never.
  package var prefetchBytesMax: Int

  init(_ reader: inout ConfigReader, ignored: inout [String]) throws(ConfigError) {
    isEnabled = try reader.bool("enabled", default: true)
    memoryMiB = try reader.int("memory_size_mb", default: 256, in: 0...1_048_576)
    diskDirectory = try reader.optionalString("disk_dir")
    diskMiB = try reader.int("disk_size_mb", default: 0, in: 0...1_073_741_824)
    if diskMiB > 0 && diskDirectory == nil {
      throw reader.refusal("disk_dir", "is missing; allowed: a directory for the \(diskMiB) MiB of disk_size_mb")
    }
    statTTL = try reader.optionalInt("stat_ttl_secs", in: 0...86_400).map { .seconds($0) }
    writeMiBMax = try reader.optionalInt("max_write_cache_size_mb", in: 0...1_048_576)
    prefetchBytesMax = try reader.section("prefetch") { (section) throws(ConfigError) in
      let isEnabled = try section.bool("enabled", default: true)
      let bytes = try section.int("max_prefetch_bytes", default: 1_048_576, in: 0...1_073_741_824)
      return isEnabled ? bytes : 0
    }
  }
}
