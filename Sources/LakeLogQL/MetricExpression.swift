extension LogQL {
  /// Something that gives samples.
  package indirect enum MetricExpression: Hashable, Sendable {
    /// A number. Both sides of an operator being numbers, the parser has worked out the result already.
    case literal(Double)
    /// `vector(1)`: one sample without labels.
    case vector(Double)
    case range(RangeAggregation)
    case aggregation(VectorAggregation)
    case binary(BinaryOperation)
    case labelReplace(LabelReplace)
  }

  /// `quantile_over_time(0.9, {app="x"} | unwrap latency [5m] offset 1h) by (pod)`.
  package struct RangeAggregation: Hashable, Sendable {
    package enum Operation: String, CaseIterable, Hashable, Sendable {
      case count = "count_over_time"
      case rate
      case rateCounter = "rate_counter"
      case bytes = "bytes_over_time"
      case bytesRate = "bytes_rate"
      case average = "avg_over_time"
      case sum = "sum_over_time"
      case min = "min_over_time"
      case max = "max_over_time"
      case variance = "stdvar_over_time"
      case deviation = "stddev_over_time"
      case quantile = "quantile_over_time"
      case first = "first_over_time"
      case last = "last_over_time"
      case absent = "absent_over_time"
    }
    package var operation: Operation
    /// Of `quantile_over_time`, always there; of nothing else.
    package var parameter: Double?
    package var range: LogRange
    package var grouping: Grouping?
    package var position: Position

    package init(
      _ operation: Operation, parameter: Double? = nil, _ range: LogRange, grouping: Grouping? = nil,
      position: Position = Position()
    ) {
      self.operation = operation
      self.parameter = parameter
      self.range = range
      self.grouping = grouping
      self.position = position
    }
  }

  /// Lines of the interval that ends `offset` before each evaluation: `(t - offset - interval, t - offset]`.
  package struct LogRange: Hashable, Sendable {
    package var logs: LogExpression
    package var interval: Duration
    /// May be negative.
    package var offset: Duration
    package var unwrap: Unwrap?

    package init(_ logs: LogExpression, interval: Duration, offset: Duration = .zero, unwrap: Unwrap? = nil) {
      self.logs = logs
      self.interval = interval
      self.offset = offset
      self.unwrap = unwrap
    }
  }

  /// `| unwrap duration(latency) | __error__=""`: the value of a label becomes the sample.
  package struct Unwrap: Hashable, Sendable {
    package enum Conversion: String, Hashable, Sendable {
      case bytes
      /// Seconds, as both names say.
      case duration
      case durationSeconds = "duration_seconds"
    }
    package var label: String
    /// nil: the text of a number.
    package var conversion: Conversion?
    /// Applied after the conversion, in order.
    package var filters: [LabelFilter]

    package init(_ label: String, conversion: Conversion? = nil, filters: [LabelFilter] = []) {
      self.label = label
      self.conversion = conversion
      self.filters = filters
    }
  }

  /// `by (a, b)` or `without (a, b)`.
  package struct Grouping: Hashable, Sendable {
    package var isWithout: Bool
    package var labels: [String]

    package init(isWithout: Bool = false, _ labels: [String]) {
      self.isWithout = isWithout
      self.labels = labels
    }
  }

  /// `topk(5, ...)`, `sum by (app) (...)`.
  package struct VectorAggregation: Hashable, Sendable {
    package enum Operation: String, CaseIterable, Hashable, Sendable {
      case sum
      case average = "avg"
      case count
      case max
      case min
      case deviation = "stddev"
      case variance = "stdvar"
      case bottomK = "bottomk"
      case topK = "topk"
      case sort
      case sortDescending = "sort_desc"
      case approximateTopK = "approx_topk"
    }
    package var operation: Operation
    /// Of `topk`, `bottomk` and `approx_topk`, positive; 0 elsewhere.
    package var parameter: Int
    package var operand: MetricExpression
    /// nil: everything into one group.
    package var grouping: Grouping?
    package var position: Position

    package init(
      _ operation: Operation, parameter: Int = 0, _ operand: MetricExpression, grouping: Grouping? = nil,
      position: Position = Position()
    ) {
      self.operation = operation
      self.parameter = parameter
      self.operand = operand
      self.grouping = grouping
      self.position = position
    }
  }

  /// `a / on (app) group_left (team) b`.
  package struct BinaryOperation: Hashable, Sendable {
    package enum Operation: String, CaseIterable, Hashable, Sendable {
      case or, and, unless
      case equal = "=="
      case notEqual = "!="
      case greater = ">"
      case greaterOrEqual = ">="
      case less = "<"
      case lessOrEqual = "<="
      case add = "+"
      case subtract = "-"
      case multiply = "*"
      case divide = "/"
      case modulo = "%"
      case power = "^"

      package var isSet: Bool { self == .or || self == .and || self == .unless }
      package var isComparison: Bool {
        switch self {
        case .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual: true
        default: false
        }
      }
    }
    package var operation: Operation
    package var left: MetricExpression
    package var right: MetricExpression
    /// `bool`: a comparison gives 0 or 1 and drops no sample.
    package var returnsBool: Bool
    package var matching: Matching
    package var position: Position

    package init(
      _ operation: Operation, _ left: MetricExpression, _ right: MetricExpression, returnsBool: Bool = false,
      matching: Matching = Matching(), position: Position = Position()
    ) {
      self.operation = operation
      self.left = left
      self.right = right
      self.returnsBool = returnsBool
      self.matching = matching
      self.position = position
    }
  }

  /// Which samples of the two sides of an operator belong together.
  package struct Matching: Hashable, Sendable {
    package enum Cardinality: Hashable, Sendable {
      case oneToOne
      /// `group_left`: many on the left.
      case manyToOne
      /// `group_right`: many on the right.
      case oneToMany
    }
    package var cardinality: Cardinality
    /// `on`: the labels named must be equal; otherwise (`ignoring`) all labels but those named.
    package var isOn: Bool
    package var labels: [String]
    /// Labels of the "one" side that the result takes over.
    package var include: [String]

    package init(
      cardinality: Cardinality = .oneToOne, isOn: Bool = false, labels: [String] = [], include: [String] = []
    ) {
      self.cardinality = cardinality
      self.isOn = isOn
      self.labels = labels
      self.include = include
    }
  }

  /// `label_replace(v, "dst", "$1", "src", "(.*)")`.
  package struct LabelReplace: Hashable, Sendable {
    package var operand: MetricExpression
    package var destination: String
    package var replacement: String
    package var source: String
    /// RE2 over the whole value; valid.
    package var regex: String
    package var position: Position

    package init(
      _ operand: MetricExpression, destination: String, replacement: String, source: String, regex: String,
      position: Position = Position()
    ) {
      self.operand = operand
      self.destination = destination
      self.replacement = replacement
      self.source = source
      self.regex = regex
      self.position = position
    }
  }

  /// `variants(count_over_time({a="b"}[1m]), ...) of ({a="b"}[1m])`.
  package struct Variants: Hashable, Sendable {
    /// At least one.
    package var metrics: [MetricExpression]
    package var range: LogRange

    package init(_ metrics: [MetricExpression], of range: LogRange) {
      self.metrics = metrics
      self.range = range
    }
  }
}
