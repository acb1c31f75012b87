extension LakeTable {
  /// What makes a row of logs a row of events too: this column, or this attribute.
  package static let eventNameColumn = "event_name"
  package static let eventNameAttribute = "event.name"

  package static let events = LakeTable(
    name: "events", topic: "logs",
    schema: Schema(
      id: 0,
      fields: [
        Field(1, "tenant_id", .string, required: true),
        Field(2, "account_id", .string),
        Field(3, "service_name", .string),
        Field(4, "timestamp", .timestamptz, required: true),
        Field(5, "observed_timestamp", .timestamptz, required: true),
        Field(6, "ingested_timestamp", .timestamptz, required: true),
        Field(7, "event_domain", .string, required: true),
        Field(8, "event_name", .string, required: true),
        Field(9, "trace_id", .fixed(16)),
        Field(10, "span_id", .fixed(8)),
        Field(11, "attributes", stringMap(key: 101, value: 102), required: true),
        // ---- the manual's columns end here ----
        Field(12, "timestamp_nanos", .int),
        Field(13, "observed_timestamp_nanos", .int),
        Field(14, "attributes_shape", .string),
        Field(15, "resource", .string),
      ]),
    partitionSpec: tenantAccountDay(tenant: 1, account: 2, timestamp: 4),
    sortOrder: SortOrder(id: 1, fields: [ascending(3), descending(4)]),
    layouts: [
      ColumnLayout("timestamp", .deltaBinaryPacked),
      ColumnLayout("observed_timestamp", .deltaBinaryPacked),
      ColumnLayout("trace_id", .plain, bloom: true),
      ColumnLayout("span_id", .plain),
    ])
}
