import LakeIceberg
import LakeJSON
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeWAL

extension IcebergCommand {
  /// Takes matching rows out by copy on write; whole files where the predicate is settled without reading them.
  mutating func delete() async throws {
    let table = try takeTable()
    let metadata = try await catalog.loadTable(table).metadata
    guard let schema = metadata.schema else { throw Arguments.Wrong(description: "the table has no schema") }
    var predicate = Predicate()
    while let text = try arguments.option("--where") {
      predicate.terms.append(try TermText.parse(text, schema: schema))
    }
    try arguments.finish()
    guard !predicate.terms.isEmpty else { throw Arguments.Wrong(description: "--where says which rows go") }
    let planner = try ScanPlanner(table: metadata, predicate: predicate, deletes: .applied)
    let manifests = try await manifests(of: planner.snapshot)
    var (files, deletes): ([ScanFile], [DeleteFile]) = ([], [])
    for manifest in try planner.select(manifests) {
      files += try planner.files(of: manifest, bytes: await read(manifest.path))
    }
    for manifest in try planner.selectDeletes(manifests) {
      deletes += try planner.deleteFiles(of: manifest, bytes: await read(manifest.path))
    }
    let (removal, index) = (RowRemoval(files), DeleteIndex(deletes))
    var rewritten: [RowRemoval.Rewritten] = []
    for scan in removal.partial {
      if let file = try await rewrite(scan, deletes: index.deletes(for: scan), schema, metadata) {
        rewritten.append(file)
      }
    }
    guard let change = removal.change(rewritten: rewritten) else { return Self.print(Bytes("{}")) }
    let commit = try change.commit(
      to: metadata, manifests: manifests,
      entries: await entries(of: change.manifestsNeeded(manifests), metadata), context: commitContext())
    try await carryOut(commit, on: table)
  }

  /// - Returns: nil when no row matches.
  private func rewrite(
    _ scan: ScanFile, deletes files: [DeleteFile], _ schema: Schema, _ metadata: TableMetadata
  ) async throws -> RowRemoval.Rewritten? {
    var writer = try ParquetWriter(
      schema: schema,
      options: ParquetWriterOptions(sortOrder: SortOrder(id: 0, fields: []), properties: metadata.properties))
    var metrics = MetricsCollector(
      schema: schema,
      modes: MetricsModes(
        schema: schema, properties: metadata.properties, sortOrder: metadata.sortOrder ?? SortOrder(id: 0, fields: [])))
    var isAny = false
    for (batch, kept) in try await keptBatches(of: scan, deletes: files, schema, metadata) {
      let matching = scan.residual.matches(batch)
      let rows = (0..<batch.count).filter { kept?[$0] != 0 && matching[$0] == 0 }
      isAny = isAny || (0..<batch.count).contains { kept?[$0] != 0 && matching[$0] != 0 }
      let rest = batch.gather(Buffer(rows.map { Int32($0) }))
      try writer.writeRowGroup(rest)
      metrics.add(rest)
    }
    guard isAny else { return nil }
    guard writer.rowCount > 0 else { return RowRemoval.Rewritten(old: scan, new: nil) }
    let summary = try writer.finish()
    let path = "\(metadata.dataDirectory)/\(random.uuid()).parquet"
    let bytes = Bytes.joined(writer.takeOutput())
    _ = try await store.put(warehouse.key(of: path), bytes, condition: .ifAbsent)
    var sizes: [Int: Int64] = [:]
    for column in summary.columns { sizes[column.fieldID] = Int64(column.bytes) }
    return RowRemoval.Rewritten(
      old: scan,
      new: DataFile(
        content: .data, path: path, specID: scan.file.specID, partition: scan.file.partition,
        recordCount: Int64(summary.rowCount), fileSize: Int64(summary.bytes),
        metrics: metrics.finish(columnSizes: sizes),
        splitOffsets: summary.rowGroupOffsets.map { Int64($0) }))
  }

  /// Adds, drops, renames, widens and moves top-level columns.
  mutating func evolve() async throws {
    let table = try takeTable()
    let metadata = try await catalog.loadTable(table).metadata
    var evolution = try SchemaEvolution(of: metadata)
    func pair(_ text: String, _ separator: Character) throws -> (String, String) {
      guard let at = text.firstIndex(of: separator) else {
        throw Arguments.Wrong(description: "`\(text)` lacks `\(separator)`")
      }
      return (String(text[..<at]), String(text[text.index(after: at)...]))
    }
    while let text = try arguments.option("--drop") { try evolution.drop(text) }
    while let text = try arguments.option("--widen") {
      let (name, type) = try pair(text, ":")
      try evolution.widen(name, to: FieldType(text: type))
    }
    while let text = try arguments.option("--rename") {
      let (old, new) = try pair(text, "=")
      try evolution.rename(old, to: new)
    }
    while let text = try arguments.option("--add") {
      let (name, type) = try pair(text, ":")
      try evolution.add(name, FieldType(text: type))
    }
    while let text = try arguments.option("--first") { try evolution.move(text, to: 0) }
    try arguments.finish()
    let after = try await catalog.commit(table, requirements: evolution.requirements, updates: evolution.updates)
    var json = JSONWriter()
    json.object { json in
      json.member("schema", after.metadata.currentSchemaID)
      json.member("metadata", after.metadataLocation)
    }
    Self.print(json.finish())
  }
}
