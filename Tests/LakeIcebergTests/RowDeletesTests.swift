import LakeIceberg
import LakeModel
import LakeSchema
import Testing

@Suite("deleted rows")
struct RowDeletesTests {
  private func texts(_ values: [String?]) -> Column {
    var builder = BytesColumnBuilder()
    for value in values { if let value { builder.append(value) } else { builder.appendAbsent() } }
    return builder.column()
  }

  private func longs(_ values: [Int64]) -> Column { Column(.int64(Buffer(values)), count: values.count) }

  private func deleteFile(_ content: DataFile.Content, ids: [Int] = []) -> DeleteFile {
    DeleteFile(
      file: DataFile(
        content: content, path: "d", specID: 0, partition: [], recordCount: 1, fileSize: 1, equalityIDs: ids),
      sequenceNumber: 2)
  }

  private static let schema = Schema(
    id: 0, fields: [Field(1, "id", .long), Field(2, "category", .string), Field(3, "name", .string)])

  private var animals: ColumnBatch {
    ColumnBatch(
      schema: Self.schema,
      columns: [
        longs([1, 2, 3, 4]), texts(["marsupial", "toy", nil, nil]), texts(["Koala", "Teddy", "Grizzly", "Polar"]),
      ], count: 4)
  }

  @Test("by position concern one file only, counted from its first row")
  func positions() {
    var deletes = RowDeletes()
    let batch = ColumnBatch(
      schema: DeleteFile.positionSchema, columns: [texts(["x", "f", "f", "g"]), longs([0, 11, 13, 12])], count: 4)
    deletes.add(batch, of: deleteFile(.positionDeletes), path: "f")
    #expect(deletes.keep(rows: 10..<14, of: animals)?.array == [1, 0, 1, 0])
    #expect(deletes.keep(rows: 0..<4, of: animals)?.count == nil)
    #expect(deletes.columnsNeeded == [])
  }

  @Test("by position come in any order, twice or in many batches, and take eight bytes each")
  func manyPositions() {
    var deletes = RowDeletes()
    let schema = DeleteFile.positionSchema
    for rows in [[5, 1, 3], [3, 9, 1], [10, 11], [0, 2]] as [[Int64]] {
      let batch = ColumnBatch(
        schema: schema, columns: [texts(rows.map { _ in "f" }), longs(rows)], count: rows.count)
      deletes.add(batch, of: deleteFile(.positionDeletes), path: "f")
    }
    let ids = ColumnBatch(
      schema: Self.schema, columns: [longs([1, 2, 3]), texts(["", "", ""]), texts(["", "", ""])], count: 3)
    let kept = [0, 3, 6, 9].flatMap { (start: Int64) -> [UInt8] in
      deletes.keep(rows: start..<start + 3, of: ids)?.array ?? [1, 1, 1]
    }
    #expect(kept == [0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0])
    let many = (0..<100_000).map { Int64($0) * 7 }
    let column = Column(
      .dictionary(indices: Buffer(repeating: 0, count: many.count), dictionary: texts(["f"])), count: many.count)
    deletes.add(
      ColumnBatch(schema: schema, columns: [column, longs(many)], count: many.count),
      of: deleteFile(.positionDeletes), path: "f")
    #expect(deletes.memoryBytes <= 2 * 8 * 100_100)
    #expect(deletes.keep(rows: 699_991..<699_994, of: ids)?.array == [1, 1, 0])
  }

  @Test("by equality take the bytes of their values and little more, and are found among many")
  func manyKeys() {
    let schema = Schema(id: 0, fields: [Field(1, "id", .long), Field(2, "category", .string)])
    var deletes = RowDeletes()
    let count = 50_000
    for _ in 0..<2 {
      let batch = ColumnBatch(
        schema: schema,
        columns: [
          longs((0..<count).map { Int64($0) * 3 }), texts((0..<count).map { $0 % 5 == 0 ? nil : "c\($0 % 7)" }),
        ],
        count: count)
      deletes.add(batch, of: deleteFile(.equalityDeletes, ids: [1, 2]), path: "f")
    }
    // 9 + at most 7 bytes and 24 for each.
    #expect(deletes.memoryBytes <= 2 * count * 40)
    let probe = ColumnBatch(
      schema: schema, columns: [longs([0, 3, 3, 4, 15, 149_997]), texts([nil, "c1", "c2", "c1", "c5", "c4"])], count: 6)
    #expect(deletes.keep(rows: 0..<6, of: probe)?.array == [0, 0, 1, 1, 1, 1])
    let last = ColumnBatch(schema: schema, columns: [longs([149_997]), texts(["c5"])], count: 1)
    #expect(deletes.keep(rows: 0..<1, of: last)?.array == [0])
  }

