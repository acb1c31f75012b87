package import LakeSchema

/// Adds data files and, when the table's `commit.manifest.*` properties ask for it, puts small manifests together in the same
/// snapshot.
///
///     let append = MergeAppend(files: files, table: metadata)
///     for manifest in append.manifestsNeeded(manifests) { entries[manifest.path] = Manifest.decode(get(manifest.path)) }
///     let commit = try append.commit(to: metadata, manifests: manifests, entries: entries, context: context)
/// Most commits need no manifest; with the defaults one in a hundred reads a hundred small ones. A caller that cannot read them
/// uses `FastAppend` and leaves the merge to the next commit.
package struct MergeAppend: Sendable {
  package let files: [DataFile]
  private let merge: ManifestMerge

  package init(files: [DataFile], merge: ManifestMerge) {
    self.files = files
    self.merge = merge
  }

  package init(files: [DataFile], table: TableMetadata) { self.init(files: files, merge: ManifestMerge(table)) }

  /// The manifests whose entries `commit` must see, ascending as in the list.
  package func manifestsNeeded(_ manifests: [ManifestFile]) -> [ManifestFile] {
    let wanted = Set(merge.plan(manifests).joined().map(\.path))
    return manifests.filter { wanted.contains($0.path) }
  }

  /// - Parameters:
  ///   - manifests: the manifest list of the current snapshot, decoded; empty when there is no snapshot.
  ///   - entries: of each of `manifestsNeeded`, by location.
  /// - Throws: what `FastAppend` throws, and `.invalid` when entries are missing.
  package func commit(
    to table: TableMetadata, manifests: [ManifestFile], entries: [String: [ManifestEntry]], context: CommitContext
  ) throws(IcebergError) -> SnapshotCommit {
    var builder = try SnapshotBuilder(table: table, context: context)
    for file in files {
      guard file.content == .data else { throw .invalid("\(file.path) is no data file") }
      builder.summary.add(file)
    }
    try ManifestMerge.write(merge.plan(manifests), manifests, entries, into: &builder)
    try builder.write(
      files.map {
        ManifestEntry(
          status: .added, snapshotID: context.snapshotID, sequenceNumber: nil, fileSequenceNumber: nil, file: $0)
      })
    return try builder.finish(operation: "append")
  }
}
