import LakeJSON
package import LakeModel

/// Messages about namespaces.
package enum RESTNamespaces {
  package struct Creation: Hashable, Sendable {
    package var namespace: [String]
    package var properties: [String: String]

    package init(namespace: [String], properties: [String: String]) {
      self.namespace = namespace
      self.properties = properties
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "request").object()
      namespace = try root.required("namespace").array { (level) throws(IcebergError) in try level.string() }
      properties = try root.optional("properties")?.strings() ?? [:]
    }

    package func encoded() -> Bytes {
      var json = JSONWriter()
      json.object { json in
        json.key("namespace")
        json.strings(namespace)
        json.key("properties")
        json.members(properties)
      }
      return json.finish()
    }
  }

  /// One page.
  package struct Listing: Hashable, Sendable {
    package var namespaces: [[String]]
    /// nil at the end.
    package var next: String?

    package init(namespaces: [[String]], next: String?) {
      self.namespaces = namespaces
      self.next = next
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "response").object()
      namespaces =
        try root.optional("namespaces")?.array { (namespace) throws(IcebergError) in
          try namespace.array { (level) throws(IcebergError) in try level.string() }
        } ?? []
      next = try root.optional("next-page-token")?.string()
    }

    package func encoded() -> Bytes {
      var json = JSONWriter()
      json.object { json in
        json.key("namespaces")
        json.array { json in for namespace in namespaces { json.strings(namespace) } }
        if let next { json.member("next-page-token", next) }
      }
      return json.finish()
    }
  }

  package struct Update: Hashable, Sendable {
    package var removals: [String]
    package var updates: [String: String]

    package init(removals: [String], updates: [String: String]) {
      self.removals = removals
      self.updates = updates
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "request").object()
      removals = try root.optional("removals")?.array { (name) throws(IcebergError) in try name.string() } ?? []
      updates = try root.optional("updates")?.strings() ?? [:]
    }

    package func encoded() -> Bytes {
      var json = JSONWriter()
      json.object { json in
        json.key("removals")
        json.strings(removals)
        json.key("updates")
        json.members(updates)
      }
      return json.finish()
    }
  }

  /// What an update came to.
  package static func updated(_ names: [String], removed: [String], missing: [String]) -> Bytes {
    var json = JSONWriter()
    json.object { json in
      json.key("updated")
      json.strings(names)
      json.key("removed")
      json.strings(removed)
      json.key("missing")
      json.strings(missing)
    }
    return json.finish()
  }
}

extension JSONWriter {
  mutating func strings(_ texts: [String]) {
    array { json in for text in texts { json.value(text) } }
  }
}
