/// Where an object store's keys lie in the world: the URI of its root.
///
/// Iceberg metadata names files by absolute location (`file:///data/warehouse/icegate/logs/data/x.parquet`,
/// `s3://bucket/prefix/...`); the store names them by key, relative to its root. Locations are taken letter for letter,
/// without percent decoding, as other engines do.
package struct WarehouseLocation: Hashable, Sendable, CustomStringConvertible {
  /// `file:///abs/dir`, `s3://bucket/prefix`, `memory://lake`; no trailing slash (except of `file:///` and `s3://`).
  package let root: String

  /// - Returns: nil when `root` is not `scheme://authority/path`, `file:/abs/dir` or `/abs/dir`.
  package init?(_ root: String) {
    guard let root = WarehouseLocation.normalize(root) else { return nil }
    self.root = root
  }

  /// Everything of one scheme: of `s3://`, where a key begins with its bucket.
  package init(allOf scheme: String) { root = scheme == "file" ? "file:///" : "\(scheme)://" }

  /// For roots written in our own code. - Precondition: the rules above hold.
  package init(trusted root: String) {
    guard let location = WarehouseLocation(root) else { preconditionFailure("not a warehouse location: \(root)") }
    self = location
  }

  /// - Throws: `.outsideWarehouse` when the location does not lie below the root or is not a plain key below it.
  package func key(of location: String) throws(WarehouseError) -> ObjectKey {
    // Nearly always it is spelt as the root is.
    let prefix = prefix
    if location.utf8.starts(with: prefix.utf8), location.utf8.last != UInt8(ascii: "/"), !location.utf8.contains(0),
      let key = ObjectKey(String(location.utf8.dropFirst(prefix.utf8.count)) ?? "")
    {
      return key
    }
    guard let text = WarehouseLocation.normalize(location), text.hasPrefix(prefix),
      let key = ObjectKey(String(text.dropFirst(prefix.count)))
    else { throw .outsideWarehouse(location: location, root: root) }
    return key
  }

  package func location(of key: ObjectKey) -> String { prefix + key.text }

  private var prefix: String { root.hasSuffix("/") ? root : root + "/" }

  package var description: String { root }

  /// One spelling for each location: `/x`, `file:/x` and `file:///x` are the same, and so are `s3a`, `s3n` and `s3`.
  private static func normalize(_ location: String) -> String? {
    guard !location.utf8.contains(0) else { return nil }
    var text = location
    if text.hasPrefix("file:/") && !text.hasPrefix("file://") { text = "file://" + text.dropFirst(5) }
    if text.hasPrefix("file://localhost/") { text = "file://" + text.dropFirst("file://localhost".count) }
    if text.hasPrefix("/") { text = "file://" + text }
    for alias in ["s3a://", "s3n://"] where text.hasPrefix(alias) { text = "s3://" + text.dropFirst(alias.count) }
    guard let mark = text.firstRange(of: "://") else { return nil }
    let scheme = text[..<mark.lowerBound]
    guard !scheme.isEmpty, scheme.utf8.allSatisfy({ isSchemeByte($0) }), mark.upperBound < text.endIndex else {
      return nil
    }
    if scheme == "file" && !text[mark.upperBound...].hasPrefix("/") { return nil }
    while text.hasSuffix("/") && text != "file:///" { text.removeLast() }
    return text
  }

  private static func isSchemeByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}

package enum WarehouseError: Error, Hashable, Sendable {
  /// A location that the configured store does not hold.
  case outsideWarehouse(location: String, root: String)
}
