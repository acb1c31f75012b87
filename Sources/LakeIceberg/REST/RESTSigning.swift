import LakeJSON
package import LakeModel

/// A request to the store that the server is to sign, and what it makes of it.
package enum RESTSigning {
  package struct Request: Hashable, Sendable {
    package var region: String
    package var uri: String
    package var method: String
    /// Values of one name are joined.
    package var headers: [String: String]
    package var properties: [String: String]
    package var body: String?

    package init(
      region: String, uri: String, method: String, headers: [String: String], properties: [String: String],
      body: String?
    ) {
      self.region = region
      self.uri = uri
      self.method = method
      self.headers = headers
      self.properties = properties
      self.body = body
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "request").object()
      region = try root.required("region").string()
      uri = try root.required("uri").string()
      method = try root.required("method").string()
      headers = try RESTSigning.headers(root.required("headers"))
      properties = try root.optional("properties")?.strings() ?? [:]
      body = try root.optional("body")?.string()
    }

    package func encoded() -> Bytes {
      var json = JSONWriter(capacity: 1 << 10)
      json.object { json in
        json.member("region", region)
        json.member("uri", uri)
        json.member("method", method)
        json.key("headers")
        RESTSigning.write(headers, to: &json)
        json.key("properties")
        json.members(properties)
        if let body { json.member("body", body) }
        json.member("provider", "s3")
      }
      return json.finish()
    }
  }

  package struct Result: Hashable, Sendable {
    package var uri: String
    package var headers: [String: String]

    package init(uri: String, headers: [String: String]) {
      self.uri = uri
      self.headers = headers
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "response").object()
      uri = try root.required("uri").string()
      headers = try RESTSigning.headers(root.required("headers"))
    }

    package func encoded() -> Bytes {
      var json = JSONWriter(capacity: 1 << 10)
      json.object { json in
        json.member("uri", uri)
        json.key("headers")
        RESTSigning.write(headers, to: &json)
      }
      return json.finish()
    }
  }

  static func headers(_ json: JSONReader) throws(IcebergError) -> [String: String] {
    try json.members { (values) throws(IcebergError) in
      try values.array { (value) throws(IcebergError) in try value.string() }.joined(separator: ", ")
    }
  }

  private static func write(_ headers: [String: String], to json: inout JSONWriter) {
    json.object { json in
      for (name, value) in headers.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        json.key(name)
        json.strings([value])
      }
    }
  }
}
