extension LakeTable {
  package static let spans = LakeTable(
    name: "spans", topic: "spans",
    schema: Schema(
      id: 0,
      fields: [
        Field(1, "tenant_id", .string, required: true),
        Field(2, "account_id", .string),
        Field(3, "trace_id", .fixed(16), required: true),
        Field(4, "span_id", .fixed(8), required: true),
        Field(5, "parent_span_id", .fixed(8)),
        Field(6, "timestamp", .timestamptz, required: true),
        Field(7, "end_timestamp", .timestamptz, required: true),
        Field(8, "ingested_timestamp", .timestamptz, required: true),
        Field(9, "duration_micros", .long, required: true),
        Field(10, "trace_state", .string),
        Field(11, "name", .string, required: true),
        Field(12, "kind", .int),
        Field(13, "status_code", .int),
        Field(14, "status_message", .string),
        Field(15, "attributes", stringMap(key: 101, value: 102), required: true),
        Field(16, "flags", .int),
        Field(17, "dropped_attributes_count", .int),
        Field(18, "dropped_events_count", .int),
        Field(19, "dropped_links_count", .int),
        Field(
          20, "events",
          .list(
            elementID: 103,
            element: .structure([
              Field(104, "timestamp", .timestamptz),
              Field(105, "name", .string),
              Field(106, "attributes", stringMap(key: 107, value: 108)),
              Field(109, "dropped_attributes_count", .int),
              // ---- ours ----
              Field(110, "timestamp_nanos", .int),
              Field(111, "attributes_shape", .string),
              Field(112, "otlp_extra", .string),
            ]), elementRequired: true)),
        Field(
          21, "links",
          .list(
            elementID: 113,
            element: .structure([
              Field(114, "trace_id", .fixed(16)),
              Field(115, "span_id", .fixed(8)),
              Field(116, "trace_state", .string),
              Field(117, "attributes", stringMap(key: 118, value: 119)),
              Field(120, "dropped_attributes_count", .int),
              Field(121, "flags", .int),
              // ---- ours ----
              Field(122, "attributes_shape", .string),
              Field(123, "otlp_extra", .string),
            ]), elementRequired: true)),
        // ---- the manual's columns end here ----
        Field(22, "service_name", .string),
        Field(23, "timestamp_nanos", .int, doc: "startTimeUnixNano modulo 1000; null when the span brought no start"),
        Field(24, "end_timestamp_nanos", .int, doc: "endTimeUnixNano modulo 1000; null when the span brought no end"),
        Field(25, "scope_name", .string),
        Field(26, "scope_version", .string),
        Field(27, "resource_schema_url", .string),
        Field(28, "scope_schema_url", .string),
        Field(29, "attributes_shape", .string),
        Field(30, "resource", .string),
        Field(31, "scope", .string),
        Field(32, "otlp_extra", .string),
      ]),
    partitionSpec: tenantAccountDay(tenant: 1, account: 2, timestamp: 6),
    sortOrder: SortOrder(id: 1, fields: [ascending(3), ascending(6)]),
    layouts: [
      ColumnLayout("trace_id", .dictionary, bloom: true),
      ColumnLayout("span_id", .plain),
      ColumnLayout("parent_span_id", .plain),
      ColumnLayout("timestamp", .deltaBinaryPacked),
      ColumnLayout("end_timestamp", .deltaBinaryPacked),
      ColumnLayout("duration_micros", .deltaBinaryPacked),
      ColumnLayout("attributes.key_value.value", .dictionary, bloom: true),
    ])
}
