extension LakeTable {
  package static let logs = LakeTable(
    name: "logs", topic: "logs",
    schema: Schema(
      id: 0,
      fields: [
        Field(1, "tenant_id", .string, required: true),
        Field(2, "account_id", .string),
        Field(3, "service_name", .string),
        Field(4, "timestamp", .timestamptz, required: true),
        Field(5, "observed_timestamp", .timestamptz, required: true),
        Field(6, "ingested_timestamp", .timestamptz, required: true),
        Field(7, "trace_id", .fixed(16)),
        Field(8, "span_id", .fixed(8)),
        Field(9, "severity_number", .int),
        Field(10, "severity_text", .string),
        Field(11, "body", .string),
        Field(12, "attributes", stringMap(key: 101, value: 102), required: true),
        Field(13, "flags", .int),
        Field(14, "dropped_attributes_count", .int, required: true),
        // ---- the manual's columns end here ----
        Field(
          15, "timestamp_nanos", .int,
          doc: "timeUnixNano modulo 1000; null when the record brought no time and timestamp was taken from elsewhere"),
        Field(
          16, "observed_timestamp_nanos", .int,
          doc: "observedTimeUnixNano modulo 1000; null when the record brought none"),
        Field(17, "event_name", .string),
        Field(
          18, "body_kind", .string,
          doc:
            "what the body was when not a string: boolValue, intValue, doubleValue, bytesValue, arrayValue, kvlistValue"
        ),
        Field(
          19, "severity_derived", .boolean,
          doc: "true when severity_text was empty and stands for severity_number here"),
        Field(20, "scope_name", .string),
        Field(21, "scope_version", .string),
        Field(22, "resource_schema_url", .string),
        Field(23, "scope_schema_url", .string),
        Field(
          24, "attributes_shape", .string,
          doc: "level and type of each entry of attributes, in order; see LakeOTLP/README.md"),
        Field(
          25, "resource", .string,
          doc: "the resource as canonical OTLP JSON: its attributes with their types, dropped count, entity references"),
        Field(
          26, "scope", .string,
          doc: "the scope as canonical OTLP JSON when it has more than a name and a version: attributes, dropped count"),
        Field(
          27, "otlp_extra", .string,
          doc: "OTLP JSON of what has no column: repeated attributes, malformed ids, bytes of invalid UTF-8"),
      ]),
    partitionSpec: tenantAccountDay(tenant: 1, account: 2, timestamp: 4),
    sortOrder: SortOrder(id: 1, fields: [ascending(3), descending(4)]),
    layouts: [
      ColumnLayout("tenant_id", .dictionary),
      ColumnLayout("account_id", .dictionary),
      ColumnLayout("service_name", .dictionary),
      ColumnLayout("timestamp", .deltaBinaryPacked),
      ColumnLayout("observed_timestamp", .deltaBinaryPacked),
      ColumnLayout("ingested_timestamp", .dictionary),
      ColumnLayout("trace_id", .plain, bloom: true),
      ColumnLayout("span_id", .plain),
      ColumnLayout("severity_number", .dictionary),
      ColumnLayout("severity_text", .dictionary),
      ColumnLayout("body", .deltaLengthByteArray, text: true),
      ColumnLayout("attributes.key_value.key", .dictionary),
      ColumnLayout("attributes.key_value.value", .dictionary, bloom: true),
      ColumnLayout("timestamp_nanos", .dictionary),
      ColumnLayout("observed_timestamp_nanos", .dictionary),
      ColumnLayout("event_name", .dictionary),
      ColumnLayout("attributes_shape", .dictionary),
      ColumnLayout("resource", .dictionary),
      ColumnLayout("scope", .dictionary),
      ColumnLayout("otlp_extra", .dictionary),
    ])
}
