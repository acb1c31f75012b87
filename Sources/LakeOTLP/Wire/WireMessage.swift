/// The messages of OTLP as data: what the JSON codec knows of field numbers, names and types.
/// Source: opentelemetry-proto 1.9, and its JSON mapping (OTLP specification, "JSON Protobuf Encoding").
enum WireMessageID: UInt8 {
  case anyValue, arrayValue, keyValueList, keyValue, scope, entityRef, resource
  case logsRequest, resourceLogs, scopeLogs, logRecord
  case tracesRequest, resourceSpans, scopeSpans, span, spanEvent, spanLink, status
  case metricsRequest, resourceMetrics, scopeMetrics, metric, gauge, sum, histogram, exponentialHistogram, summary
  case numberPoint, histogramPoint, exponentialPoint, buckets, summaryPoint, quantile, exemplar
}

enum WireEnumID: UInt8 {
  case severity, spanKind, statusCode, temporality
}

struct WireField {
  enum Kind {
    case string, bytes
    /// Bytes that JSON writes as hexadecimal digits.
    case id
    case bool, int64, uint32, uint64, sint32, fixed32, fixed64, sfixed64, double
    case enumeration(WireEnumID)
    case message(WireMessageID)
  }
  let number: UInt32
  /// camelCase and snake_case; both are read, the first is written.
  let name: StaticString
  let snakeName: StaticString
  let kind: Kind
  let isRepeated: Bool
  /// A member of a oneof or an optional field: the default value is written when it is there.
  let hasPresence: Bool
  /// JSON shows the message even when it is empty or absent.
  var isAlwaysShown = false
}

/// The fields of every message, built once and never freed.
struct WireSchema: @unchecked Sendable {  // immutable after init
  private let fields: UnsafePointer<UnsafeBufferPointer<WireField>>

  static let shared = WireSchema()

  func fields(of message: WireMessageID) -> UnsafeBufferPointer<WireField> { fields[Int(message.rawValue)] }

  private init() {
    let all: [(WireMessageID, [WireField])] =
      WireSchema.common + WireSchema.logs + WireSchema.traces + WireSchema.metrics
    let table = UnsafeMutablePointer<UnsafeBufferPointer<WireField>>.allocate(capacity: all.count)
    for (message, list) in all {
      let copy = UnsafeMutableBufferPointer<WireField>.allocate(capacity: list.count)
      _ = copy.initialize(from: list)
      (table + Int(message.rawValue)).initialize(to: UnsafeBufferPointer(copy))
    }
    fields = UnsafePointer(table)
  }

  private static func one(
    _ number: UInt32, _ name: StaticString, _ snakeName: StaticString, _ kind: WireField.Kind, presence: Bool = false
  ) -> WireField {
    WireField(number: number, name: name, snakeName: snakeName, kind: kind, isRepeated: false, hasPresence: presence)
  }

  private static func shown(
    _ number: UInt32, _ name: StaticString, _ snakeName: StaticString, _ kind: WireField.Kind
  ) -> WireField {
    WireField(
      number: number, name: name, snakeName: snakeName, kind: kind, isRepeated: false, hasPresence: false,
      isAlwaysShown: true)
  }

  private static func many(
    _ number: UInt32, _ name: StaticString, _ snakeName: StaticString, _ kind: WireField.Kind
  ) -> WireField {
    WireField(number: number, name: name, snakeName: snakeName, kind: kind, isRepeated: true, hasPresence: false)
  }

  private static let common: [(WireMessageID, [WireField])] = [
    (
      .anyValue,
      [
        one(1, "stringValue", "string_value", .string, presence: true),
        one(2, "boolValue", "bool_value", .bool, presence: true),
        one(3, "intValue", "int_value", .int64, presence: true),
        one(4, "doubleValue", "double_value", .double, presence: true),
        one(5, "arrayValue", "array_value", .message(.arrayValue), presence: true),
        one(6, "kvlistValue", "kvlist_value", .message(.keyValueList), presence: true),
        one(7, "bytesValue", "bytes_value", .bytes, presence: true),
      ]
    ),
    (.arrayValue, [many(1, "values", "values", .message(.anyValue))]),
    (.keyValueList, [many(1, "values", "values", .message(.keyValue))]),
    (.keyValue, [one(1, "key", "key", .string), shown(2, "value", "value", .message(.anyValue))]),
    (
      .scope,
      [
        one(1, "name", "name", .string), one(2, "version", "version", .string),
        many(3, "attributes", "attributes", .message(.keyValue)),
        one(4, "droppedAttributesCount", "dropped_attributes_count", .uint32),
      ]
    ),
    (
      .entityRef,
      [
        one(1, "schemaUrl", "schema_url", .string), one(2, "type", "type", .string),
        many(3, "idKeys", "id_keys", .string), many(4, "descriptionKeys", "description_keys", .string),
      ]
    ),
    (
      .resource,
      [
        many(1, "attributes", "attributes", .message(.keyValue)),
        one(2, "droppedAttributesCount", "dropped_attributes_count", .uint32),
        many(3, "entityRefs", "entity_refs", .message(.entityRef)),
      ]
    ),
  ]

