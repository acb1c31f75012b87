import LakeJSON
import LakeModel
import LakePorts

/// The content of one pointer object. No two contents are the same (PRT-2): each names a location or carries a fresh nonce.
///
/// Source: README.md, "Pointer objects".
struct PointerObject: Hashable, Sendable {
  enum State: Hashable, Sendable {
    /// A table, whose metadata lies there.
    case table(location: String)
    /// A name that was used once. Objects are never deleted, so that every change can be conditional.
    case gone
    /// A rename is bringing a table here: it is one as soon as `from` says that it left by the same rename.
    case arriving(from: TableIdentifier, rename: String, location: String)
    /// The table went there.
    case left(to: TableIdentifier, rename: String)
  }

  var state: State
  var nonce: String

  static let version = 1

  func encoded() -> Bytes {
    var json = JSONWriter(capacity: 256)
    json.object { json in
      json.member("format-version", PointerObject.version)
      switch state {
      case .table(let location):
        json.member("state", "table")
        json.member("metadata-location", location)
      case .gone: json.member("state", "gone")
      case .arriving(let from, let rename, let location):
        json.member("state", "arriving")
        json.key("from")
        PointerObject.write(from, to: &json)
        json.member("rename", rename)
        json.member("metadata-location", location)
      case .left(let to, let rename):
        json.member("state", "left")
        json.key("to")
        PointerObject.write(to, to: &json)
        json.member("rename", rename)
      }
      json.member("nonce", nonce)
    }
    return json.finish()
  }

  private static func write(_ table: TableIdentifier, to json: inout JSONWriter) {
    json.array { json in
      for level in table.namespace { json.value(level) }
      json.value(table.name)
    }
  }

  init(_ state: State, nonce: String) {
    self.state = state
    self.nonce = nonce
  }

  init(_ bytes: Bytes, key: ObjectKey) throws(CatalogError) {
    guard let document = try? JSONDocument(bytes), document.root["format-version"]?.int == PointerObject.version,
      let nonce = document.root["nonce"]?.string, let state = PointerObject.state(document.root)
    else { throw .corrupt("\(key) is no pointer that this version can read") }
    self.state = state
    self.nonce = nonce
  }

  private static func state(_ root: JSONValue) -> State? {
    switch root["state"]?.string {
    case "table": return root["metadata-location"]?.string.map { .table(location: $0) }
    case "gone": return .gone
    case "arriving":
      guard let from = root["from"].flatMap(table), let rename = root["rename"]?.string,
        let location = root["metadata-location"]?.string
      else { return nil }
      return .arriving(from: from, rename: rename, location: location)
    case "left":
      guard let to = root["to"].flatMap(table), let rename = root["rename"]?.string else { return nil }
      return .left(to: to, rename: rename)
    default: return nil
    }
  }

  private static func table(_ value: JSONValue) -> TableIdentifier? {
    guard value.kind == .array else { return nil }
    var levels: [String] = []
    for element in value.elements {
      guard let level = element.string else { return nil }
      levels.append(level)
    }
    guard let name = levels.popLast(), !levels.isEmpty else { return nil }
    return TableIdentifier(namespace: levels, name: name)
  }
}

/// The content of one namespace's object.
struct NamespaceObject: Hashable, Sendable {
  enum State: String, Hashable, Sendable {
    case live
    /// Somebody looks whether it is empty; whoever puts something in makes it live again, and the drop fails.
    case dropping
    case gone
  }

  var state: State
  var properties: [String: String]
  var nonce: String

  func encoded() -> Bytes {
    var json = JSONWriter(capacity: 256)
    json.object { json in
      json.member("format-version", PointerObject.version)
      json.member("state", state.rawValue)
      json.key("properties")
      json.object { json in
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) { json.member(name, value) }
      }
      json.member("nonce", nonce)
    }
    return json.finish()
  }

  init(_ state: State, properties: [String: String], nonce: String) {
    self.state = state
    self.properties = properties
    self.nonce = nonce
  }

  init(_ bytes: Bytes, key: ObjectKey) throws(CatalogError) {
    guard let document = try? JSONDocument(bytes), document.root["format-version"]?.int == PointerObject.version,
      let nonce = document.root["nonce"]?.string, let members = document.root["properties"], members.kind == .object,
      let state = document.root["state"]?.string.flatMap(State.init(rawValue:))
    else { throw .corrupt("\(key) is no namespace that this version can read") }
    var properties: [String: String] = [:]
    for member in members.members {
      guard let value = member.value.string else { throw .corrupt("\(key): a property that is no text") }
      properties[member.nameText] = value
    }
    self.state = state
    self.properties = properties
    self.nonce = nonce
  }
}
