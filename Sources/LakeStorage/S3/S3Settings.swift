import LakeNet

/// Where a bucket is and how it is spoken to.
package struct S3Settings: Sendable {
  package var bucket: String
  package var region: String
  /// nil: AWS's own for the region. `http://minio:9000`.
  package var endpoint: String?
  /// `endpoint/bucket/key` rather than `bucket.endpoint/key`; what stores other than AWS usually want.
  package var usesPathStyle: Bool
  /// Keys lie below this prefix of the bucket, `a/b/`; empty or ending in a slash.
  package var prefix: String
  /// What keys of ours begin with before the name in the bucket, `bucket/`; empty or ending in a slash.
  package var mount = ""
  /// Bodies are left out of the signature; only over TLS, which covers them.
  package var leavesPayloadUnsigned: Bool
  package var requestTimeout: Duration = .seconds(30)
  /// How long a first read may stand still before it is asked again; each repeat waits twice as long.
  package var readStallTimeout: Duration = .seconds(5)
  /// How long anything else may: what becomes of a write that is broken off has to be found out.
  package var stallTimeout: Duration = .seconds(10)
  /// Tries of one call that can be repeated without harm, the first included.
  package var attemptsMax = 6
  package var backoffBase: Duration = .milliseconds(50)
  package var backoffMax: Duration = .seconds(5)
  /// Share of calls that may be repeats, over all calls: a failing store is not met with a multiple of the load.
  package var retryBudget = RetryBudget.Settings()

  package init(
    bucket: String, region: String, endpoint: String? = nil, usesPathStyle: Bool? = nil, prefix: String = ""
  ) {
    precondition(prefix.isEmpty || prefix.hasSuffix("/"))
    self.bucket = bucket
    self.region = region
    self.endpoint = endpoint.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
    self.usesPathStyle = usesPathStyle ?? (endpoint != nil)
    self.prefix = prefix
    leavesPayloadUnsigned = endpoint.map { $0.hasPrefix("https://") } ?? true
  }

  func stallTimeout(reading: Bool, attempt: Int) -> Duration {
    reading ? min(readStallTimeout * (1 << min(attempt - 1, 10)), requestTimeout) : stallTimeout
  }

  /// Scheme, host (with port) and the path before the key.
  var base: (scheme: String, host: String, path: String) {
    let url = endpoint ?? "https://s3.\(region).amazonaws.com"
    let scheme = url.hasPrefix("https://") ? "https" : "http"
    let rest = url.dropFirst(scheme.count + 3)
    let host = rest.prefix { $0 != "/" }
    let path = String(rest.dropFirst(host.count))
    return usesPathStyle
      ? (scheme, String(host), "\(path)/\(PercentEncoding.encode(bucket))") : (scheme, "\(bucket).\(host)", path)
  }
}
