package import LakeModel
package import LakeSchema

/// Decides which files a scan must read. The caller fetches the manifest list and then each manifest that is left, in
/// any order and in parallel:
///
///     let planner = try ScanPlanner(table: metadata, snapshotID: nil, predicate: predicate)
///     guard let list = planner.manifestListLocation else { return [] }        // no snapshot: no rows
///     let manifests = planner.select(try ManifestList.decode(bytes(at: list)))
///     for manifest in manifests { files += try planner.files(of: manifest, bytes: bytes(at: manifest.path)) }
package struct ScanPlanner: Sendable {
  package let table: TableMetadata
  package let snapshot: Snapshot?
  package let predicate: Predicate

  /// - Parameter snapshotID: nil takes the current snapshot.
  /// - Throws: `.invalid` for an unknown snapshot or a predicate that does not fit the schema.
  package init(table: TableMetadata, snapshotID: Int64? = nil, predicate: Predicate = .all) throws(IcebergError) {
    preconditionFailure("not yet")
  }

  package var manifestListLocation: String? { snapshot?.manifestList }

  /// The manifests that may hold a matching file, in the list's order.
  /// - Throws: `.unsupported` when the snapshot has delete manifests with live files: until deletes are applied, an error is
  ///   better than rows that were deleted.
  package func select(_ manifests: [ManifestFile]) throws(IcebergError) -> [ManifestFile] {
    preconditionFailure("not yet")
  }

  /// The live files of one manifest that may hold a matching row, in the manifest's order.
  package func files(of manifest: ManifestFile, bytes: Bytes) throws(IcebergError) -> [ScanFile] {
    preconditionFailure("not yet")
  }
}

/// A data file to read.
package struct ScanFile: Hashable, Sendable {
  package let file: DataFile
  /// Data sequence number: deletes of a higher one apply.
  package let sequenceNumber: Int64
  /// Terms that the partition values already guarantee for every row are left out.
  package let residual: Predicate

  package init(file: DataFile, sequenceNumber: Int64, residual: Predicate) {
    self.file = file
    self.sequenceNumber = sequenceNumber
    self.residual = residual
  }
}
