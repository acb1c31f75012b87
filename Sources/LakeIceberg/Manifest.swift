import LakeJSON
package import LakeModel
package import LakeSchema

/// Manifests: Avro files that list data or delete files of one partition spec.
package enum Manifest {
  /// Which columns' metrics to decode.
  package enum MetricsWanted: Sendable {
    case all
    case only(Set<Int>)

    func contains(_ id: Int) -> Bool {
      switch self {
      case .all: true
      case .only(let ids): ids.contains(id)
      }
    }
  }

  /// - Parameters:
  ///   - schema: the table's current one; recorded in the manifest.
  ///   - types: of the partition values, as `TableMetadata.partitionTypes` gives them.
  /// - Precondition: all files are of `spec` and `content`, with a value of the right type for each partition field
  ///   (`DataFile.check`).
  package static func encode(
    _ entries: [ManifestEntry], content: ManifestFile.Content, schema: Schema, spec: PartitionSpec, types: [FieldType]
  ) -> Bytes {
    precondition(types.count == spec.fields.count)
    var fields = JSONWriter()
    spec.writeFields(to: &fields)
    var avro = AvroFileWriter(
      schema: ManifestSchema.manifest(spec: spec, types: types),
      metadata: [
        ("schema", schema.json), ("schema-id", "\(schema.id)"), ("partition-spec", fields.finish().text),
        ("partition-spec-id", "\(spec.id)"), ("format-version", "2"),
        ("content", content == .data ? "data" : "deletes"),
      ])
    for entry in entries {
      precondition(entry.file.specID == spec.id && entry.file.partition.count == types.count)
      precondition((entry.file.content == .data) == (content == .data))
      ManifestEntryCodec.write(entry, types: types, to: &avro)
      avro.finishObject()
    }
    return avro.finish()
  }

  /// Reads manifests of format versions 1 and 2; sequence numbers and snapshot ids are inherited from `manifest`.
  ///
  /// - Parameter table: gives the partition spec and the schemas that its values' types come from.
  package static func decode(
    _ bytes: Bytes, of manifest: ManifestFile, table: TableMetadata, metrics: MetricsWanted = .all
  ) throws(IcebergError) -> [ManifestEntry] {
    guard let spec = table.partitionSpec(id: manifest.specID) else {
      throw .malformed("manifest \(manifest.path): no partition spec \(manifest.specID) in the table")
    }
    let codec = ManifestEntryCodec(spec: spec, types: table.partitionTypes(of: spec), metrics: metrics)
    var entries: [ManifestEntry] = []
    try AvroFile.read(bytes) { (cursor, header) throws(IcebergError) in
      var entry = try codec.read(&cursor, header.schema)
      try inherit(&entry, from: manifest)
      entries.append(entry)
    }
    return entries
  }

  /// Source: Iceberg table specification, "Sequence Number Inheritance".
  private static func inherit(_ entry: inout ManifestEntry, from manifest: ManifestFile) throws(IcebergError) {
    guard (entry.file.content == .data) == (manifest.content == .data) else {
      throw .malformed("manifest \(manifest.path): \(entry.file.path) is of other content")
    }
    entry.snapshotID = entry.snapshotID ?? manifest.addedSnapshotID
    let inherits = entry.status == .added || manifest.sequenceNumber == 0
    if entry.sequenceNumber == nil, inherits { entry.sequenceNumber = manifest.sequenceNumber }
    if entry.fileSequenceNumber == nil, inherits { entry.fileSequenceNumber = manifest.sequenceNumber }
    if entry.isLive, entry.sequenceNumber == nil {
      throw .malformed("manifest \(manifest.path): \(entry.file.path) has no sequence number to inherit")
    }
  }
}
