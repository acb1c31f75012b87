import LakeModel
package import LakePorts

extension ObjectStorePointers {
  struct FoundNamespace: Sendable {
    let object: NamespaceObject
    let tag: ContentTag
  }

  private func read(_ namespace: [String]) async throws(CatalogError) -> FoundNamespace? {
    let key = try key(namespace)
    guard let found = try await objects.read(key) else { return nil }
    return FoundNamespace(object: try NamespaceObject(found.bytes, key: key), tag: found.tag)
  }

  /// One that somebody is about to drop is still there.
  private func live(_ namespace: [String]) async throws(CatalogError) -> FoundNamespace {
    guard let found = try await read(namespace), found.object.state != .gone else { throw .noSuchNamespace(namespace) }
    return found
  }

  package func listNamespaces() async throws(CatalogError) -> [[String]] {
    let cut = namespacesPrefix.utf8.count
    let names = try await list(namespacesPrefix).map { String(decoding: $0.text.utf8.dropFirst(cut), as: UTF8.self) }
    return try await filter(names) { (name) throws(CatalogError) in
      try await read(Self.levels(name)).map { $0.object.state != .gone } ?? false
    }.map(Self.levels)
  }

  private static func levels(_ name: String) -> [String] {
    name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
  }

  package func createNamespace(_ namespace: [String], properties: [String: String]) async throws(CatalogError) {
    let parent = Array(namespace.dropLast())
    if !parent.isEmpty { _ = try await live(parent) }
    for _ in 0..<Self.turnsMax {
      let found = try await read(namespace)
      if let found, found.object.state != .gone { throw .namespaceExists(namespace) }
      let object = NamespaceObject(.live, properties: properties, nonce: random.uuid())
      if try await objects.replace(try key(namespace), found?.tag, with: object.encoded()) == .written {
        if !parent.isEmpty { try await keepNamespace(of: parent) }
        return
      }
    }
    throw .unavailable("\(namespace.joined(separator: ".")) changes faster than it is read")
  }

  package func loadNamespace(_ namespace: [String]) async throws(CatalogError) -> [String: String] {
    try await live(namespace).object.properties
  }

  package func updateNamespace(_ namespace: [String], setting: [String: String], removing: [String])
    async throws(CatalogError)
  {
    for _ in 0..<Self.turnsMax {
      let found = try await live(namespace)
      var properties = found.object.properties.merging(setting) { $1 }
      for name in removing { properties[name] = nil }
      let object = NamespaceObject(.live, properties: properties, nonce: random.uuid())
      if try await objects.replace(try key(namespace), found.tag, with: object.encoded()) == .written { return }
    }
    throw .unavailable("\(namespace.joined(separator: ".")) changes faster than it is read")
  }

  /// Says that it is about to go, looks whether something is inside, and goes: whoever puts something in meanwhile finds
  /// the first and takes it back, or is found by the second.
  package func dropNamespace(_ namespace: [String]) async throws(CatalogError) {
    for _ in 0..<Self.turnsMax {
      let found = try await live(namespace)
      let dropping = NamespaceObject(.dropping, properties: found.object.properties, nonce: random.uuid())
      guard try await objects.replace(try key(namespace), found.tag, with: dropping.encoded()) == .written,
        let marked = try await read(namespace), marked.object == dropping
      else { continue }
      if try await isEmpty(namespace) {
        let gone = NamespaceObject(.gone, properties: [:], nonce: random.uuid())
        if try await objects.replace(try key(namespace), marked.tag, with: gone.encoded()) == .written { return }
      } else {
        let live = NamespaceObject(.live, properties: found.object.properties, nonce: random.uuid())
        _ = try await objects.replace(try key(namespace), marked.tag, with: live.encoded())
        throw .namespaceNotEmpty(namespace)
      }
    }
    throw .unavailable("\(namespace.joined(separator: ".")) changes faster than it is dropped")
  }

  /// A table that is arriving counts: its rename may happen yet.
  private func isEmpty(_ namespace: [String]) async throws(CatalogError) -> Bool {
    let inside = namespace.joined(separator: ".") + "."
    if try await listNamespaces().contains(where: { $0.joined(separator: ".").hasPrefix(inside) }) { return false }
    let prefix = tablesPrefix(namespace)
    let names = try await list(prefix).map {
      String(decoding: $0.text.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }
    return try await filter(names) { (name) throws(CatalogError) in
      switch try await settled(TableIdentifier(namespace: namespace, name: name))?.object.state {
      case .table, .arriving: true
      case .gone, .left, nil: false
      }
    }.isEmpty
  }

  /// Called after something was put into a namespace: takes back a drop that did not see it.
  func keepNamespace(of namespace: [String]) async throws(CatalogError) {
    for _ in 0..<Self.turnsMax {
      guard let found = try await read(namespace) else { return }
      switch found.object.state {
      case .live: return
      case .dropping, .gone:
        let live = NamespaceObject(.live, properties: found.object.properties, nonce: random.uuid())
        if try await objects.replace(try key(namespace), found.tag, with: live.encoded()) == .written { return }
      }
    }
  }
}
