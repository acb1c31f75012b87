import LakeRegex

/// What can be wrong with a stage although its syntax is right. Loki finds these when it builds the pipeline, which puts
/// the stage into the message.
enum StageCheck {
  /// The first problem of a pipeline, in the order in which Loki builds it: line filters are built ahead of the parsers
  /// before them, and a run of them as one stage.
  static func problem(_ stages: [LogQL.Stage]) -> LogQL.SyntaxError? {
    for group in reordered(stages) {
      guard let problem = problem(ofGroup: group) else { continue }
      let text = group.map(\.description).joined(separator: " ")
      return LogQL.SyntaxError("stage '\(text)' : \(problem)")
    }
    return nil
  }

  private static func reordered(_ stages: [LogQL.Stage]) -> [[LogQL.Stage]] {
    var groups: [[LogQL.Stage]] = []
    var filters: [LogQL.Stage] = []
    var others: [[LogQL.Stage]] = []
    func flush() {
      if !filters.isEmpty { groups.append(filters) }
      groups += others
      filters = []
      others = []
    }
    for stage in stages {
      switch stage {
      case .labelFilter:
        flush()
        groups.append([stage])
      case .lineFilter: filters.append(stage)
      case .lineFormat, .unpack:
        others.append([stage])
        flush()
      default: others.append([stage])
      }
    }
    flush()
    return groups
  }

  private static func problem(ofGroup group: [LogQL.Stage]) -> String? {
    // Of several filters the last one is compiled first.
    for stage in group.reversed() {
      if let problem = problem(stage) { return problem }
    }
    return nil
  }

  private static func problem(_ stage: LogQL.Stage) -> String? {
    switch stage {
    case .lineFilter(let filter): return problem(filter)
    case .labelFilter(.ip(_, _, let text)): return ipProblem(text)
    case .labelFilter(let filter): return nestedProblem(filter)
    case .json(let extractions):
      return problem(extractions) { text in
        if case .failure(let problem) = LogQL.ExtractionPath.json(text) { problem.message } else { nil }
      }
    case .logfmt(let logfmt):
      return problem(logfmt.extractions) { text in
        if case .failure(let problem) = LogQL.ExtractionPath.logfmt(text) { problem.message } else { nil }
      }
    case .lineFormat(let text):
      return LogQL.Template.problem(text, name: "line").map { "invalid line template: \($0)" }
    case .labelFormat(let formats): return problem(formats)
    case .regexp, .pattern, .unpack, .decolorize, .drop, .keep: return nil
    }
  }

  private static func problem(_ filter: LogQL.LineFilter) -> String? {
    for operand in filter.operands {
      switch operand {
      case .ip(let text):
        if filter.operation != .contains && filter.operation != .notContains { return "ip: invalid operation" }
        if let problem = ipProblem(text) { return problem }
      case .text(let text):
        switch filter.operation {
        case .contains, .notContains: break
        case .matches, .notMatches:
          if let problem = RegexCheck.problem(text) { return problem }
        case .pattern, .notPattern:
          if case .failure(let problem) = LogQL.LinePattern.filter(text) { return problem.message }
        }
      }
    }
    return nil
  }

  private static func ipProblem(_ text: String) -> String? {
    IPPattern.isValid(text) ? nil : "ip: invalid pattern: \(GoString.quote(text))"
  }

  /// Loki leaves a bad address below `and` and `or` alone and never matches it; here it is an error like any other.
  private static func nestedProblem(_ filter: LogQL.LabelFilter) -> String? {
    switch filter {
    case .and(let left, let right), .or(let left, let right): nestedProblem(left) ?? nestedProblem(right)
    case .ip(_, _, let text): ipProblem(text)
    default: nil
    }
  }

  private static func problem(_ extractions: [LogQL.Extraction], path: (String) -> String?) -> String? {
    for extraction in extractions {
      if let problem = path(extraction.expression) {
        return "cannot parse expression [\(extraction.expression)]: \(problem)"
      }
    }
    return nil
  }

  private static func problem(_ formats: [LogQL.LabelFormat]) -> String? {
    var seen: Set<String> = []
    for format in formats {
      if format.label == "__error__" { return "__error__ cannot be formatted" }
      if !seen.insert(format.label).inserted {
        return "multiple label name '\(format.label)' not allowed in a single format operation"
      }
    }
    for case .template(let text) in formats.map(\.source) {
      guard let problem = LogQL.Template.problem(text, name: "label") else { continue }
      let label = formats.first { $0.source == .template(text) }!.label
      return "invalid template for label '\(label)': \(problem)"
    }
    return nil
  }

  /// What is wrong with the expression of the `regexp` parser.
  static func regexpParserProblem(_ text: String) -> String? {
    if let problem = RegexCheck.problem(text) { return problem }
    guard let pattern = try? RE2Pattern(RegexCheck.goSyntax(text)) else { return nil }
    var names: Set<String> = []
    for index in stride(from: 1, through: pattern.groupCount, by: 1) {
      guard let name = pattern.groupName(index) else { continue }
      if !names.insert(name).inserted { return "duplicate extracted label name '\(name)'" }
    }
    return names.isEmpty ? "at least one named capture must be supplied" : nil
  }
}
