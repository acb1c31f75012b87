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
  /// - Throws: `.invalid` when a file does not fit the table's partition spec of its `specID`.
  package func commit(to table: TableMetadata, manifests: [ManifestFile], context: CommitContext)
    throws(IcebergError) -> SnapshotCommit
  { preconditionFailure("not yet") }
}
