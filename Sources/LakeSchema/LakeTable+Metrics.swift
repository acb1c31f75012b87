extension LakeTable {
  package static let metrics = LakeTable(
    name: "metrics", topic: "metrics",
    schema: Schema(
      id: 0,
      fields: [
        Field(1, "tenant_id", .string, required: true),
        Field(2, "account_id", .string),
        Field(3, "service_name", .string, required: true),
        Field(4, "timestamp", .timestamptz, required: true),
        Field(5, "start_timestamp", .timestamptz),
        Field(6, "ingested_timestamp", .timestamptz, required: true),
        Field(7, "metric_name", .string, required: true),
        Field(8, "metric_type", .string, required: true),
        Field(9, "description", .string),
        Field(10, "unit", .string),
        Field(11, "aggregation_temporality", .string),
        Field(12, "is_monotonic", .boolean),
        Field(13, "attributes", stringMap(key: 101, value: 102), required: true),
        Field(14, "value_double", .double),
        Field(15, "value_int", .long),
        Field(16, "count", .long),
        Field(17, "sum", .double),
        Field(18, "min", .double),
        Field(19, "max", .double),
        Field(20, "bucket_counts", .list(elementID: 103, element: .long, elementRequired: true)),
        Field(21, "explicit_bounds", .list(elementID: 104, element: .double, elementRequired: true)),
        Field(22, "scale", .int),
        Field(23, "zero_count", .long),
        Field(24, "zero_threshold", .double),
        Field(25, "positive_offset", .int),
        Field(26, "positive_bucket_counts", .list(elementID: 105, element: .long, elementRequired: true)),
        Field(27, "negative_offset", .int),
        Field(28, "negative_bucket_counts", .list(elementID: 106, element: .long, elementRequired: true)),
        Field(
          29, "quantile_values",
          .list(
            elementID: 107, element: .structure([Field(108, "quantile", .double), Field(109, "value", .double)]),
            elementRequired: true)),
        Field(30, "flags", .int),
        Field(
          31, "exemplars",
          .list(
            elementID: 110,
            element: .structure([
              Field(111, "timestamp", .timestamptz),
              Field(112, "value_double", .double),
              Field(113, "value_int", .long),
              Field(114, "span_id", .fixed(8)),
              Field(115, "trace_id", .fixed(16)),
              Field(116, "attributes", stringMap(key: 117, value: 118)),
              // ---- ours ----
              Field(119, "timestamp_nanos", .int),
              Field(120, "attributes_shape", .string),
              Field(121, "otlp_extra", .string),
            ]), elementRequired: true)),
        // ---- the manual's columns end here ----
        Field(
          32, "series", .fixed(16),
          doc: "hash of the series' identity: metric name and every attribute; see LakeOTLP/README.md"),
        Field(33, "timestamp_nanos", .int),
        Field(34, "start_timestamp_nanos", .int),
        Field(35, "scope_name", .string),
        Field(36, "scope_version", .string),
        Field(37, "resource_schema_url", .string),
        Field(38, "scope_schema_url", .string),
        Field(39, "attributes_shape", .string),
        Field(40, "resource", .string),
        Field(41, "scope", .string),
        Field(
          42, "metric", .string,
          doc: "what the metric has beside its columns, as OTLP JSON: metadata, and its bytes when a text was not UTF-8"
        ),
        Field(43, "otlp_extra", .string),
      ]),
    partitionSpec: tenantAccountDay(tenant: 1, account: 2, timestamp: 4),
    sortOrder: SortOrder(id: 1, fields: [ascending(7), ascending(3), ascending(32), descending(4)]),
    layouts: [
      ColumnLayout("timestamp", .deltaBinaryPacked),
      ColumnLayout("value_double", .dictionary),
      ColumnLayout("value_int", .deltaBinaryPacked),
      ColumnLayout("series", .dictionary, bloom: true),
    ])
}
