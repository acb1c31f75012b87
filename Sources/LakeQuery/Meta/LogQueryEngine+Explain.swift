import LakeLogQL
import LakeModel
import LakeRegex

extension LogQueryEngine {
  /// What the query would read, as lines of text: the plan, then what pruning leaves of files and row groups.
  package func explain(_ request: LogQueryRequest) async throws(QueryError) -> [String] {
    let parsed = try parse(request)
    return try await looking { context throws(QueryError) in
      var lines = ["query: \(parsed.description)"]
      switch parsed {
      case .logs(let expression):
        guard case .range(let start, let end, _, _) = request.span else {
          throw LogQueryEngine.logsNeedRange
        }
        let range = TimeRange(start: start.signedNanoseconds, end: end.signedNanoseconds)
        lines.append("logs: \(request.direction), limit \(request.limit > 0 ? request.limit : settings.entriesDefault)")
        lines += try await explain(try LogPlan(expression), range, request.tenant, context)
      case .metric(let expression):
        let steps = try StepGrid(request.span, pointsMax: settings.pointsMax)
        lines.append("metric: \(steps.count) evaluations")
        for (aggregation, outer) in expression.ranges {
          let spec = try SampleSpec(aggregation, sumBy: outer?.grouping, isSummed: outer != nil, steps: steps)
          lines.append("range aggregation: \(aggregation.operation.rawValue), series \(spec.grouping)")
          lines += try await explain(spec.plan, spec.grid.timeRange, request.tenant, context).map { "  \($0)" }
        }
      case .variants: throw .invalid("multi variant queries are disabled for this instance")
      }
      return lines
    }
  }

  private func explain(
    _ plan: LogPlan, _ range: TimeRange, _ tenant: TenantID, _ context: QueryContext
  ) async throws(QueryError) -> [String] {
    let before = context.statistics
    let view = try await source.open(tenant: tenant, range: range, context: context)
    let blocks = try await view.blocks(plan.conditions, in: range)
    let after = context.statistics
    var lines = ["tenant: \(tenant)", "time: \(range.start) ..< \(range.end) ns"]
    for condition in plan.conditions { lines.append("label condition: \(condition)") }
    for matcher in plan.lines { lines.append("line filter: \(matcher)") }
    if !plan.stages.isEmpty { lines.append("row pipeline: \(plan.stages.count) stages") }
    let files = after.filesTotal - before.filesTotal
    let groups = after.rowGroupsTotal - before.rowGroupsTotal
    lines.append("data files: \(files - (after.filesPruned - before.filesPruned)) of \(files)")
    lines.append("wal segments: \(after.segmentsTotal - before.segmentsTotal)")
    lines.append("row groups: \(blocks.count) of \(groups)")
    lines.append("rows: \(blocks.reduce(0) { $0 + $1.rowCount })")
    lines += view.warnings.map { "warning: \($0)" }
    return lines
  }
}

extension LogQL.MetricExpression {
  /// Every range aggregation, with the sum around it that its rows may be put into at once.
  var ranges: [(LogQL.RangeAggregation, LogQL.VectorAggregation?)] {
    switch self {
    case .literal, .vector: return []
    case .range(let aggregation): return [(aggregation, nil)]
    case .aggregation(let outer):
      if outer.operation == .sum, case .range(let range) = outer.operand, range.grouping == nil,
        SampleSpec.mayPushSum(range.operation)
      {
        return [(range, outer)]
      }
      return outer.operand.ranges
    case .binary(let operation): return operation.left.ranges + operation.right.ranges
    case .labelReplace(let replace): return replace.operand.ranges
    }
  }
}

extension LabelCondition: CustomStringConvertible {
  var description: String {
    switch self {
    case .value(let label, let test): "\(label.name) \(test)"
    case .quantity(let label, let test): "\(label.name) \(test)"
    case .and(let left, let right): "(\(left) and \(right))"
    case .or(let left, let right): "(\(left) or \(right))"
    }
  }
}

extension ValueTest: CustomStringConvertible {
  var description: String {
    let not = isNegated ? "not " : ""
    switch kind {
    case .anything: return not + "anything"
    case .nonEmpty: return not + "present"
    case .oneOf(let values):
      return not + "one of [" + values.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ", ") + "]"
    case .matches(let expression): return not + "matching \(expression.text)"
    }
  }
}

extension QuantityTest: CustomStringConvertible {
  var description: String {
    switch self {
    case .number(let comparison, let value): "\(comparison.rawValue) \(value)"
    case .duration(let comparison, let value): "\(comparison.rawValue) \(value) ns"
    case .bytes(let comparison, let value): "\(comparison.rawValue) \(value) bytes"
    case .ip(_, let isNegated): isNegated ? "outside an address range" : "inside an address range"
    }
  }
}

extension LineMatcher: CustomStringConvertible {
  var description: String { text }
}
