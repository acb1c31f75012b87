package import LakeSchema

/// A commit that takes files out of a table, and may put others in: overwrite, delete, rewrite (compaction), and the
/// addition of delete files.
///
/// It must see the entries of the manifests that may hold the files to remove: `manifestsNeeded` names them, `commit` takes
/// them. Manifests that hold none of the files stay as they are; the others are written again.
package struct FileChange: Sendable {
  package enum Operation: String, Sendable {
    /// Rows removed and added.
    case overwrite
    /// Rows removed only.
    case delete
    /// The same rows in other files (CMP-1: the caller has checked that they are).
    case replace
  }

  package var operation: Operation
  /// Data and delete files.
  package var adding: [DataFile]
  /// Data and delete files, as the plan found them.
  package var removing: [DataFile]
  /// Compaction: the sequence number of the snapshot that it read. Added files get it as their data sequence number, so
  /// that equality deletes committed since still apply to them; position deletes committed since for a file that goes are a
  /// conflict.
  package var readSequenceNumber: Int64?

  package init(
    _ operation: Operation, adding: [DataFile] = [], removing: [DataFile] = [], readSequenceNumber: Int64? = nil
  ) {
    self.operation = operation
    self.adding = adding
    self.removing = removing
    self.readSequenceNumber = readSequenceNumber
  }

  /// The manifests whose entries `commit` must see.
  package func manifestsNeeded(_ manifests: [ManifestFile]) -> [ManifestFile] {
    manifests.filter { manifest in
      guard manifest.mayHoldLiveFiles else { return false }
      if manifest.content == .deletes, let readSequenceNumber, manifest.sequenceNumber > readSequenceNumber {
        return true
      }
      return removing.contains { file in
        file.specID == manifest.specID && (file.content == .data) == (manifest.content == .data)
      }
    }
  }

  /// - Parameters:
  ///   - manifests: the manifest list of the branch's snapshot, decoded.
  ///   - entries: of each of `manifestsNeeded`, by location.
  /// - Throws: `.conflict` when a file to remove is not in the table any more, or new position deletes concern it;
  ///   `.invalid` when an added file does not fit the table.
  package func commit(
    to table: TableMetadata, branch: String = TableMetadata.mainBranch, manifests: [ManifestFile],
    entries: [String: [ManifestEntry]], context: CommitContext
  ) throws(IcebergError) -> SnapshotCommit {
    let needed = manifestsNeeded(manifests)
    for manifest in needed where entries[manifest.path] == nil {
      throw .invalid("manifest \(manifest.path) was not given")
    }
    try checkNewDeletes(needed, entries)
    var builder = try SnapshotBuilder(table: table, context: context)
    var left = Set(removing.map(\.path))
    var rewritten: [ManifestEntry] = []
    for manifest in manifests {
      guard let all = entries[manifest.path], all.contains(where: { $0.isLive && left.contains($0.file.path) }) else {
        builder.keep([manifest])
        continue
      }
      for entry in all where entry.isLive { rewritten.append(carry(entry, removing: &left, &builder, context)) }
    }
    guard left.isEmpty else { throw .conflict("no longer in the table: \(left.sorted().joined(separator: ", "))") }
    for file in adding { builder.summary.add(file) }
    try builder.write(rewritten)
    try builder.write(adding.map { added($0, context) })
    return try builder.finish(operation: operation.rawValue, branch: branch)
  }

  private func carry(
    _ entry: ManifestEntry, removing left: inout Set<String>, _ builder: inout SnapshotBuilder, _ context: CommitContext
  ) -> ManifestEntry {
    var entry = entry
    if left.remove(entry.file.path) != nil {
      entry.status = .deleted
      entry.snapshotID = context.snapshotID
      builder.summary.remove(entry.file)
    } else {
      entry.status = .existing
    }
    return entry
  }

  private func added(_ file: DataFile, _ context: CommitContext) -> ManifestEntry {
    ManifestEntry(
      status: .added, snapshotID: context.snapshotID,
      sequenceNumber: file.content == .data ? readSequenceNumber : nil, fileSequenceNumber: nil, file: file)
  }

  /// Rows of a removed file that were deleted by position since it was read would come back with the file that replaces it.
  private func checkNewDeletes(
    _ manifests: [ManifestFile], _ entries: [String: [ManifestEntry]]
  ) throws(IcebergError) {
    guard let readSequenceNumber else { return }
    let deletes = manifests.filter { $0.content == .deletes }.flatMap { entries[$0.path] ?? [] }
      .filter { $0.isLive && ($0.sequenceNumber ?? 0) > readSequenceNumber && $0.file.content == .positionDeletes }
      .map { DeleteFile(file: $0.file, sequenceNumber: $0.sequenceNumber ?? 0) }
    let index = DeleteIndex(deletes)
    for file in removing where file.content == .data {
      if let delete = index.deletes(for: file, 0).first {
        throw .conflict("\(file.path) got deletes after it was read: \(delete.file.path)")
      }
    }
  }
}
