/// Where the value of a label comes from: its column, if it has one, and attributes of that name behind it.
struct LabelReference: Hashable, Sendable {
  let name: String
  let utf8: [UInt8]
  let field: LogField?

  init(_ name: String) {
    self.name = name
    utf8 = Array(name.utf8)
    field = LabelReference.fields[name]
  }

  private static let fields: [String: LogField] = [
    "service_name": .serviceName, "severity_text": .severityText, "trace_id": .traceID, "span_id": .spanID,
    "tenant_id": .tenant, "account_id": .account, "severity_number": .severityNumber,
  ]

  /// Columns whose labels are shown, in the order of their names, and whether they are the stream's own.
  static let shown: [(reference: LabelReference, isStream: Bool)] = [
    (LabelReference("service_name"), true), (LabelReference("severity_text"), true),
    (LabelReference("span_id"), false), (LabelReference("trace_id"), false),
  ]

  /// Labels that may be used but are never shown, whatever attributes say.
  var isHidden: Bool { field == .tenant || field == .account || field == .severityNumber }
}
