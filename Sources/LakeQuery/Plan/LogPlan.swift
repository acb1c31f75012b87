import LakeLogQL

/// A selector and its pipeline, compiled: what columns can decide, and what is left for rows one by one.
struct LogPlan: Sendable {
  /// Conditions on labels as they are before any parser: the selector's matchers, then label filters.
  let conditions: [LabelCondition]
  /// Line filters that see the line as it is stored, cheap ones first.
  let lines: [LineMatcher]
  /// What is left of the pipeline once `conditions` and `lines` hold.
  let stages: [LogQL.Stage]
  /// The same with the label filters among `conditions` still in it, for rows whose values a filter could not read.
  let stagesWithFilters: [LogQL.Stage]
  /// What filters in `stages` demand of lines.
  let demands: [LineDemand]

  /// - Parameter unwrapped: a label without which rows do not count.
  init(_ expression: LogQL.LogExpression, unwrapped: String? = nil) throws(QueryError) {
    var conditions: [LabelCondition] = []
    for matcher in expression.selector.matchers { conditions.append(try LabelCondition(matcher)) }
    var lines: [LineMatcher] = []
    var rest: [LogQL.Stage] = []
    var restWithFilters: [LogQL.Stage] = []
    var seesStoredLabels = true
    var seesStoredLine = true
    var mayHaveErrors = false
    for stage in LogPlan.filtersFirst(expression.stages) {
      switch stage {
      case .lineFilter(let filter) where seesStoredLine:
        lines.append(try LineMatcher(filter))
      case .labelFilter(let filter) where seesStoredLabels && !(filter.seesErrors && (mayHaveErrors || filter.mayMark)):
        let condition = try LabelCondition(filter)
        if condition.mayFail { mayHaveErrors = true }
        conditions.append(condition)
        restWithFilters.append(stage)
      default:
        rest.append(stage)
        restWithFilters.append(stage)
        if !stage.keepsLabels { seesStoredLabels = false }
        if !stage.keepsLine { seesStoredLine = false }
        if stage.mayMark { mayHaveErrors = true }
      }
    }
    self.conditions = conditions
    self.lines = lines.sorted { $0.cost < $1.cost }
    stages = rest
    stagesWithFilters = restWithFilters
    demands = try LineDemandReader.demands(of: rest, unwrapped: unwrapped, mayHaveErrors: mayHaveErrors)
  }

  /// The same stages, with filters by the text of labels ahead of stages that only write the line: no line is written for a row that goes.
  private static func filtersFirst(_ stages: [LogQL.Stage]) -> [LogQL.Stage] {
    var ordered: [LogQL.Stage] = []
    for stage in stages {
      if case .labelFilter(let filter) = stage, !filter.seesErrors, !filter.mayMark {
        ordered.insert(stage, at: ordered.lastIndex { !$0.onlyWritesLine }.map { $0 + 1 } ?? 0)
      } else {
        ordered.append(stage)
      }
    }
    return ordered
  }
}

extension LogQL.LabelFilter {
  var labels: [String] {
    switch self {
    case .matcher(let matcher): [matcher.name]
    case .number(let label, _, _), .duration(let label, _, _), .bytes(let label, _, _), .ip(let label, _, _): [label]
    case .and(let left, let right), .or(let left, let right): left.labels + right.labels
    }
  }

  /// Whether what it says depends on the row being marked: it asks for errors, or for addresses, which every marked row has.
  fileprivate var seesErrors: Bool {
    switch self {
    case .ip: true
    case .matcher(let matcher): matcher.name.hasPrefix("__error")
    case .number(let label, _, _), .duration(let label, _, _), .bytes(let label, _, _): label.hasPrefix("__error")
    case .and(let left, let right), .or(let left, let right): left.seesErrors || right.seesErrors
    }
  }

  /// Whether it marks rows whose value it cannot read.
  fileprivate var mayMark: Bool {
    switch self {
    case .number, .duration, .bytes: true
    case .matcher, .ip: false
    case .and(let left, let right), .or(let left, let right): left.mayMark || right.mayMark
    }
  }
}

extension LogQL.Stage {
  /// Whether labels are the same after the stage, for the rows that stay.
  var keepsLabels: Bool {
    switch self {
    case .lineFilter, .labelFilter, .lineFormat, .decolorize: true
    case .json, .logfmt, .regexp, .pattern, .unpack, .labelFormat, .drop, .keep: false
    }
  }

  /// Whether every row stays, with its labels; it may be marked.
  fileprivate var onlyWritesLine: Bool {
    switch self {
    case .lineFormat, .decolorize: true
    default: false
    }
  }

  /// Whether it gives rows an error that a later filter may ask for.
  fileprivate var mayMark: Bool {
    switch self {
    case .lineFilter, .decolorize, .drop, .keep, .regexp, .pattern: false
    case .labelFilter(let filter): filter.mayMark
    case .json, .logfmt, .unpack, .lineFormat, .labelFormat: true
    }
  }

  /// Whether the line is the same after the stage.
  var keepsLine: Bool {
    switch self {
    case .unpack, .lineFormat, .decolorize: false
    default: true
    }
  }
}