  private static let logs: [(WireMessageID, [WireField])] = [
    (.logsRequest, [many(1, "resourceLogs", "resource_logs", .message(.resourceLogs))]),
    (
      .resourceLogs,
      [
        one(1, "resource", "resource", .message(.resource)),
        many(2, "scopeLogs", "scope_logs", .message(.scopeLogs)), one(3, "schemaUrl", "schema_url", .string),
      ]
    ),
    (
      .scopeLogs,
      [
        one(1, "scope", "scope", .message(.scope)), many(2, "logRecords", "log_records", .message(.logRecord)),
        one(3, "schemaUrl", "schema_url", .string),
      ]
    ),
    (
      .logRecord,
      [
        one(1, "timeUnixNano", "time_unix_nano", .fixed64),
        one(11, "observedTimeUnixNano", "observed_time_unix_nano", .fixed64),
        one(2, "severityNumber", "severity_number", .enumeration(.severity)),
        one(3, "severityText", "severity_text", .string), one(5, "body", "body", .message(.anyValue)),
        many(6, "attributes", "attributes", .message(.keyValue)),
        one(7, "droppedAttributesCount", "dropped_attributes_count", .uint32), one(8, "flags", "flags", .fixed32),
        one(9, "traceId", "trace_id", .id), one(10, "spanId", "span_id", .id),
        one(12, "eventName", "event_name", .string),
      ]
    ),
  ]

  private static let traces: [(WireMessageID, [WireField])] = [
    (.tracesRequest, [many(1, "resourceSpans", "resource_spans", .message(.resourceSpans))]),
    (
      .resourceSpans,
      [
        one(1, "resource", "resource", .message(.resource)),
        many(2, "scopeSpans", "scope_spans", .message(.scopeSpans)), one(3, "schemaUrl", "schema_url", .string),
      ]
    ),
    (
      .scopeSpans,
      [
        one(1, "scope", "scope", .message(.scope)), many(2, "spans", "spans", .message(.span)),
        one(3, "schemaUrl", "schema_url", .string),
      ]
    ),
    (
      .span,
      [
        one(1, "traceId", "trace_id", .id), one(2, "spanId", "span_id", .id),
        one(3, "traceState", "trace_state", .string), one(4, "parentSpanId", "parent_span_id", .id),
        one(16, "flags", "flags", .fixed32), one(5, "name", "name", .string),
        one(6, "kind", "kind", .enumeration(.spanKind)),
        one(7, "startTimeUnixNano", "start_time_unix_nano", .fixed64),
        one(8, "endTimeUnixNano", "end_time_unix_nano", .fixed64),
        many(9, "attributes", "attributes", .message(.keyValue)),
        one(10, "droppedAttributesCount", "dropped_attributes_count", .uint32),
        many(11, "events", "events", .message(.spanEvent)),
        one(12, "droppedEventsCount", "dropped_events_count", .uint32),
        many(13, "links", "links", .message(.spanLink)),
        one(14, "droppedLinksCount", "dropped_links_count", .uint32),
        one(15, "status", "status", .message(.status)),
      ]
    ),
    (
      .spanEvent,
      [
        one(1, "timeUnixNano", "time_unix_nano", .fixed64), one(2, "name", "name", .string),
        many(3, "attributes", "attributes", .message(.keyValue)),
        one(4, "droppedAttributesCount", "dropped_attributes_count", .uint32),
      ]
    ),
    (
      .spanLink,
      [
        one(1, "traceId", "trace_id", .id), one(2, "spanId", "span_id", .id),
        one(3, "traceState", "trace_state", .string), many(4, "attributes", "attributes", .message(.keyValue)),
        one(5, "droppedAttributesCount", "dropped_attributes_count", .uint32), one(6, "flags", "flags", .fixed32),
      ]
    ),
    (.status, [one(2, "message", "message", .string), one(3, "code", "code", .enumeration(.statusCode))]),
  ]

