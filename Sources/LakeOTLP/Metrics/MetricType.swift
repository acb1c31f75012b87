/// The five kinds of metrics. Raw values are the field numbers of Metric's oneof.
enum MetricType: UInt32, CaseIterable {
  case gauge = 5
  case sum = 7
  case histogram = 9
  case exponentialHistogram = 10
  case summary = 11

  /// As in the column `metric_type`.
  var name: StaticString {
    switch self {
    case .gauge: "gauge"
    case .sum: "sum"
    case .histogram: "histogram"
    case .exponentialHistogram: "exponential_histogram"
    case .summary: "summary"
    }
  }

  var hasTemporality: Bool { self == .sum || self == .histogram || self == .exponentialHistogram }

  static func named(_ text: RawBytes) -> MetricType? { allCases.first { RawBytes($0.name).equals(text) } }
}

/// `aggregation_temporality` as text.
enum Temporality {
  /// nil for unspecified (0); numbers without a name are written as such.
  static func text(of value: Int32) -> String? {
    switch value {
    case 0: nil
    case 1: "DELTA"
    case 2: "CUMULATIVE"
    default: "\(value)"
    }
  }

  static func value(of text: String) -> Int32? {
    switch text {
    case "DELTA": 1
    case "CUMULATIVE": 2
    default: Int32(text)
    }
  }
}
