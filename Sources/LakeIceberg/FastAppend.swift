package import LakeSchema

/// Adds data files without looking at those that are there.
package struct FastAppend: Sendable {
  package let files: [DataFile]

  package init(files: [DataFile]) { self.files = files }

  /// Appends to branch main of `table`.
  ///
  /// - Parameter manifests: the manifest list of the current snapshot, decoded; empty when there is no snapshot.
  /// - Returns: with no files a commit of an empty snapshot (which still changes properties and makes commits prepared
  ///   before it fail).
  /// - Throws: `.invalid` when a file does not fit the table's partition spec of its `specID`, or is no data file;
  ///   `.unsupported` when the table cannot be written here.
  package func commit(to table: TableMetadata, manifests: [ManifestFile], context: CommitContext)
    throws(IcebergError) -> SnapshotCommit
  {
    var builder = try SnapshotBuilder(table: table, context: context)
    for file in files {
      guard file.content == .data else { throw .invalid("\(file.path) is no data file") }
      builder.summary.add(file)
    }
    builder.keep(manifests)
    try builder.write(
      files.map {
        ManifestEntry(
          status: .added, snapshotID: context.snapshotID, sequenceNumber: nil, fileSequenceNumber: nil, file: $0)
      })
    return try builder.finish(operation: "append")
  }
}
