import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema

/// Reads the rows of a table's current snapshot as our own schema has them, deletes applied, a row group at a time: no more than one
/// data file is in memory.
struct TableScan {
  let store: any ObjectStore
  let warehouse: WarehouseLocation
  let metadata: TableMetadata
  /// The columns wanted; those that the table lacks are absent.
  let schema: Schema
  let predicate: Predicate

  /// - Parameter body: gets batches that are not empty, files in the order of the manifests. Rows of partitions that the predicate excludes
  ///   are left out; within a file the predicate is not looked at again.
  func forEachBatch(_ body: (ColumnBatch) throws -> Void) async throws {
    let planner = try ScanPlanner(table: metadata, snapshotID: nil, predicate: predicate, deletes: .applied)
    guard let list = planner.manifestListLocation else { return }
    let manifests = try ManifestList.decode(await read(list))
    var deletes: [DeleteFile] = []
    for manifest in try planner.selectDeletes(manifests) {
      deletes += try planner.deleteFiles(of: manifest, bytes: await read(manifest.path))
    }
    let index = DeleteIndex(deletes)
    for manifest in try planner.select(manifests) {
      for scan in try planner.files(of: manifest, bytes: await read(manifest.path)) {
        try await forEachBatch(of: scan, deletes: index.deletes(for: scan), body)
      }
    }
  }

  private func forEachBatch(
    of scan: ScanFile, deletes files: [DeleteFile], _ body: (ColumnBatch) throws -> Void
  ) async throws {
    var deletes = RowDeletes()
    for delete in files {
      let wanted = try delete.schema(in: metadata)
      let bytes = try await read(delete.file.path)
      let parquet = try ParquetFile(bytes)
      for group in parquet.rowGroups {
        deletes.add(
          try batch(group.index, of: parquet, bytes, delete.file, as: wanted), of: delete, path: scan.file.path)
      }
    }
    var wanted = schema
    for id in deletes.columnsNeeded where !wanted.fields.contains(where: { $0.id == id }) {
      if let field = metadata.sourceField(id: id) { wanted.fields.append(field) }
    }
    let bytes = try await read(scan.file.path)
    let parquet = try ParquetFile(bytes)
    var first: Int64 = 0
    for group in parquet.rowGroups {
      let batch = try batch(group.index, of: parquet, bytes, scan.file, as: wanted)
      let keep = deletes.keep(rows: first..<first + Int64(batch.count), of: batch)
      first += Int64(batch.count)
      let rows = keep.map { keep in (0..<Int32(batch.count)).filter { keep[Int($0)] != 0 } }
      let kept = rows.map { batch.gather(Buffer($0)) } ?? batch
      if kept.count > 0 {
        try body(
          ColumnBatch(schema: schema, columns: Array(kept.columns.prefix(schema.fields.count)), count: kept.count))
      }
    }
  }

  /// A row group as `schema` has it; columns that the file lacks come from its partition.
  private func batch(
    _ index: Int, of parquet: ParquetFile, _ bytes: Bytes, _ file: DataFile, as schema: Schema
  ) throws -> ColumnBatch {
    let projection = try parquet.projection(to: schema, nameMapping: metadata.nameMapping())
    let batch = try parquet.readRowGroup(index, projection: projection, file: bytes)
    let constants = file.partitionConstants(in: metadata)
    let columns = zip(schema.fields, batch.columns).map { field, column in
      guard column.absentCount == column.count, parquet.leaf(fieldID: field.id) == nil,
        let value = constants[field.id]
      else { return column }
      return value.column(field.type, count: batch.count) ?? column
    }
    return ColumnBatch(schema: schema, columns: columns, count: batch.count)
  }

  private func read(_ location: String) async throws -> Bytes {
    try await store.get(warehouse.key(of: location)).bytes
  }
}
