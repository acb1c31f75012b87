import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeWAL

@testable import LakeQuery

/// What another engine does to the table: delete files of both kinds.
extension TestLake {
  /// The data files of the current snapshot.
  func dataFiles() async throws -> [DataFile] {
    let table = try await ports.catalog.loadTable(TableIdentifier(.logs)).metadata
    var files: [DataFile] = []
    for manifest in try await manifests(table) where manifest.content == .data {
      let bytes = try await ports.store.get(try ports.warehouse.key(of: manifest.path)).bytes
      files += try Manifest.decode(bytes, of: manifest, table: table, metrics: .only([])).filter(\.isLive).map(\.file)
    }
    return files
  }

  /// The places of the rows whose body is one of these, by reading the file.
  func positions(of bodies: Set<String>, in file: DataFile) async throws -> [Int64] {
    let bytes = try await ports.store.get(try ports.warehouse.key(of: file.path)).bytes
    let parquet = try ParquetFile(bytes)
    let body = Schema(id: 0, fields: [LogField.body.schemaField])
    let projection = try parquet.projection(to: body)
    var found: [Int64] = []
    var first: Int64 = 0
    for group in parquet.rowGroups {
      let plan = try parquet.plan(rowGroup: group.index, projection: projection)
      let column = try parquet.decode(plan, fetched: plan.ranges.map { bytes[$0] }).columns[0]
      let view = BytesView(column)!
      for row in 0..<column.count where bodies.contains(String(decoding: view[row], as: UTF8.self)) {
        found.append(first + Int64(row))
      }
      first += Int64(group.rowCount)
    }
    return found
  }

  /// Commits one position delete file; `isNamed`: it says which data file all of it is about.
  func deletePositions(_ positions: [Int64], of file: DataFile, isNamed: Bool) async throws {
    let batch = ColumnBatch(
      schema: DeleteFile.positionSchema,
      columns: [
        Column.texts(positions.map { _ in file.path }, dictionary: true),
        Column(.int64(Buffer(positions)), count: positions.count),
      ], count: positions.count)
    try await commitDelete(batch, .positionDeletes, like: file, referenced: isNamed ? file.path : nil)
  }

  /// Commits one equality delete file for a partition: rows whose columns are as in one row of the batch go.
  func deleteEqual(_ batch: ColumnBatch, in partitionOf: DataFile) async throws {
    try await commitDelete(
      batch, .equalityDeletes, like: partitionOf, referenced: nil, ids: batch.schema.fields.map(\.id))
  }

  private func commitDelete(
    _ batch: ColumnBatch, _ content: DataFile.Content, like file: DataFile, referenced: String?, ids: [Int] = []
  ) async throws {
    var writer = try ParquetWriter(schema: batch.schema)
    try writer.writeRowGroup(batch)
    let summary = try writer.finish()
    let key = ObjectKey(trusted: "data/\(ports.random.uuid())-deletes.parquet")
    _ = try await ports.store.put(key, Bytes.joined(writer.takeOutput()), condition: .ifAbsent)
    let delete = DataFile(
      content: content, path: ports.warehouse.location(of: key), specID: file.specID, partition: file.partition,
      recordCount: Int64(batch.count), fileSize: Int64(summary.bytes), equalityIDs: ids,
      referencedDataFile: referenced)
    let table = try await ports.catalog.loadTable(TableIdentifier(.logs)).metadata
    let commit = try FileChange(.delete, adding: [delete]).commit(
      to: table, manifests: try await manifests(table), entries: [:],
      context: CommitContext(
        snapshotID: Int64(ports.random.next() >> 2), commitUUID: ports.random.uuid(), now: 1_700_000_000_000))
    for upload in commit.uploads {
      _ = try await ports.store.put(
        try ports.warehouse.key(of: upload.location), upload.bytes, condition: .ifAbsent)
    }
    _ = try await ports.catalog.commit(
      TableIdentifier(.logs), requirements: commit.requirements, updates: commit.updates)
  }

  private func manifests(_ table: TableMetadata) async throws -> [ManifestFile] {
    guard let snapshot = table.currentSnapshot else { return [] }
    let key = try ports.warehouse.key(of: snapshot.manifestList)
    return try ManifestList.decode(try await ports.store.get(key).bytes)
  }
}
