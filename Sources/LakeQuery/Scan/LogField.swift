/// The columns of the table `logs` that queries read.
enum LogField: String, CaseIterable, Hashable, Sendable {
  case tenant = "tenant_id"
  case account = "account_id"
  case serviceName = "service_name"
  case timestamp
  case traceID = "trace_id"
  case spanID = "span_id"
  case severityNumber = "severity_number"
  case severityText = "severity_text"
  case body
  case attributes
  case timestampNanos = "timestamp_nanos"
  case attributesShape = "attributes_shape"
  case resource
}
