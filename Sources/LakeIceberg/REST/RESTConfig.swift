import LakeJSON
package import LakeModel

/// The answer to `GET /v1/config`.
package struct RESTConfig: Hashable, Sendable {
  /// For what the client does not say itself.
  package var defaults: [String: String]
  /// In place of what the client says.
  package var overrides: [String: String]
  /// `GET /v1/{prefix}/namespaces`; nil: the server does not say.
  package var endpoints: [String]?
  /// How long a key makes a change once, ISO 8601; nil: the server knows no keys.
  package var idempotencyKeyLifetime: String?

  package init(defaults: [String: String], overrides: [String: String], endpoints: [String]?) {
    self.defaults = defaults
    self.overrides = overrides
    self.endpoints = endpoints
  }

  package init(_ bytes: Bytes) throws(IcebergError) {
    let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "response").object()
    defaults = try root.optional("defaults")?.strings() ?? [:]
    overrides = try root.optional("overrides")?.strings() ?? [:]
    idempotencyKeyLifetime = try root.optional("idempotency-key-lifetime")?.string()
    endpoints = try root.optional("endpoints")?.array { (one) throws(IcebergError) in try one.string() }
  }

  package func encoded() -> Bytes {
    var json = JSONWriter()
    json.object { json in
      json.key("defaults")
      json.members(defaults)
      json.key("overrides")
      json.members(overrides)
      if let endpoints {
        json.key("endpoints")
        json.strings(endpoints)
      }
    }
    return json.finish()
  }
}

/// The answer of a token endpoint (RFC 6749, 5.1).
package struct RESTToken: Hashable, Sendable {
  package var accessToken: String
  /// Seconds; nil: the server does not say.
  package var expiresIn: Int?

  package init(accessToken: String, expiresIn: Int?) {
    self.accessToken = accessToken
    self.expiresIn = expiresIn
  }

  package init(_ bytes: Bytes) throws(IcebergError) {
    let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "response").object()
    accessToken = try root.required("access_token").string()
    expiresIn = try root.optional("expires_in")?.int()
  }

  package func encoded() -> Bytes {
    var json = JSONWriter()
    json.object { json in
      json.member("access_token", accessToken)
      json.member("token_type", "bearer")
      if let expiresIn { json.member("expires_in", expiresIn) }
    }
    return json.finish()
  }
}
