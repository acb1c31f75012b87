import LakeModel
package import LakeSchema

/// Rows of the logs table, for tests.
package struct LogRows: Sendable {
  package struct Row: Sendable, Hashable {
    package var service: String
    /// Microseconds since the epoch.
    package var time: Int64
    package var body: String

    package init(_ service: String, _ time: Int64, _ body: String) {
      self.service = service
      self.time = time
      self.body = body
    }
  }

  /// A day of the tests: 2026-01-01.
  package static let day: Int64 = 20_454
  package static let dayStart: Int64 = day * 86_400_000_000

  /// Rows of one tenant and account, in the order given; each has two attributes.
  package static func batch(_ rows: [Row], tenant: String = "a", account: String? = nil) -> ColumnBatch {
    let schema = LakeTable.logs.schema
    var services = BytesColumnBuilder()
    var bodies = BytesColumnBuilder()
    var keys = BytesColumnBuilder()
    var values = BytesColumnBuilder()
    for row in rows {
      services.append(row.service)
      bodies.append(row.body)
      keys.append("service")
      values.append(row.service)
      keys.append("empty")
      values.appendAbsent()
    }
    let count = rows.count
    let times = Column(.int64(Buffer(rows.map(\.time))), count: count)
    let attributes = Column(
      .map(
        offsets: Buffer((0...count).map { UInt32($0 * 2) }), keys: keys.column(), values: values.column()),
      count: count)
    let made: [String: Column] = [
      "tenant_id": constant(tenant, count), "service_name": services.column(), "timestamp": times,
      "observed_timestamp": times, "ingested_timestamp": times, "body": bodies.column(), "attributes": attributes,
      "dropped_attributes_count": Column(.int32(Buffer(repeating: 0, count: count)), count: count),
    ]
    let columns = schema.fields.map { field in
      if field.name == "account_id", let account { return constant(account, count) }
      return made[field.name] ?? absent(field.type, count)
    }
    return ColumnBatch(schema: schema, columns: columns, count: count)
  }

  /// The rows of a batch, in its order.
  package static func rows(_ batch: ColumnBatch) -> [Row] {
    guard let services = batch.column("service_name"), let bodies = batch.column("body"),
      case .int64(let times)? = batch.column("timestamp")?.values
    else { return [] }
    return (0..<batch.count).map { Row(services.text($0) ?? "", times[$0], bodies.text($0) ?? "") }
  }

  private static func constant(_ text: String, _ count: Int) -> Column {
    var dictionary = BytesColumnBuilder()
    dictionary.append(text)
    return Column(
      .dictionary(indices: Buffer(repeating: 0, count: count), dictionary: dictionary.column()), count: count)
  }

  private static func absent(_ type: FieldType, _ count: Int) -> Column {
    let validity = Buffer<UInt8>(repeating: 0, count: count)
    let values: Column.Values =
      switch type {
      case .int: .int32(Buffer(repeating: 0, count: count))
      case .boolean: .boolean(Buffer(repeating: 0, count: count))
      case .fixed(let width): .fixed(Buffer(repeating: 0, count: count * width), width: width)
      default: .bytes(offsets: Buffer(repeating: 0, count: count + 1), data: Buffer([]))
      }
    return Column(values, count: count, validity: validity)
  }
}