  /// The example of the specification.
  @Test("by equality match all their columns, null with null")
  func equality() throws {
    var deletes = RowDeletes()
    let byID = Schema(id: 0, fields: [Field(1, "id", .long)])
    deletes.add(
      ColumnBatch(schema: byID, columns: [longs([3])], count: 1), of: deleteFile(.equalityDeletes, ids: [1]), path: "f")
    #expect(deletes.keep(rows: 0..<4, of: animals)?.array == [1, 1, 0, 1])
    let both = Schema(id: 0, fields: [Field(1, "id", .long), Field(2, "category", .string)])
    deletes.add(
      ColumnBatch(schema: both, columns: [longs([4, 2]), texts([nil, "x"])], count: 2),
      of: deleteFile(.equalityDeletes, ids: [2, 1]), path: "f")
    #expect(deletes.keep(rows: 0..<4, of: animals)?.array == [1, 1, 0, 0])
    #expect(deletes.columnsNeeded == [1, 2])
  }

  @Test("by equality look through dictionaries, and never mix a value's end with the next one's begin")
  func keys() {
    let schema = Schema(id: 0, fields: [Field(2, "category", .string), Field(3, "name", .string)])
    var deletes = RowDeletes()
    deletes.add(
      ColumnBatch(schema: schema, columns: [texts(["ab"]), texts(["c"])], count: 1),
      of: deleteFile(.equalityDeletes, ids: [2, 3]), path: "f")
    let column = Column(
      .dictionary(indices: Buffer([1, 0]), dictionary: texts(["ab", "a"])), count: 2)
    let batch = ColumnBatch(schema: schema, columns: [column, texts(["bc", "c"])], count: 2)
    #expect(deletes.keep(rows: 0..<2, of: batch)?.array == [1, 0])
  }

  @Test("their columns are found in older schemas too")
  func droppedColumns() throws {
    var table = try TestTable().metadata
    var shorter = try #require(table.schema)
    shorter.fields.removeAll { $0.id == 9 }
    table = try table.applying(
      requirements: [], updates: [.addSchema(shorter), .setCurrentSchema(-1)], now: 1, previousLocation: "p")
    #expect(try deleteFile(.equalityDeletes, ids: [9, 3]).schema(in: table).fields.map(\.id) == [3, 9])
    for ids in [[], [12], [4711]] {
      #expect(throws: IcebergError.self) { try deleteFile(.equalityDeletes, ids: ids).schema(in: table) }
    }
    #expect(try deleteFile(.positionDeletes).schema(in: table) == DeleteFile.positionSchema)
  }

  @Test("name mappings are read and written as the specification has them")
  func nameMapping() throws {
    let text =
      #"[{"field-id":1,"names":["id","record_id"]},{"names":["gone"]},"#
      + #"{"field-id":3,"names":["location"],"fields":[{"field-id":4,"names":["latitude","lat"]}]}]"#
    let mapping = try NameMapping(json: text)
    #expect(
      mapping.entries == [
        .init(fieldID: 1, names: ["id", "record_id"]), .init(fieldID: nil, names: ["gone"]),
        .init(fieldID: 3, names: ["location"], fields: [.init(fieldID: 4, names: ["latitude", "lat"])]),
      ])
    #expect(mapping.json == text)
    for text in ["{}", "[{}]", #"[{"names":"x"}]"#, "["] {
      #expect(throws: IcebergError.self) { try NameMapping(json: text) }
    }
    #expect(NameMapping(LakeTable.logs.schema).entries[11].fields.map(\.names) == [["key"], ["value"]])
  }

  @Test("a column that a file lacks is filled from its partition")
  func constants() throws {
    let table = try TestTable()
    let file = table.file("1", tenant: "a", account: nil, day: 3)
    #expect(file.partitionConstants(in: table.metadata) == [1: .string("a")])
    let column = try #require(Datum.string("a").column(.string, count: 3))
    #expect(column.count == 3 && column.absentCount == 0)
    let widened = try #require(Datum.int(7).column(.long, count: 2))
    guard case .int64(let values) = widened.values else {
      Issue.record("not longs")
      return
    }
    #expect(values.array == [7, 7])
    #expect(Datum.string("a").column(.int, count: 1)?.count == nil)
  }
}
