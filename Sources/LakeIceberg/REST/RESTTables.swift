import LakeJSON
package import LakeModel
package import LakeSchema

/// Messages about tables.
package enum RESTTables {
  package struct Name: Hashable, Sendable {
    package var namespace: [String]
    package var name: String

    package init(namespace: [String], name: String) {
      self.namespace = namespace
      self.name = name
    }

    init(json: JSONReader) throws(IcebergError) {
      let object = try json.object()
      namespace = try object.required("namespace").array { (level) throws(IcebergError) in try level.string() }
      name = try object.required("name").string()
    }

    func write(to json: inout JSONWriter) {
      json.object { json in
        json.key("namespace")
        json.strings(namespace)
        json.member("name", name)
      }
    }
  }

  /// One page.
  package struct Listing: Hashable, Sendable {
    package var tables: [Name]
    /// nil at the end.
    package var next: String?

    package init(tables: [Name], next: String?) {
      self.tables = tables
      self.next = next
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "response").object()
      tables =
        try root.optional("identifiers")?.array { (name) throws(IcebergError) in try Name(json: name) } ?? []
      next = try root.optional("next-page-token")?.string()
    }

    package func encoded() -> Bytes {
      var json = JSONWriter()
      json.object { json in
        json.key("identifiers")
        json.array { json in for table in tables { table.write(to: &json) } }
        if let next { json.member("next-page-token", next) }
      }
      return json.finish()
    }
  }

  package struct Creation: Hashable, Sendable {
    package var name: String
    package var location: String?
    package var schema: Schema
    /// nil: not partitioned.
    package var partitionSpec: PartitionSpec?
    /// nil: not sorted.
    package var sortOrder: SortOrder?
    /// Nothing is made yet: a commit that asserts the creation follows.
    package var isStaged: Bool
    package var properties: [String: String]

    package init(
      name: String, location: String?, schema: Schema, partitionSpec: PartitionSpec?, sortOrder: SortOrder?,
      properties: [String: String], isStaged: Bool = false
    ) {
      self.name = name
      self.location = location
      self.schema = schema
      self.partitionSpec = partitionSpec
      self.sortOrder = sortOrder
      self.isStaged = isStaged
      self.properties = properties
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "request").object()
      name = try root.required("name").string()
      location = try root.optional("location")?.string()
      schema = try Schema(json: root.required("schema"))
      partitionSpec = try root.optional("partition-spec").map { (spec) throws(IcebergError) in
        try PartitionSpec(json: spec)
      }
      sortOrder = try root.optional("write-order").map { (order) throws(IcebergError) in try SortOrder(json: order) }
      isStaged = try root.optional("stage-create")?.bool() ?? false
      properties = try root.optional("properties")?.strings() ?? [:]
    }

    package func encoded() -> Bytes {
      var json = JSONWriter(capacity: 4 << 10)
      json.object { json in
        json.member("name", name)
        if let location { json.member("location", location) }
        json.key("schema")
        schema.write(to: &json)
        if let partitionSpec {
          json.key("partition-spec")
          partitionSpec.write(to: &json)
        }
        if let sortOrder {
          json.key("write-order")
          sortOrder.write(to: &json)
        }
        json.member("stage-create", isStaged)
        json.key("properties")
        json.members(properties)
      }
      return json.finish()
    }
  }

  package struct Registration: Hashable, Sendable {
    package var name: String
    package var metadataLocation: String

    package init(name: String, metadataLocation: String) {
      self.name = name
      self.metadataLocation = metadataLocation
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "request").object()
      name = try root.required("name").string()
      metadataLocation = try root.required("metadata-location").string()
      if try root.optional("overwrite")?.bool() == true { throw .unsupported("registering over a table") }
    }

    package func encoded() -> Bytes {
      var json = JSONWriter()
      json.object { json in
        json.member("name", name)
        json.member("metadata-location", metadataLocation)
      }
      return json.finish()
    }
  }

  package struct Rename: Hashable, Sendable {
    package var source: Name
    package var destination: Name

    package init(source: Name, destination: Name) {
      self.source = source
      self.destination = destination
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "request").object()
      source = try Name(json: root.required("source"))
      destination = try Name(json: root.required("destination"))
    }

    package func encoded() -> Bytes {
      var json = JSONWriter()
      json.object { json in
        json.key("source")
        source.write(to: &json)
        json.key("destination")
        destination.write(to: &json)
      }
      return json.finish()
    }
  }

  package struct Commit: Hashable, Sendable {
    package var table: Name?
    package var requirements: [TableRequirement]
    package var updates: [TableUpdate]

    package init(table: Name?, requirements: [TableRequirement], updates: [TableUpdate]) {
      self.table = table
      self.requirements = requirements
      self.updates = updates
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      try self.init(json: JSONReader(try JSONDocument.parse(bytes).root, path: "request"))
    }

    init(json: JSONReader) throws(IcebergError) {
      let root = try json.object()
      table = try root.optional("identifier").map { (name) throws(IcebergError) in try Name(json: name) }
      requirements = try root.required("requirements").array { (one) throws(IcebergError) in
        try TableRequirement(json: one)
      }
      updates = try root.required("updates").array { (one) throws(IcebergError) in try TableUpdate(json: one) }
    }

    package func encoded() -> Bytes {
      var json = JSONWriter(capacity: 4 << 10)
      json.object { json in
        if let table {
          json.key("identifier")
          table.write(to: &json)
        }
        json.key("requirements")
        json.array { json in for one in requirements { one.write(to: &json) } }
        json.key("updates")
        json.array { json in for one in updates { one.write(to: &json) } }
      }
      return json.finish()
    }
  }

  /// Commits to several tables that stand or fall together.
  package struct Transaction: Hashable, Sendable {
    package var changes: [Commit]

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "request").object()
      changes = try root.required("table-changes").array { (one) throws(IcebergError) in try Commit(json: one) }
    }
  }

  /// How a server signs requests to the store in place of keys that it does not give out.
  package struct Signing: Hashable, Sendable {
    /// Handed back with every request to be signed.
    package var properties: [String: String] = [:]
    /// Go along with every such request; several values of one name are joined.
    package var headers: [String: String] = [:]

    package init(properties: [String: String] = [:], headers: [String: String] = [:]) {
      self.properties = properties
      self.headers = headers
    }
  }

  /// The answer to a load, a creation or a commit.
  package struct Loaded: Sendable {
    /// nil: only staged.
    package var metadataLocation: String?
    package var metadata: TableMetadata
    package var config: [String: String] = [:]
    /// Keys for the files below each prefix; the longest prefix counts.
    package var credentials: [Credential] = []
    /// nil: the server does not say how it signs.
    package var signing: Signing?

    package struct Credential: Hashable, Sendable {
      package var prefix: String
      package var config: [String: String]

      package init(prefix: String, config: [String: String]) {
        self.prefix = prefix
        self.config = config
      }
    }

    package init(metadataLocation: String?, metadata: TableMetadata, config: [String: String] = [:]) {
      self.metadataLocation = metadataLocation
      self.metadata = metadata
      self.config = config
    }

    package init(_ bytes: Bytes) throws(IcebergError) {
      let root = try JSONReader(try JSONDocument.parse(bytes).root, path: "response").object()
      metadataLocation = try root.optional("metadata-location")?.string()
      metadata = try TableMetadata(json: root.required("metadata"))
      config = try root.optional("config")?.strings() ?? [:]
      credentials = try Self.credentials(root)
      signing = try root.optional("remote-signing-config").map { (one) throws(IcebergError) in
        let object = try one.object()
        return Signing(
          properties: try object.optional("properties")?.strings() ?? [:],
          headers: try object.optional("headers").map(RESTSigning.headers) ?? [:])
      }
    }

    /// The answer to `GET .../credentials`.
    package static func credentials(_ bytes: Bytes) throws(IcebergError) -> [Credential] {
      try credentials(try JSONReader(try JSONDocument.parse(bytes).root, path: "response").object())
    }

    private static func credentials(_ root: JSONReader) throws(IcebergError) -> [Credential] {
      try root.optional("storage-credentials")?.array { (one) throws(IcebergError) in
        let object = try one.object()
        return Credential(
          prefix: try object.required("prefix").string(), config: try object.required("config").strings())
      } ?? []
    }

    package func encoded() -> Bytes {
      var json = JSONWriter(capacity: 16 << 10)
      json.object { json in
        if let metadataLocation { json.member("metadata-location", metadataLocation) }
        json.key("metadata")
        metadata.write(to: &json)
        json.key("config")
        json.members(config)
      }
      return json.finish()
    }

    /// The answer to a commit, which has no `config`.
    package func encodedCommit() -> Bytes {
      var json = JSONWriter(capacity: 16 << 10)
      json.object { json in
        json.member("metadata-location", metadataLocation ?? "")
        json.key("metadata")
        metadata.write(to: &json)
      }
      return json.finish()
    }
  }
}
