package import LakeSchema

/// What every catalog asks of names.
package enum CatalogRules {
  /// Levels are joined by `.` in the SQL layout, so a level holds none.
  package static func check(namespace: [String]) throws(CatalogError) {
    guard !namespace.isEmpty else { throw .invalid("a namespace needs at least one level") }
    for level in namespace { try check(name: level, what: "namespace level") }
    guard namespace.reduce(namespace.count - 1, { $0 + $1.utf8.count }) <= 255 else {
      throw .invalid("a namespace takes at most 255 bytes")
    }
  }

  package static func check(_ table: TableIdentifier) throws(CatalogError) {
    try check(namespace: table.namespace)
    try check(name: table.name, what: "table name")
  }

  private static func check(name: String, what: String) throws(CatalogError) {
    guard !name.isEmpty, name.utf8.count <= 255 else { throw .invalid("a \(what) takes 1 to 255 bytes") }
    guard name != "..", name != "." else { throw .invalid("a \(what) cannot be '\(name)'") }
    for byte in name.utf8 where byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/") {
      throw .invalid("a \(what) holds no '.', '/' or control character")
    }
  }

  package static func checkUpdate(setting: [String: String], removing: [String]) throws(CatalogError) {
    if let both = removing.sorted().first(where: { setting[$0] != nil }) {
      throw .invalid("property \(both) is both set and removed")
    }
  }

  package static func error(of failure: TableCommitError) -> CatalogError {
    switch failure {
    case .requirementFailed(let what): .conflict(what)
    case .invalid(let what): .invalid(what)
    }
  }
}
