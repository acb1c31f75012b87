/// The `storage` section, shared by all services.
package struct StorageConfiguration: Sendable {
  package enum Backend: Sendable, Hashable {
    case memory
    case filesystem(root: String)
    case s3(S3)
  }

  package struct S3: Sendable, Hashable {
    package var bucket: String
    package var region: String
    /// nil: AWS's own for the region.
    package var endpoint: String?
    /// `endpoint/bucket` rather than `bucket.endpoint`; nil: with an endpoint of one's own, yes.
    package var usesPathStyle: Bool?
    /// nil: found where AWS's tools look.
    package var accessKeyID: String?
    package var secretAccessKey: String?
    package var sessionToken: String?

    package init(bucket: String, region: String, endpoint: String? = nil) {
      self.bucket = bucket
      self.region = region
      self.endpoint = endpoint
    }
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
      var s3 = S3(bucket: bucket, region: region, endpoint: endpoint)
      s3.usesPathStyle = try reader.optionalBool("path_style")
      s3.accessKeyID = try reader.optionalString("access_key_id")
      s3.secretAccessKey = try reader.optionalString("secret_access_key")
      s3.sessionToken = try reader.optionalString("session_token")
      guard (s3.accessKeyID == nil) == (s3.secretAccessKey == nil) else {
        let missing = s3.accessKeyID == nil ? "access_key_id" : "secret_access_key"
        throw reader.refusal(missing, "is missing; allowed: access_key_id and secret_access_key together, or neither")
      }
      return .s3(s3)
    default: return .memory
    }
  }
}
