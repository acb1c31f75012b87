import LakeModel
import LakeSchema

/// The part that all commits share: new manifests, the manifest list, the snapshot, updates and requirements.
struct SnapshotBuilder {
  let table: TableMetadata
  let context: CommitContext
  let sequenceNumber: Int64
  private(set) var uploads: [SnapshotCommit.Upload] = []
  private(set) var manifests: [ManifestFile] = []
  var summary = SnapshotSummary()

  /// More files go into further manifests.
  static let filesPerManifestMax = 8192

  init(table: TableMetadata, context: CommitContext) throws(IcebergError) {
    guard table.formatVersion == 2 else {
      throw .unsupported("a table of format version \(table.formatVersion) is read only here until it is upgraded to 2")
    }
    guard context.snapshotID > 0, table.snapshot(id: context.snapshotID) == nil else {
      throw .invalid("snapshot id \(context.snapshotID) is in use or not positive")
    }
    self.table = table
    self.context = context
    sequenceNumber = table.lastSequenceNumber + 1
  }

  /// Manifests of the base snapshot that stay as they are; those without live files are left behind.
  mutating func keep(_ kept: [ManifestFile]) { manifests += kept.filter(\.mayHoldLiveFiles) }

  /// Writes entries into new manifests: one partition spec and one content each.
  mutating func write(_ entries: [ManifestEntry]) throws(IcebergError) {
    let specs = Set(entries.map(\.file.specID)).sorted()
    for specID in specs {
      for content in [ManifestFile.Content.data, .deletes] {
        let chosen = entries.filter { $0.file.specID == specID && ($0.file.content == .data) == (content == .data) }
        for start in stride(from: 0, to: chosen.count, by: Self.filesPerManifestMax) {
          try writeManifest(
            Array(chosen[start..<min(start + Self.filesPerManifestMax, chosen.count)]), specID: specID, content: content
          )
        }
      }
    }
  }

  private mutating func writeManifest(
    _ entries: [ManifestEntry], specID: Int, content: ManifestFile.Content
  ) throws(IcebergError) {
    guard let spec = table.partitionSpec(id: specID), let schema = table.schema else {
      throw .invalid("no partition spec \(specID) in the table")
    }
    let types = table.partitionTypes(of: spec).map { $0 ?? .string }
    for entry in entries { try entry.file.check(spec, types: types) }
    let bytes = Manifest.encode(entries, content: content, schema: schema, spec: spec, types: types)
    let path = "\(table.metadataDirectory)/\(context.commitUUID)-m\(uploads.count).avro"
    uploads.append(SnapshotCommit.Upload(location: path, bytes: bytes))
    manifests.insert(
      describe(entries, path: path, length: Int64(bytes.count), spec: spec, content: content), at: uploads.count - 1)
  }

  private func describe(
    _ entries: [ManifestEntry], path: String, length: Int64, spec: PartitionSpec, content: ManifestFile.Content
  ) -> ManifestFile {
    func files(_ status: ManifestEntry.Status) -> [DataFile] { entries.filter { $0.status == status }.map(\.file) }
    func rows(_ files: [DataFile]) -> Int64 { files.reduce(0) { $0 + $1.recordCount } }
    let (added, existing, deleted) = (files(.added), files(.existing), files(.deleted))
    let live = entries.filter(\.isLive).map { $0.sequenceNumber ?? sequenceNumber }
    return ManifestFile(
      path: path, length: length, specID: spec.id, content: content, sequenceNumber: sequenceNumber,
      minSequenceNumber: live.min() ?? sequenceNumber, addedSnapshotID: context.snapshotID,
      addedFilesCount: added.count, existingFilesCount: existing.count, deletedFilesCount: deleted.count,
      addedRowsCount: rows(added), existingRowsCount: rows(existing), deletedRowsCount: rows(deleted),
      partitions: entries.map(\.file).partitionSummaries(fieldCount: spec.fields.count))
  }

  /// - Parameter branch: the snapshot goes onto it; it must still stand where `table` has it.
  consuming func finish(operation: String, branch: String = TableMetadata.mainBranch) throws(IcebergError)
    -> SnapshotCommit
  {
    let base = table.refs[branch]
    let parent = base.flatMap { table.snapshot(id: $0.snapshotID) }
    let bytes = try ManifestList.encode(
      manifests, snapshotID: context.snapshotID, parentID: parent?.id, sequenceNumber: sequenceNumber)
    let location = "\(table.metadataDirectory)/snap-\(context.snapshotID)-1-\(context.commitUUID).avro"
    let snapshot = Snapshot(
      id: context.snapshotID, parentID: parent?.id, sequenceNumber: sequenceNumber, timestamp: timestamp,
      manifestList: location,
      summary: summary.entries(operation: operation, after: parent).merging(context.summary) { $1 },
      schemaID: table.currentSchemaID)
    var ref = base ?? SnapshotRef(snapshotID: snapshot.id, kind: .branch)
    ref.snapshotID = snapshot.id
    var updates: [TableUpdate] = [.addSnapshot(snapshot), .setSnapshotRef(name: branch, ref)]
    if !context.properties.isEmpty { updates.append(.setProperties(context.properties)) }
    return SnapshotCommit(
      uploads: uploads + [SnapshotCommit.Upload(location: location, bytes: bytes)],
      requirements: [
        .assertTableUUID(table.tableUUID), .assertRefSnapshotID(ref: branch, snapshotID: base?.snapshotID),
      ], updates: updates, snapshot: snapshot)
  }

  /// Never before the last snapshot, whatever the wall clock does: other engines refuse such tables.
  private var timestamp: Int64 {
    max(context.now, table.lastUpdated, table.snapshotLog.last?.timestamp ?? context.now)
  }
}
