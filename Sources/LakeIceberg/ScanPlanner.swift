package import LakeModel
package import LakeSchema

/// Decides which files a scan must read. The caller fetches the manifest list and then each manifest that is left, in
/// any order and in parallel:
///
///     let planner = try ScanPlanner(table: metadata, predicate: predicate)
///     guard let list = planner.manifestListLocation else { return [] }        // no snapshot: no rows
///     let manifests = try planner.select(try ManifestList.decode(bytes(at: list)))
///     for manifest in manifests { files += try planner.files(of: manifest, bytes: bytes(at: manifest.path)) }
package struct ScanPlanner: Sendable {
  package let table: TableMetadata
  /// nil: the table has none yet.
  package let snapshot: Snapshot?
  /// What the scan's columns are: the snapshot's own schema in time travel, else the current one.
  package let schema: Schema
  package let predicate: Predicate
  /// Columns whose metrics `files` decodes, besides those of the predicate.
  package let metricsWanted: Manifest.MetricsWanted
  package let deletes: DeletesAllowed

  package enum DeletesAllowed: Sendable {
    /// The caller applies no deletes: a snapshot that has some is an error, better than rows that were deleted.
    case none
    /// The caller reads the delete manifests of `selectDeletes` and applies what `DeleteIndex` finds for each file.
    case applied
  }

  /// - Parameters:
  ///   - snapshotID: nil takes the current snapshot.
  ///   - metricsOf: further columns whose metrics the caller wants to see in `ScanFile.file`.
  /// - Throws: `.invalid` for an unknown snapshot or a predicate that does not fit the schema; `.unsupported` for a
  ///   snapshot of format version 1 without manifest list.
  package init(
    table: TableMetadata, snapshotID: Int64? = nil, predicate: Predicate = .all,
    metricsOf: Manifest.MetricsWanted = .only([]), deletes: DeletesAllowed = .none
  ) throws(IcebergError) {
    self.table = table
    self.deletes = deletes
    if let snapshotID {
      guard let found = table.snapshot(id: snapshotID) else { throw .invalid("no snapshot \(snapshotID)") }
      snapshot = found
      schema = found.schemaID.flatMap { table.schema(id: $0) } ?? table.schema ?? Schema(id: 0, fields: [])
    } else {
      snapshot = table.currentSnapshot
      schema = table.schema ?? Schema(id: 0, fields: [])
    }
    if let snapshot, snapshot.manifestList.isEmpty {
      throw .unsupported("snapshot \(snapshot.id) of format version 1 has no manifest list")
    }
    try predicate.check(against: schema)
    self.predicate = predicate
    switch metricsOf {
    case .all: metricsWanted = .all
    case .only(let ids): metricsWanted = .only(ids.union(predicate.terms.map(\.fieldID)))
    }
  }

  package var manifestListLocation: String? { snapshot?.manifestList }

  /// The data manifests that may hold a matching file, in the list's order.
  /// - Throws: `.unsupported` when the snapshot has delete manifests with live files and the caller applies no deletes.
  package func select(_ manifests: [ManifestFile]) throws(IcebergError) -> [ManifestFile] {
    if deletes == .none, let first = manifests.first(where: { $0.content == .deletes && $0.mayHoldLiveFiles }) {
      throw .unsupported("snapshot \(snapshot?.id ?? 0) has delete files (\(first.path))")
    }
    return try matching(manifests, .data)
  }

  /// The delete manifests that may concern a matching file, in the list's order.
  package func selectDeletes(_ manifests: [ManifestFile]) throws(IcebergError) -> [ManifestFile] {
    try matching(manifests, .deletes)
  }

  private func matching(
    _ manifests: [ManifestFile], _ content: ManifestFile.Content
  ) throws(IcebergError) -> [ManifestFile] {
    var selected: [ManifestFile] = []
    for manifest in manifests where manifest.content == content && manifest.mayHoldLiveFiles {
      if try mayMatch(manifest) { selected.append(manifest) }
    }
    return selected
  }

  /// The live delete files of one delete manifest whose partition may hold a matching row.
  package func deleteFiles(of manifest: ManifestFile, bytes: Bytes) throws(IcebergError) -> [DeleteFile] {
    let entries = try Manifest.decode(
      bytes, of: manifest, table: table, metrics: .only([DeleteFile.pathFieldID]))
    let spec = try spec(of: manifest)
    let projected = projectedTerms(spec)
    return entries.compactMap { entry in
      guard entry.isLive, let sequenceNumber = entry.sequenceNumber, matches(entry.file.partition, projected, spec)
      else { return nil }
      return DeleteFile(file: entry.file, sequenceNumber: sequenceNumber)
    }
  }

  /// The live files of one manifest that may hold a matching row, in the manifest's order.
  package func files(of manifest: ManifestFile, bytes: Bytes) throws(IcebergError) -> [ScanFile] {
    try files(of: manifest, entries: Manifest.decode(bytes, of: manifest, table: table, metrics: metricsWanted))
  }

  /// The same for a manifest that was decoded before, with the metrics of the predicate's columns at least.
  package func files(of manifest: ManifestFile, entries: [ManifestEntry]) throws(IcebergError) -> [ScanFile] {
    let spec = try spec(of: manifest)
    let projected = projectedTerms(spec)
    return entries.compactMap { entry in
      guard entry.isLive, let sequenceNumber = entry.sequenceNumber else { return nil }
      guard matches(entry.file.partition, projected, spec) else { return nil }
      guard predicate.terms.allSatisfy({ $0.mayHold(in: range(of: $0.fieldID, in: entry.file)) }) else { return nil }
      return ScanFile(file: entry.file, sequenceNumber: sequenceNumber, residual: residual(of: entry.file, spec))
    }
  }

  // MARK: manifests

  private func spec(of manifest: ManifestFile) throws(IcebergError) -> PartitionSpec {
    guard let spec = table.partitionSpec(id: manifest.specID) else {
      throw .malformed("manifest \(manifest.path): no partition spec \(manifest.specID) in the table")
    }
    return spec
  }

  /// The predicate about a spec's partition values: terms about partition field ids.
  private func projectedTerms(_ spec: PartitionSpec) -> [Predicate.Term] {
    predicate.terms.flatMap { term in
      spec.fields.compactMap { field in
        guard field.sourceID == term.fieldID, let source = table.sourceField(id: field.sourceID) else { return nil }
        return term.projected(through: field, type: source.type)
      }
    }
  }

  private func mayMatch(_ manifest: ManifestFile) throws(IcebergError) -> Bool {
    let spec = try spec(of: manifest)
    guard manifest.partitions.count == spec.fields.count else { return true }  // not known
    let types = table.partitionTypes(of: spec)
    for term in projectedTerms(spec) {
      guard let index = spec.fields.firstIndex(where: { $0.fieldID == term.fieldID }), let type = types[index] else {
        continue
      }
      if !term.mayHold(in: Self.range(of: manifest.partitions[index], type: type)) { return false }
    }
    return true
  }

  private static func range(of summary: ManifestFile.FieldSummary, type: FieldType) -> ValueRange {
    ValueRange(
      lower: summary.lowerBound.flatMap { Datum(singleValue: $0, type: type) },
      upper: summary.upperBound.flatMap { Datum(singleValue: $0, type: type) }, mayHoldNull: summary.containsNull,
      // Without bounds every value is null or NaN.
      mayHoldValue: summary.lowerBound != nil || summary.upperBound != nil || summary.containsNaN != false
        || !summary.containsNull, mayHoldNaN: summary.containsNaN != false)
  }

  // MARK: files

  private func matches(_ partition: [Datum?], _ projected: [Predicate.Term], _ spec: PartitionSpec) -> Bool {
    projected.allSatisfy { term in
      guard let index = spec.fields.firstIndex(where: { $0.fieldID == term.fieldID }) else { return true }
      return term.holds(of: partition[index])
    }
  }

  private func range(of id: Int, in file: DataFile) -> ValueRange {
    let metrics = file.metrics
    let type = schema.field(id: id)?.type ?? .binary
    let nulls = metrics.nullCounts[id]
    let values = metrics.valueCounts[id]
    let isFloating = type == .float || type == .double
    let isAllNull = nulls.flatMap { nulls in values.map { nulls >= $0 } } ?? false
    return ValueRange(
      lower: bound(metrics.lowerBounds[id], type), upper: bound(metrics.upperBounds[id], type),
      mayHoldNull: nulls.map { $0 > 0 } ?? true, mayHoldValue: !isAllNull,
      mayHoldNaN: isFloating && metrics.nanCounts[id] != 0)
  }

  /// A NaN bound, as some writers left it, says nothing.
  private func bound(_ bytes: [UInt8]?, _ type: FieldType) -> Datum? {
    guard let bytes, let bound = Datum(singleValue: bytes, type: type) else { return nil }
    return bound.compare(to: bound) == nil ? nil : bound
  }

  private func residual(of file: DataFile, _ spec: PartitionSpec) -> Predicate {
    Predicate(
      predicate.terms.filter { term in
        let isGuaranteed = spec.fields.indices.contains { (index: Int) in
          spec.fields[index].transform == .identity && spec.fields[index].sourceID == term.fieldID
            && term.holds(of: file.partition[index])
        }
        return !isGuaranteed && !term.mustHold(in: range(of: term.fieldID, in: file))
      })
  }
}

/// A data file to read.
package struct ScanFile: Hashable, Sendable {
  package let file: DataFile
  /// Data sequence number: deletes of a higher one apply.
  package let sequenceNumber: Int64
  /// The terms that partition values and bounds do not already guarantee for every row of the file.
  package let residual: Predicate

  package init(file: DataFile, sequenceNumber: Int64, residual: Predicate) {
    self.file = file
    self.sequenceNumber = sequenceNumber
    self.residual = residual
  }
}
