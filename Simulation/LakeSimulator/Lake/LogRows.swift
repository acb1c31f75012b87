import LakeModel
import LakeSchema

/// Rows of the table `logs` for the workload: what the columns must have, and nothing more.
enum LogRows {
  /// One batch of a request: its rows' bodies name it and them.
  ///
  /// - Parameter microseconds: the time of each row.
  static func batch(
    _ number: RequestNumber, schema: Schema, tenant: TenantID, account: AccountID?, microseconds: [Int64]
  ) -> ColumnBatch {
    let count = microseconds.count
    let columns = schema.fields.map { field -> Column in
      switch field.name {
      case "tenant_id": constant(tenant.text, count)
      case "account_id": account.map { constant($0.text, count) } ?? absent(field.type, count)
      case "service_name": constant("service-\(number.value % 3)", count)
      case "timestamp", "observed_timestamp", "ingested_timestamp": Column(.int64(Buffer(microseconds)), count: count)
      case "body": text((0..<count).map { RowLedger.rowText(number, $0) })
      case "attributes": emptyMaps(count)
      case "dropped_attributes_count": Column(.int32(Buffer(repeating: 0, count: count)), count: count)
      // Every other request is of events, which have no body: the name says which row it is.
      case "event_name":
        number.value % 2 == 0
          ? text((0..<count).map { RowLedger.rowText(number, $0) }) : absent(field.type, count)
      default: absent(field.type, count)
      }
    }
    return ColumnBatch(schema: schema, columns: columns, count: count)
  }

  /// A dictionary of one entry, as decoders make it.
  private static func constant(_ value: String, _ count: Int) -> Column {
    Column(.dictionary(indices: Buffer(repeating: 0, count: count), dictionary: text([value])), count: count)
  }

  private static func text(_ values: [String]) -> Column {
    var builder = BytesColumnBuilder(capacity: values.count)
    for value in values { builder.append(value) }
    return builder.column()
  }

  private static func emptyMaps(_ count: Int) -> Column {
    Column(.map(offsets: Buffer(repeating: 0, count: count + 1), keys: text([]), values: text([])), count: count)
  }

  private static func absent(_ type: FieldType, _ count: Int) -> Column {
    let validity = Buffer<UInt8>(repeating: 0, count: count)
    let values: Column.Values
    switch type {
    case .boolean: values = .boolean(Buffer(repeating: 0, count: count))
    case .int, .date: values = .int32(Buffer(repeating: 0, count: count))
    case .long, .time, .timestamp, .timestamptz: values = .int64(Buffer(repeating: 0, count: count))
    case .float: values = .float(Buffer(repeating: 0, count: count))
    case .double: values = .double(Buffer(repeating: 0, count: count))
    case .fixed(let width): values = .fixed(Buffer(repeating: 0, count: count * width), width: width)
    case .string, .binary:
      values = .bytes(offsets: Buffer(repeating: 0, count: count + 1), data: Buffer<UInt8>([]))
    default: preconditionFailure("no column of logs has the type \(type)")
    }
    return Column(values, count: count, validity: validity)
  }
}
