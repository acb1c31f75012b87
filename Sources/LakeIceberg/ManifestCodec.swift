package import LakeModel
package import LakeSchema

/// Manifest lists: Avro files that name the manifests of one snapshot.
package enum ManifestList {
  package static func encode(
    _ manifests: [ManifestFile], snapshotID: Int64, parentID: Int64?, sequenceNumber: Int64
  ) -> Bytes { preconditionFailure("not yet") }

  /// Reads lists of format versions 1 and 2.
  package static func decode(_ bytes: Bytes) throws(IcebergError) -> [ManifestFile] { preconditionFailure("not yet") }
}

/// Manifests: Avro files that list data or delete files of one partition spec.
package enum Manifest {
  /// - Precondition: all files are of `spec`, and of `content`.
  package static func encode(
    _ entries: [ManifestEntry], content: ManifestFile.Content, schema: Schema, spec: PartitionSpec
  ) -> Bytes { preconditionFailure("not yet") }

  /// Reads manifests of format versions 1 and 2; sequence numbers and snapshot ids are inherited from `manifest`.
  /// - Parameter table: gives the partition spec and the schemas its values' types come from.
  package static func decode(_ bytes: Bytes, of manifest: ManifestFile, table: TableMetadata) throws(IcebergError)
    -> [ManifestEntry]
  { preconditionFailure("not yet") }
}

/// `metadata.json`, plain or gzip.
package enum TableMetadataCodec {
  /// - Parameter gzip: for locations named `*.gz.metadata.json`.
  package static func encode(_ table: TableMetadata, gzip: Bool = false) -> Bytes { preconditionFailure("not yet") }

  /// Reads format versions 1 and 2; gzip is recognised by its first bytes. Unknown members are passed over.
  /// - Throws: `.unsupported` for format version 3 and up.
  package static func decode(_ bytes: Bytes) throws(IcebergError) -> TableMetadata { preconditionFailure("not yet") }
}