  private static let metrics: [(WireMessageID, [WireField])] = [
    (.metricsRequest, [many(1, "resourceMetrics", "resource_metrics", .message(.resourceMetrics))]),
    (
      .resourceMetrics,
      [
        one(1, "resource", "resource", .message(.resource)),
        many(2, "scopeMetrics", "scope_metrics", .message(.scopeMetrics)), one(3, "schemaUrl", "schema_url", .string),
      ]
    ),
    (
      .scopeMetrics,
      [
        one(1, "scope", "scope", .message(.scope)), many(2, "metrics", "metrics", .message(.metric)),
        one(3, "schemaUrl", "schema_url", .string),
      ]
    ),
    (
      .metric,
      [
        one(1, "name", "name", .string), one(2, "description", "description", .string), one(3, "unit", "unit", .string),
        one(5, "gauge", "gauge", .message(.gauge), presence: true),
        one(7, "sum", "sum", .message(.sum), presence: true),
        one(9, "histogram", "histogram", .message(.histogram), presence: true),
        one(10, "exponentialHistogram", "exponential_histogram", .message(.exponentialHistogram), presence: true),
        one(11, "summary", "summary", .message(.summary), presence: true),
        many(12, "metadata", "metadata", .message(.keyValue)),
      ]
    ),
    (.gauge, [many(1, "dataPoints", "data_points", .message(.numberPoint))]),
    (
      .sum,
      [
        many(1, "dataPoints", "data_points", .message(.numberPoint)),
        one(2, "aggregationTemporality", "aggregation_temporality", .enumeration(.temporality)),
        one(3, "isMonotonic", "is_monotonic", .bool),
      ]
    ),
    (
      .histogram,
      [
        many(1, "dataPoints", "data_points", .message(.histogramPoint)),
        one(2, "aggregationTemporality", "aggregation_temporality", .enumeration(.temporality)),
      ]
    ),
    (
      .exponentialHistogram,
      [
        many(1, "dataPoints", "data_points", .message(.exponentialPoint)),
        one(2, "aggregationTemporality", "aggregation_temporality", .enumeration(.temporality)),
      ]
    ),
    (.summary, [many(1, "dataPoints", "data_points", .message(.summaryPoint))]),
    (
      .numberPoint,
      [
        many(7, "attributes", "attributes", .message(.keyValue)),
        one(2, "startTimeUnixNano", "start_time_unix_nano", .fixed64),
        one(3, "timeUnixNano", "time_unix_nano", .fixed64), one(4, "asDouble", "as_double", .double, presence: true),
        one(6, "asInt", "as_int", .sfixed64, presence: true), many(5, "exemplars", "exemplars", .message(.exemplar)),
        one(8, "flags", "flags", .uint32),
      ]
    ),
    (
      .histogramPoint,
      [
        many(9, "attributes", "attributes", .message(.keyValue)),
        one(2, "startTimeUnixNano", "start_time_unix_nano", .fixed64),
        one(3, "timeUnixNano", "time_unix_nano", .fixed64), one(4, "count", "count", .fixed64),
        one(5, "sum", "sum", .double, presence: true), many(6, "bucketCounts", "bucket_counts", .fixed64),
        many(7, "explicitBounds", "explicit_bounds", .double), many(8, "exemplars", "exemplars", .message(.exemplar)),
        one(10, "flags", "flags", .uint32), one(11, "min", "min", .double, presence: true),
        one(12, "max", "max", .double, presence: true),
      ]
    ),
    (
      .exponentialPoint,
      [
        many(1, "attributes", "attributes", .message(.keyValue)),
        one(2, "startTimeUnixNano", "start_time_unix_nano", .fixed64),
        one(3, "timeUnixNano", "time_unix_nano", .fixed64), one(4, "count", "count", .fixed64),
        one(5, "sum", "sum", .double, presence: true), one(6, "scale", "scale", .sint32),
        one(7, "zeroCount", "zero_count", .fixed64), one(8, "positive", "positive", .message(.buckets)),
        one(9, "negative", "negative", .message(.buckets)), one(10, "flags", "flags", .uint32),
        many(11, "exemplars", "exemplars", .message(.exemplar)), one(12, "min", "min", .double, presence: true),
        one(13, "max", "max", .double, presence: true), one(14, "zeroThreshold", "zero_threshold", .double),
      ]
    ),
    (.buckets, [one(1, "offset", "offset", .sint32), many(2, "bucketCounts", "bucket_counts", .uint64)]),
    (
      .summaryPoint,
      [
        many(7, "attributes", "attributes", .message(.keyValue)),
        one(2, "startTimeUnixNano", "start_time_unix_nano", .fixed64),
        one(3, "timeUnixNano", "time_unix_nano", .fixed64), one(4, "count", "count", .fixed64),
        one(5, "sum", "sum", .double), many(6, "quantileValues", "quantile_values", .message(.quantile)),
        one(8, "flags", "flags", .uint32),
      ]
    ),
    (.quantile, [one(1, "quantile", "quantile", .double), one(2, "value", "value", .double)]),
    (
      .exemplar,
      [
        many(7, "filteredAttributes", "filtered_attributes", .message(.keyValue)),
        one(2, "timeUnixNano", "time_unix_nano", .fixed64), one(3, "asDouble", "as_double", .double, presence: true),
        one(6, "asInt", "as_int", .sfixed64, presence: true), one(4, "spanId", "span_id", .id),
        one(5, "traceId", "trace_id", .id),
      ]
    ),
  ]
}

