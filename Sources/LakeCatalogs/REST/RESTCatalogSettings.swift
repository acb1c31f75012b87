/// Where a REST catalog is and who we are to it.
package struct RESTCatalogSettings: Sendable {
  /// `http://nessie:19120/iceberg`, no slash at the end.
  package var uri: String
  /// As the server knows it: a location, or a name; empty: the server's own.
  package var warehouse: String
  /// What the server is asked to take into account and may override: `prefix`, `token`, `credential`, `scope`, ...
  package var properties: [String: String]
  package var requestTimeout = Duration.seconds(60)
  /// Tries of a request that can be repeated without harm, the first included.
  package var attemptsMax = 5
  package var backoffBase = Duration.milliseconds(100)
  package var backoffMax = Duration.seconds(5)

  package init(uri: String, warehouse: String, properties: [String: String] = [:]) {
    var uri = uri
    while uri.hasSuffix("/") { uri.removeLast() }
    self.uri = uri
    self.warehouse = warehouse
    self.properties = properties
  }
}

/// What client and server agreed on: the server's defaults, ours, the server's overrides.
struct RESTAgreement: Sendable {
  let uri: String
  let properties: [String: String]
  /// Whether a change that is sent twice under one key is made once.
  let keepsIdempotency: Bool
  /// What the server says that it answers; empty: it does not say.
  var endpoints: Set<String> = []

  var prefix: String {
    let prefix = properties["prefix"] ?? ""
    return prefix.isEmpty ? "" : "/\(prefix)"
  }

  /// URL-encoded.
  var separator: String { properties["namespace-separator"] ?? "%1F" }
}
