package import LakeModel

/// The partition of a row: what the partition spec of every lake table makes of it.
package struct PartitionKey: Hashable, Comparable, Sendable {
  package let tenant: TenantID
  package let account: AccountID?
  /// Days since 1970-01-01.
  package let day: Int32

  package init(tenant: TenantID, account: AccountID?, day: Int32) {
    self.tenant = tenant
    self.account = account
    self.day = day
  }

  package static func < (a: PartitionKey, b: PartitionKey) -> Bool {
    if a.tenant != b.tenant { return a.tenant < b.tenant }
    if a.account != b.account {
      guard let x = a.account else { return true }
      guard let y = b.account else { return false }
      return x < y
    }
    return a.day < b.day
  }
}

/// Rows of a batch, partition by partition and in table order within each.
package struct PartitionedRows: Sendable {
  package struct Part: Sendable {
    package let key: PartitionKey
    /// Positions in `rows`.
    package let range: Range<Int>
  }
  /// Row numbers of the batch.
  package let rows: Buffer<Int32>
  /// Ascending by key, covering `rows`.
  package let parts: [Part]
}

package enum PartitionError: Error, Hashable, Sendable {
  /// The batch has no such column.
  case missingColumn(String)
  /// A value that is no tenant id, account id or time.
  case badValue(column: String, row: Int)
}

extension ColumnBatch {
  /// Sorts the rows by (tenant, account, day) and then by `order`, and says where each partition lies.
  package func partitioned(sortedBy order: SortOrder) throws(PartitionError) -> PartitionedRows {
    let tenant = try required("tenant_id")
    let account = try required("account_id")
    let timestamp = try required("timestamp")
    guard case .int64(let micros) = timestamp.values else { throw .badValue(column: "timestamp", row: 0) }
    let days = Column(.int32(ColumnBatch.days(micros)), count: count, validity: timestamp.validity)
    let keys = [tenant, account, days].flatMap { $0.orderKeys(ValueOrder(absentFirst: true)) }
    let rows = RowOrder.sorted(count: count, by: keys + orderKeys(order))
    var parts: [PartitionedRows.Part] = []
    for range in ColumnBatch.runs(rows, keys) {
      let row = Int(rows[range.lowerBound])
      guard let tenant = tenant.text(row).flatMap({ TenantID($0) }) else {
        throw .badValue(column: "tenant_id", row: row)
      }
      guard days.isPresent(row), case .int32(let days) = days.values else {
        throw .badValue(column: "timestamp", row: row)
      }
      var id: AccountID?
      if account.isPresent(row) {
        id = account.text(row).flatMap { AccountID($0) }
        if id == nil { throw .badValue(column: "account_id", row: row) }
      }
      parts.append(.init(key: PartitionKey(tenant: tenant, account: id, day: days[row]), range: range))
    }
    return PartitionedRows(rows: rows, parts: parts)
  }

  private func required(_ name: String) throws(PartitionError) -> Column {
    guard let column = column(name) else { throw .missingColumn(name) }
    return column
  }

  private static let microsecondsPerDay: Int64 = 86_400_000_000

  /// Days since the epoch, rounded down.
  private static func days(_ micros: Buffer<Int64>) -> Buffer<Int32> {
    micros.withValues { micros in
      Buffer(count: micros.count) { out in
        for index in 0..<micros.count {
          let (day, rest) = micros[index].quotientAndRemainder(dividingBy: microsecondsPerDay)
          out[index] = Int32(truncatingIfNeeded: rest < 0 ? day - 1 : day)
        }
      }
    }
  }

  /// Runs of rows on which all keys agree.
  private static func runs(_ rows: Buffer<Int32>, _ keys: [OrderKey]) -> [Range<Int>] {
    guard rows.count > 0 else { return [] }
    var runs: [Range<Int>] = []
    var start = 0
    for position in 1..<rows.count {
      let row = Int(rows[position])
      let before = Int(rows[position - 1])
      if keys.allSatisfy({ $0.values[row] == $0.values[before] }) { continue }
      runs.append(start..<position)
      start = position
    }
    runs.append(start..<rows.count)
    return runs
  }
}

extension Column {
  /// Text of one value of a column of bytes; nil when absent. For a few values, not for loops over rows.
  package func text(_ row: Int) -> String? {
    guard isPresent(row) else { return nil }
    switch values {
    case .bytes(let offsets, let data):
      return data.slice(Int(offsets[row])..<Int(offsets[row + 1])).withValues { String(decoding: $0, as: UTF8.self) }
    case .dictionary(let indices, let dictionary): return dictionary.text(Int(indices[row]))
    default: return nil
    }
  }
}
