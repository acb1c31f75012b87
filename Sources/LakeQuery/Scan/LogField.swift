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

  /// Its place in `allCases`, for tables by field.
  var ordinal: Int {
    switch self {
    case .tenant: 0
    case .account: 1
    case .serviceName: 2
    case .timestamp: 3
    case .traceID: 4
    case .spanID: 5
    case .severityNumber: 6
    case .severityText: 7
    case .body: 8
    case .attributes: 9
    case .timestampNanos: 10
    case .attributesShape: 11
    case .resource: 12
    }
  }
}
