package import LakeModel
import LakeSchema

/// Manifest lists: Avro files that name the manifests of one snapshot.
package enum ManifestList {
  /// - Throws: `.unsupported` when a manifest of format version 1 comes without counts, which version 2 requires.
  package static func encode(
    _ manifests: [ManifestFile], snapshotID: Int64, parentID: Int64?, sequenceNumber: Int64
  ) throws(IcebergError) -> Bytes {
    var avro = AvroFileWriter(
      schema: ManifestSchema.manifestList(),
      metadata: [
        ("format-version", "2"), ("snapshot-id", "\(snapshotID)"),
        ("parent-snapshot-id", parentID.map { "\($0)" } ?? "null"), ("sequence-number", "\(sequenceNumber)"),
      ])
    for manifest in manifests {
      try write(manifest, to: &avro)
      avro.finishObject()
    }
    return avro.finish()
  }

  private static func write(_ manifest: ManifestFile, to avro: inout AvroFileWriter) throws(IcebergError) {
    guard let added = manifest.addedFilesCount, let existing = manifest.existingFilesCount,
      let deleted = manifest.deletedFilesCount, let addedRows = manifest.addedRowsCount,
      let existingRows = manifest.existingRowsCount, let deletedRows = manifest.deletedRowsCount
    else { throw .unsupported("manifest \(manifest.path) of format version 1 has no counts: rewrite it first") }
    avro.string(manifest.path)
    avro.long(manifest.length)
    avro.int(manifest.specID)
    avro.int(manifest.content.rawValue)
    avro.long(manifest.sequenceNumber)
    avro.long(manifest.minSequenceNumber)
    avro.long(manifest.addedSnapshotID)
    for count in [added, existing, deleted] { avro.int(count) }
    for count in [addedRows, existingRows, deletedRows] { avro.long(count) }
    avro.present()
    if !manifest.partitions.isEmpty {
      avro.int(manifest.partitions.count)
      for summary in manifest.partitions { write(summary, to: &avro) }
    }
    avro.int(0)
    avro.optional(manifest.keyMetadata)
  }

  private static func write(_ summary: ManifestFile.FieldSummary, to avro: inout AvroFileWriter) {
    avro.boolean(summary.containsNull)
    if let containsNaN = summary.containsNaN {
      avro.present()
      avro.boolean(containsNaN)
    } else {
      avro.null()
    }
    avro.optional(summary.lowerBound)
    avro.optional(summary.upperBound)
  }

  /// Reads lists of format versions 1 and 2.
  package static func decode(_ bytes: Bytes) throws(IcebergError) -> [ManifestFile] {
    var manifests: [ManifestFile] = []
    try AvroFile.read(bytes) { (cursor, header) throws(IcebergError) in
      manifests.append(try readManifest(&cursor, header.schema))
    }
    return manifests
  }

  private static func readManifest(_ cursor: inout AvroCursor, _ schema: AvroSchema) throws(IcebergError)
    -> ManifestFile
  {
    var path: String?
    var length: Int64?
    var snapshot: Int64?
    var manifest = ManifestFile(
      path: "", length: 0, specID: 0, sequenceNumber: 0, minSequenceNumber: 0, addedSnapshotID: 0)
    let isThere = try cursor.record(schema) { (cursor, field) throws(IcebergError) in
      switch field.id {
      case 500: path = try cursor.string(field.schema)
      case 501: length = try cursor.long(field.schema)
      case 502: manifest.specID = try cursor.int(field.schema) ?? 0
      case 517: manifest.content = try content(cursor.int(field.schema) ?? 0)
      case 515: manifest.sequenceNumber = try cursor.long(field.schema) ?? 0
      case 516: manifest.minSequenceNumber = try cursor.long(field.schema) ?? 0
      case 503: snapshot = try cursor.long(field.schema)
      case 504: manifest.addedFilesCount = try cursor.int(field.schema)
      case 505: manifest.existingFilesCount = try cursor.int(field.schema)
      case 506: manifest.deletedFilesCount = try cursor.int(field.schema)
      case 512: manifest.addedRowsCount = try cursor.long(field.schema)
      case 513: manifest.existingRowsCount = try cursor.long(field.schema)
      case 514: manifest.deletedRowsCount = try cursor.long(field.schema)
      case 507: manifest.partitions = try readSummaries(&cursor, field.schema)
      case 519: manifest.keyMetadata = try cursor.bytes(field.schema)
      default: try cursor.skip(field.schema)
      }
    }
    guard isThere, let path, let length, length >= 0, let snapshot else {
      throw .malformed("manifest list: an entry without path, length or snapshot")
    }
    manifest.path = path
    manifest.length = length
    manifest.addedSnapshotID = snapshot
    return manifest
  }

  private static func content(_ value: Int) throws(IcebergError) -> ManifestFile.Content {
    guard let content = ManifestFile.Content(rawValue: value) else { throw .malformed("manifest content \(value)") }
    return content
  }

  private static func readSummaries(
    _ cursor: inout AvroCursor, _ schema: AvroSchema
  ) throws(IcebergError) -> [ManifestFile.FieldSummary] {
    var summaries: [ManifestFile.FieldSummary] = []
    try cursor.array(schema) { (cursor, items) throws(IcebergError) in
      // Without its fields a summary says the least: there may be nulls, there may be anything.
      var summary = ManifestFile.FieldSummary(containsNull: true, containsNaN: nil, lowerBound: nil, upperBound: nil)
      try cursor.record(items) { (cursor, field) throws(IcebergError) in
        switch field.id {
        case 509: summary.containsNull = try cursor.boolean(field.schema) ?? true
        case 518: summary.containsNaN = try cursor.boolean(field.schema)
        case 510: summary.lowerBound = try cursor.bytes(field.schema)
        case 511: summary.upperBound = try cursor.bytes(field.schema)
        default: try cursor.skip(field.schema)
        }
      }
      summaries.append(summary)
    }
    return summaries
  }
}
