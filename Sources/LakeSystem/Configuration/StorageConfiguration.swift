/// The `storage` section, shared by all services.
package struct StorageConfiguration: Sendable {
  package enum Backend: Sendable, Hashable {
    case memory
    case filesystem(root: String)
    case s3(bucket: String, region: String, endpoint: String?)
  }
  package var backend: Backend

  init(_ reader: inout ConfigReader) throws(ConfigError) {
    guard
      let backend = try reader.variant(
        "backend", allowed: ["memory", "filesystem", "s3"], StorageConfiguration.backend)
    else { throw reader.refusal("backend", "is missing; allowed: !s3, !filesystem, !memory") }
    self.backend = backend
  }

  private static func backend(_ choice: String, _ reader: inout ConfigReader) throws(ConfigError) -> Backend {
    switch choice {
    case "filesystem": return .filesystem(root: try reader.requiredString("root_path", because: "a directory"))
    case "s3":
      let bucket = try reader.requiredString("bucket", because: "a bucket's name")
      let region = try reader.requiredString("region", because: "a region such as us-east-1")
      let endpoint = try reader.optionalString("endpoint")
      if let endpoint, !endpoint.hasPrefix("http://"), !endpoint.hasPrefix("https://") {
        throw reader.refusal("endpoint", "found `\(endpoint)`, allowed: a URL that starts with http:// or https://")
      }
      return .s3(bucket: bucket, region: region, endpoint: endpoint)
    default: return .memory
    }
  }
}
