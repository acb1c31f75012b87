import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema

/// The rows of one data file that delete files of the table take out.
final class DeletedRows: Sendable {
  /// Tells apart what is kept of the same data file under other delete files.
  let identity: String
  let deletes: RowDeletes
  /// What `deletes.keep` needs to see of the data file.
  let schema: Schema

  init(identity: String, deletes: RowDeletes, schema: Schema) {
    self.identity = identity
    self.deletes = deletes
    self.schema = schema
  }
}

/// Reads delete files. They are small beside data files, so each is read whole; what came of them is kept.
struct DeleteReader {
  let reader: ObjectReader
  let cache: QueryCache
  let table: TableMetadata

  /// - Parameter deletes: those that concern the file, not none.
  func rows(_ deletes: [DeleteFile], of file: ScanFile) async throws(QueryError) -> DeletedRows {
    let identity = ([file.file.path] + deletes.map(\.file.path)).joined(separator: "\n")
    let name = QueryCache.Key(object: QueryCache.Name(identity), part: .deletes)
    if let kept = cache.value(name, as: DeletedRows.self) { return kept }
    var all = RowDeletes()
    var rowCount = 0
    for delete in deletes {
      rowCount += try await add(delete, to: &all, path: file.file.path)
    }
    let rows = DeletedRows(identity: identity, deletes: all, schema: try schema(all.columnsNeeded))
    cache.keep(rows, bytes: 1024 + rowCount * DeleteReader.bytesPerRow, for: name)
    return rows
  }

  /// What a deleted row takes in memory, about.
  private static let bytesPerRow = 64

  /// - Returns: how many rows the delete file has.
  private func add(_ delete: DeleteFile, to all: inout RowDeletes, path: String) async throws(QueryError) -> Int {
    guard delete.file.format.uppercased() == "PARQUET" else {
      throw .corrupt("table logs: delete file \(delete.file.path) is of the format \(delete.file.format)")
    }
    guard let size = Int(exactly: delete.file.fileSize), size <= reader.context.settings.memoryMax else {
      throw .memoryExceeded("the delete file \(delete.file.path) is larger than the query may hold")
    }
    let key = try reader.key(of: delete.file.path)
    let bytes = try await reader.get(key)
    do {
      let schema = try delete.schema(in: table)
      let file = try ParquetFile(bytes)
      let projection = try file.projection(
        to: schema, nameMapping: NameMapping(schema.fields.map { .init(fieldID: $0.id, names: [$0.name]) }))
      for group in file.rowGroups {
        try reader.context.check()
        let plan = try file.plan(rowGroup: group.index, projection: projection)
        try reader.context.hold(bytes: group.rowCount * DeleteReader.bytesPerRow)
        all.add(try file.decode(plan, fetched: plan.ranges.map { bytes[$0] }), of: delete, path: path)
      }
      return file.rowCount
    } catch let error as QueryError {
      throw error
    } catch {
      throw .corrupt("\(key): \(error)")
    }
  }

  private func schema(_ ids: [Int]) throws(QueryError) -> Schema {
    var fields: [Field] = []
    for id in ids {
      guard var field = table.sourceField(id: id) else { throw .corrupt("table logs: no column \(id)") }
      field.isRequired = false
      fields.append(field)
    }
    return Schema(id: 0, fields: fields)
  }
}
