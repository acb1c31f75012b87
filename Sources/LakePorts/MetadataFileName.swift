package import LakeSchema

/// Names of metadata files: `00007-<uuid>.metadata.json`, the number counting a table's versions.
///
/// The uuid is fresh each time, so a location never names two contents (PRT-2).
package struct MetadataFileName: Hashable, Sendable, CustomStringConvertible {
  package let version: Int
  package let uuid: String
  package let isGzip: Bool

  package init(version: Int, uuid: String, isGzip: Bool = false) {
    self.version = version
    self.uuid = uuid
    self.isGzip = isGzip
  }

  /// The last part of a location. Other spellings (`v3.metadata.json` of Hadoop tables) are nil.
  package init?(location: String) {
    var name = location[(location.lastIndex(of: "/").map { location.index(after: $0) } ?? location.startIndex)...]
    if name.hasSuffix(".gz.metadata.json") {
      isGzip = true
      name = name.dropLast(".gz.metadata.json".count)
    } else if name.hasSuffix(".metadata.json.gz") {
      isGzip = true
      name = name.dropLast(".metadata.json.gz".count)
    } else if name.hasSuffix(".metadata.json") {
      isGzip = false
      name = name.dropLast(".metadata.json".count)
    } else {
      return nil
    }
    guard let dash = name.firstIndex(of: "-"), let version = Int(name[..<dash]), version >= 0 else { return nil }
    self.version = version
    uuid = String(name[name.index(after: dash)...])
  }

  package var description: String {
    let digits = String(version)
    let padded = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    return "\(padded)-\(uuid)\(isGzip ? ".gz" : "").metadata.json"
  }

  /// The metadata file to write after `previous` (nil: the first).
  package static func next(for table: TableMetadata, after previous: String?, uuid: String) -> String {
    let version = previous.flatMap { MetadataFileName(location: $0)?.version }.map { $0 &+ 1 } ?? 0
    let isGzip = table.properties[TableProperties.metadataCompression]?.lowercased() == "gzip"
    return table.metadataDirectory + "/"
      + MetadataFileName(version: max(0, version), uuid: uuid, isGzip: isGzip).description
  }
}
