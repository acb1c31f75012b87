import LakeModel
import LakeSchema
import Testing

@Suite struct ColumnBatchTests {
  private static let day: Int64 = 86_400_000_000

  private static let schema = Schema(
    id: 0,
    fields: [
      Field(1, "tenant_id", .string, required: true), Field(2, "account_id", .string),
      Field(3, "service_name", .string), Field(4, "timestamp", .timestamptz, required: true),
      Field(5, "number", .int),
    ])

  private func batch(_ rows: [(String, String?, String, Int64)]) -> ColumnBatch {
    var tenants = BytesColumnBuilder()
    var accounts = BytesColumnBuilder()
    var services = BytesColumnBuilder()
    for row in rows {
      tenants.append(row.0)
      if let account = row.1 { accounts.append(account) } else { accounts.appendAbsent() }
      services.append(row.2)
    }
    return ColumnBatch(
      schema: Self.schema,
      columns: [
        tenants.column(), accounts.column(), services.column(),
        Column(.int64(Buffer(rows.map(\.3))), count: rows.count),
        Column(.int32(Buffer((0..<rows.count).map { Int32($0) })), count: rows.count),
      ], count: rows.count)
  }

  private func key(_ tenant: String, _ account: String?, _ day: Int32) -> PartitionKey {
    PartitionKey(tenant: TenantID(tenant)!, account: account.flatMap { AccountID($0) }, day: day)
  }

  @Test("rows split by tenant, account and day, in table order within each")
  func splits() throws {
    let batch = batch([
      ("b", nil, "api", 5), ("a", "x", "web", 7), ("a", nil, "web", 1), ("a", nil, "api", 2), ("a", nil, "api", 3),
      ("a", nil, "web", Self.day), ("a", nil, "api", -1),
    ])
    let split = try batch.partitioned(sortedBy: LakeTable.logs.sortOrder)
    #expect(
      split.parts.map(\.key) == [
        key("a", nil, -1), key("a", nil, 0), key("a", nil, 1), key("a", "x", 0), key("b", nil, 0),
      ])
    #expect(split.parts.map(\.range) == [0..<1, 1..<4, 4..<5, 5..<6, 6..<7])
    // Service ascending, then time descending.
    #expect(split.rows.array == [6, 4, 3, 2, 5, 1, 0])
  }

  @Test("no rows are no partitions")
  func empty() throws {
    let split = try batch([]).partitioned(sortedBy: LakeTable.logs.sortOrder)
    #expect(split.parts.isEmpty && split.rows.count == 0)
  }

  @Test("a tenant that is no tenant id is an error")
  func badTenant() {
    let batch = batch([("a", nil, "api", 5), ("not a tenant", nil, "api", 5)])
    #expect(throws: PartitionError.badValue(column: "tenant_id", row: 1)) {
      try batch.partitioned(sortedBy: LakeTable.logs.sortOrder)
    }
  }

  @Test("sorting, slicing and joining batches keeps rows together")
  func sorts() {
    let batch = batch([("a", nil, "web", 1), ("a", nil, "api", 2), ("a", nil, "api", 3)])
    let sorted = batch.sorted(by: LakeTable.logs.sortOrder)
    #expect(numbers(sorted) == [2, 1, 0])
    #expect(numbers(ColumnBatch.concatenate([sorted.slice(1..<3), batch])) == [1, 0, 0, 1, 2])
  }

  private func numbers(_ batch: ColumnBatch) -> [Int32] {
    guard case .int32(let values) = batch.columns[4].values else { return [] }
    return values.array
  }
}
