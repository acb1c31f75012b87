import LakeJSON
package import LakeModel

// Source: Iceberg REST catalog specification (open-api/rest-catalog-open-api.yaml), version 0.0.1.

/// What goes wrong in the protocol: `{"error": {"message", "type", "code"}}`.
package struct RESTError: Error, Hashable, Sendable {
  package var message: String
  /// `NoSuchTableException`, ...
  package var type: String
  /// The HTTP status.
  package var code: Int

  package init(message: String, type: String, code: Int) {
    self.message = message
    self.type = type
    self.code = code
  }

  package func encoded() -> Bytes {
    var json = JSONWriter(capacity: 256)
    json.object { json in
      json.key("error")
      json.object { json in
        json.member("message", message)
        json.member("type", type)
        json.member("code", code)
      }
    }
    return json.finish()
  }

  /// - Parameter status: of the response, for bodies that are not what they should be.
  package init(_ bytes: Bytes, status: Int) {
    let root = (try? JSONDocument(bytes))?.root
    // OAuth2 servers answer in a form of their own.
    let message = root?["error"]?["message"]?.string ?? root?["error_description"]?.string ?? root?["error"]?.string
    self.init(message: message ?? "status \(status)", type: root?["error"]?["type"]?.string ?? "", code: status)
  }
}
