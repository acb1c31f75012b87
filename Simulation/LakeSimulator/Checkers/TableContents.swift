import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema

/// What snapshots name and what their data files hold, read from outside of any life. Nothing of it ever changes, so each
/// object is decoded once.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class TableContents: @unchecked Sendable {
  /// What one snapshot leads to.
  struct Files {
    /// Locations of live data files.
    var data: Set<String> = []
    /// Locations of the manifest list and the manifests.
    var metadata: Set<String> = []

    func names(_ location: String) -> Bool { data.contains(location) || metadata.contains(location) }
  }

  struct Row: Hashable {
    let tenant: String
    /// The body, or what stands for it.
    let text: String
  }

  private unowned let world: World
  private var snapshots: [String: Files] = [:]
  private var manifests: [String: [String]] = [:]
  private var rows: [String: [Row]] = [:]
  /// Files that readers have found in manifests, by tenant and location.
  private var scans: [String: [ScanFile]] = [:]

  init(_ world: World) { self.world = world }

  func files(of snapshot: Snapshot, _ table: TableMetadata) -> Files {
    if let known = snapshots[snapshot.manifestList] { return known }
    var found = Files()
    found.metadata.insert(snapshot.manifestList)
    for manifest in bytes(snapshot.manifestList).flatMap({ try? ManifestList.decode($0) }) ?? [] {
      found.metadata.insert(manifest.path)
      found.data.formUnion(files(of: manifest, table))
    }
    snapshots[snapshot.manifestList] = found
    return found
  }

  private func files(of manifest: ManifestFile, _ table: TableMetadata) -> [String] {
    if let known = manifests[manifest.path] { return known }
    let entries = bytes(manifest.path).flatMap { try? Manifest.decode($0, of: manifest, table: table) } ?? []
    let files = entries.filter(\.isLive).map(\.file.path)
    manifests[manifest.path] = files
    return files
  }

  /// Whether an object stands there now.
  func stands(_ location: String) -> Bool { bytes(location) != nil }

  /// Rows of a data file; empty when it cannot be read.
  func rows(of location: String, _ schema: Schema) -> [Row] {
    if let known = rows[location] { return known }
    let found = bytes(location).flatMap { try? TableContents.decode($0, schema) } ?? []
    rows[location] = found
    return found
  }

  /// What a reader finds in a manifest that it has fetched through its own ports.
  func scan(_ name: String, _ decode: () throws -> [ScanFile]) rethrows -> [ScanFile] {
    if let known = scans[name] { return known }
    let found = try decode()
    scans[name] = found
    return found
  }

  /// The same, for a reader that has fetched the bytes through its own ports.
  func rows(of location: String, _ schema: Schema, fetched bytes: Bytes) throws -> [Row] {
    if let known = rows[location] { return known }
    let found = try TableContents.decode(bytes, schema)
    rows[location] = found
    return found
  }

  private func bytes(_ location: String) -> Bytes? {
    (try? world.warehouse.key(of: location)).flatMap { world.peek($0) }
  }

  // MARK: rows

  /// What is read of a row: its tenant and its body; of events, which have none, the name.
  static func columns(_ schema: Schema) -> Schema {
    let text = schema.index(of: "body") == nil ? "event_name" : "body"
    return Schema(id: schema.id, fields: schema.fields.filter { $0.name == "tenant_id" || $0.name == text })
  }

  static func rows(_ batch: ColumnBatch) -> [Row] {
    guard let tenants = batch.column("tenant_id"), let texts = batch.column("body") ?? batch.column("event_name") else {
      return []
    }
    return (0..<batch.count).map { Row(tenant: tenants.text($0) ?? "", text: texts.text($0) ?? "") }
  }

  private static func decode(_ bytes: Bytes, _ schema: Schema) throws -> [Row] {
    let file = try ParquetFile(bytes)
    let wanted = columns(schema)
    return try file.rowGroups.flatMap { group in
      let plan = try file.plan(rowGroup: group.index, projection: try file.projection(to: wanted))
      return rows(try file.decode(plan, fetched: plan.ranges.map { bytes[$0] }))
    }
  }
}
