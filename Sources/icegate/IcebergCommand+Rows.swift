import LakeIceberg
import LakeJSON
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema

extension IcebergCommand {
  /// Every row of a snapshot, deletes applied, as JSON: a plain reader to hold others against, one file after another.
  mutating func printRows() async throws {
    let table = try takeTable()
    let metadata = try await catalog.loadTable(table).metadata
    let snapshotID = try takeSnapshot(of: metadata)
    let names = try arguments.option("--columns")?.split(separator: ",").map(String.init)
    try arguments.finish()
    let planner = try ScanPlanner(table: metadata, snapshotID: snapshotID, deletes: .applied)
    var schema = planner.schema
    if let names { schema.fields = schema.fields.filter { names.contains($0.name) } }
    let manifests = try await manifests(of: planner.snapshot)
    var deletes: [DeleteFile] = []
    for manifest in try planner.selectDeletes(manifests) {
      deletes += try planner.deleteFiles(of: manifest, bytes: await read(manifest.path))
    }
    let index = DeleteIndex(deletes)
    var json = JSONWriter()
    json.open(UInt8(ascii: "["))
    for manifest in try planner.select(manifests) {
      for scan in try planner.files(of: manifest, bytes: await read(manifest.path)) {
        try await write(scan, deletes: index.deletes(for: scan), schema: schema, of: metadata, to: &json)
      }
    }
    json.close(UInt8(ascii: "]"))
    Self.print(json.finish())
  }

  private mutating func takeSnapshot(of metadata: TableMetadata) throws -> Int64? {
    if let text = try arguments.option("--snapshot") {
      guard let id = Int64(text) else { throw Arguments.Wrong(description: "--snapshot: `\(text)` is no snapshot id") }
      return id
    }
    if let name = try arguments.option("--ref") {
      guard let snapshot = metadata.snapshot(ref: name) else {
        throw Arguments.Wrong(description: "--ref: no branch or tag `\(name)`")
      }
      return snapshot.id
    }
    if let text = try arguments.option("--as-of") {
      guard let time = Int64(text), let snapshot = metadata.snapshot(asOf: time) else {
        throw Arguments.Wrong(description: "--as-of: no snapshot at `\(text)`")
      }
      return snapshot.id
    }
    return nil
  }

  private func write(
    _ scan: ScanFile, deletes files: [DeleteFile], schema: Schema, of metadata: TableMetadata, to json: inout JSONWriter
  ) async throws {
    for (batch, keep) in try await keptBatches(of: scan, deletes: files, schema, metadata) {
      for row in 0..<batch.count where keep?[row] != 0 {
        json.object { json in
          for (field, column) in zip(schema.fields, batch.columns) {
            json.key(field.name)
            ParquetRows.value(column, row, field.type, &json)
          }
        }
      }
    }
  }

  /// The row groups of a file as `schema` has them, each with one byte per row, 0 where deletes take it out; nil: all stay.
  func keptBatches(
    of scan: ScanFile, deletes files: [DeleteFile], _ schema: Schema, _ metadata: TableMetadata
  ) async throws -> [(ColumnBatch, Buffer<UInt8>?)] {
    var deletes = RowDeletes()
    for delete in files {
      let wanted = try delete.schema(in: metadata)
      for batch in try await batches(of: delete.file, wanted, metadata) {
        deletes.add(batch, of: delete, path: scan.file.path)
      }
    }
    var wanted = schema
    for id in deletes.columnsNeeded where !wanted.fields.contains(where: { $0.id == id }) {
      if let field = metadata.sourceField(id: id) { wanted.fields.append(field) }
    }
    var first: Int64 = 0
    return try await batches(of: scan.file, wanted, metadata).map { batch in
      let keep = deletes.keep(rows: first..<first + Int64(batch.count), of: batch)
      first += Int64(batch.count)
      let columns = Array(batch.columns.prefix(schema.fields.count))
      return (ColumnBatch(schema: schema, columns: columns, count: batch.count), keep)
    }
  }

  /// The row groups of a file as `schema` has them; columns that the file lacks come from its partition.
  private func batches(
    of file: DataFile, _ schema: Schema, _ metadata: TableMetadata
  ) async throws -> [ColumnBatch] {
    let bytes = try await read(file.path)
    let parquet = try ParquetFile(bytes)
    let projection = try parquet.projection(to: schema, nameMapping: metadata.nameMapping())
    let constants = file.partitionConstants(in: metadata)
    return try parquet.rowGroups.map { group in
      let batch = try parquet.readRowGroup(group.index, projection: projection, file: bytes)
      let columns = zip(schema.fields, batch.columns).map { field, column in
        guard column.absentCount == column.count, parquet.leaf(fieldID: field.id) == nil,
          let value = constants[field.id]
        else { return column }
        return value.column(field.type, count: batch.count) ?? column
      }
      return ColumnBatch(schema: schema, columns: columns, count: batch.count)
    }
  }
}
