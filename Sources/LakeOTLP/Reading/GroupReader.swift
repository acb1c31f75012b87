import LakeModel
import LakeSchema

/// Rows of any signal, grouped by equal resource and scope in order of first sight.
struct RowGroups {
  struct Scope {
    var rows: [Int]
  }
  struct Resource {
    var scopes: [Scope]
  }
  private(set) var resources: [Resource] = []

  init(_ reader: GroupReader, count: Int) {
    var resourceTable = ByteTable(seed: 0x5851_F42D_4C95_7F2D)
    var scopeTable = ByteTable(seed: 0x5851_F42D_4C95_7F2D)
    var scopeHomes: [(resource: Int, scope: Int)] = []
    var key = BufferBuilder<UInt8>()
    for row in 0..<count {
      key.count = 0
      for text in [reader.resource, reader.resourceSchemaURL] { RowGroups.append(text?[row], to: &key) }
      let resource = Int(resourceTable.index(of: key.written))
      if resource == resources.count { resources.append(Resource(scopes: [])) }
      key.count = 0
      key.varint(UInt64(resource))
      for text in [reader.scopeName, reader.scopeVersion, reader.scope, reader.scopeSchemaURL] {
        RowGroups.append(text?[row], to: &key)
      }
      let scope = Int(scopeTable.index(of: key.written))
      if scope == scopeHomes.count {
        scopeHomes.append((resource, resources[resource].scopes.count))
        resources[resource].scopes.append(Scope(rows: []))
      }
      let home = scopeHomes[scope]
      resources[home.resource].scopes[home.scope].rows.append(row)
    }
  }

  private static func append(_ text: RawBytes?, to key: inout BufferBuilder<UInt8>) {
    key.varint(UInt64(text?.count ?? 0))
    if let text { key.append(text) }
  }
}

/// The columns that rows of one resource and scope share, back to their messages.
struct GroupReader {
  let resource: TextReader?
  let resourceSchemaURL: TextReader?
  let scopeName: TextReader?
  let scopeVersion: TextReader?
  let scope: TextReader?
  let scopeSchemaURL: TextReader?

  init(_ batch: ColumnBatch) {
    resource = TextReader(batch.column("resource"))
    resourceSchemaURL = TextReader(batch.column("resource_schema_url"))
    scopeName = TextReader(batch.column("scope_name"))
    scopeVersion = TextReader(batch.column("scope_version"))
    scope = TextReader(batch.column("scope"))
    scopeSchemaURL = TextReader(batch.column("scope_schema_url"))
  }

  /// Appends a request: field 1 per resource, in it field 2 per scope, in it what `appendRows` writes of a scope's rows.
  func appendRequest(
    count: Int, to out: inout BufferBuilder<UInt8>,
    _ appendRows: ([Int], inout BufferBuilder<UInt8>) throws(OTLPError) -> Void
  ) throws(OTLPError) {
    for resource in RowGroups(self, count: count).resources {
      let outer = out.beginMessage(1)
      let first = resource.scopes[0].rows[0]
      try appendResource(first, to: &out)
      for scope in resource.scopes {
        let inner = out.beginMessage(2)
        try appendScope(scope.rows[0], to: &out)
        try appendRows(scope.rows, &out)
        try appendURL(scopeSchemaURL?[scope.rows[0]], text: self.scope?[scope.rows[0]], to: &out)
        out.endMessage(inner)
      }
      try appendURL(resourceSchemaURL?[first], text: self.resource?[first], to: &out)
      out.endMessage(outer)
    }
  }

  private func appendResource(_ row: Int, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    guard let text = resource?[row] else { return }
    let fieldStart = out.count
    let start = out.beginMessage(1)
    let stored = try StoredJSON(text, place: "row \(row), resource")
    if let bytes = try stored.base64("bytes") {
      out.append(RawBytes(bytes.unsafeBase, bytes.count))
    } else {
      try stored.append(.resource, to: &out)
    }
    out.endMessage(start, droppingEmptyFrom: fieldStart)
  }

  private func appendScope(_ row: Int, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    let fieldStart = out.count
    let start = out.beginMessage(1)
    let stored = try scope?[row].map { (text) throws(OTLPError) in try StoredJSON(text, place: "row \(row), scope") }
    if let bytes = try stored?.base64("bytes") {
      out.append(RawBytes(bytes.unsafeBase, bytes.count))
    } else {
      if let name = scopeName?[row] { out.field(1, bytes: name) }
      if let version = scopeVersion?[row] { out.field(2, bytes: version) }
      try stored?.append(.scope, to: &out)
    }
    out.endMessage(start, droppingEmptyFrom: fieldStart)
  }

  private func appendURL(
    _ url: RawBytes?, text: RawBytes?, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) {
    guard let url else { return }
    if let text, let bytes = try StoredJSON(text, place: "a schema url").base64("schemaUrlBytes") {
      out.field(3, bytes: RawBytes(bytes.unsafeBase, bytes.count))
    } else {
      out.field(3, bytes: url)
    }
  }
}