/// Names of enum values, as JSON may write them.
enum WireEnum {
  static func value(of name: RawBytes, in table: WireEnumID) -> Int32? {
    let names = names(of: table)
    return names.first { RawBytes($0.name).equals(name) }?.value
  }

  private static func names(of table: WireEnumID) -> [(name: StaticString, value: Int32)] {
    switch table {
    case .severity: severities
    case .spanKind: spanKinds
    case .statusCode: statusCodes
    case .temporality: temporalities
    }
  }

  private static let severities: [(name: StaticString, value: Int32)] = [
    ("SEVERITY_NUMBER_UNSPECIFIED", 0), ("SEVERITY_NUMBER_TRACE", 1), ("SEVERITY_NUMBER_TRACE2", 2),
    ("SEVERITY_NUMBER_TRACE3", 3), ("SEVERITY_NUMBER_TRACE4", 4), ("SEVERITY_NUMBER_DEBUG", 5),
    ("SEVERITY_NUMBER_DEBUG2", 6), ("SEVERITY_NUMBER_DEBUG3", 7), ("SEVERITY_NUMBER_DEBUG4", 8),
    ("SEVERITY_NUMBER_INFO", 9), ("SEVERITY_NUMBER_INFO2", 10), ("SEVERITY_NUMBER_INFO3", 11),
    ("SEVERITY_NUMBER_INFO4", 12), ("SEVERITY_NUMBER_WARN", 13), ("SEVERITY_NUMBER_WARN2", 14),
    ("SEVERITY_NUMBER_WARN3", 15), ("SEVERITY_NUMBER_WARN4", 16), ("SEVERITY_NUMBER_ERROR", 17),
    ("SEVERITY_NUMBER_ERROR2", 18), ("SEVERITY_NUMBER_ERROR3", 19), ("SEVERITY_NUMBER_ERROR4", 20),
    ("SEVERITY_NUMBER_FATAL", 21), ("SEVERITY_NUMBER_FATAL2", 22), ("SEVERITY_NUMBER_FATAL3", 23),
    ("SEVERITY_NUMBER_FATAL4", 24),
  ]
  private static let spanKinds: [(name: StaticString, value: Int32)] = [
    ("SPAN_KIND_UNSPECIFIED", 0), ("SPAN_KIND_INTERNAL", 1), ("SPAN_KIND_SERVER", 2), ("SPAN_KIND_CLIENT", 3),
    ("SPAN_KIND_PRODUCER", 4), ("SPAN_KIND_CONSUMER", 5),
  ]
  private static let statusCodes: [(name: StaticString, value: Int32)] = [
    ("STATUS_CODE_UNSET", 0), ("STATUS_CODE_OK", 1), ("STATUS_CODE_ERROR", 2),
  ]
  private static let temporalities: [(name: StaticString, value: Int32)] = [
    ("AGGREGATION_TEMPORALITY_UNSPECIFIED", 0), ("AGGREGATION_TEMPORALITY_DELTA", 1),
    ("AGGREGATION_TEMPORALITY_CUMULATIVE", 2),
  ]
}
