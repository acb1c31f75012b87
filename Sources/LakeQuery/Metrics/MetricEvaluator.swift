import LakeLogQL
import LakeRegex

/// Evaluates a metric expression over the steps of a query.
struct MetricEvaluator: Sendable {
  /// Gives the blocks that a range aggregation must look at.
  let blocks: @Sendable (SampleSpec) async throws(QueryError) -> [any LogBlock]
  let steps: StepGrid
  /// Nanoseconds, for `now` in templates.
  let now: Int64
  let context: QueryContext
  /// Series that a range aggregation may have.
  var seriesMax = Int.max

  /// - Returns: series in ascending order of labels, or in the order that `sort` asks for.
  func evaluate(_ expression: LogQL.MetricExpression) async throws(QueryError) -> [GridSeries] {
    try context.check()
    switch expression {
    case .literal(let value), .vector(let value): return [constant(value)]
    case .range(let aggregation): return try await range(aggregation, sumBy: nil, isSummed: false)
    case .aggregation(let aggregation): return try await vector(aggregation)
    case .binary(let operation): return try await binary(operation)
    case .labelReplace(let replace):
      return try LabelReplacer(replace).apply(try await evaluate(replace.operand)).sortedByLabels()
    }
  }

  /// Accounts for the series of a result and no longer for those it was made of.
  private func held(
    _ series: [GridSeries], instead operand: [GridSeries] = [], isCounted: Bool = false
  ) throws(QueryError) -> [GridSeries] {
    if !isCounted { try context.hold(bytes: series.memoryBytes) }
    try context.hold(bytes: -operand.memoryBytes)
    return series
  }

  private func constant(_ value: Double) -> GridSeries {
    var series = GridSeries(labels: .empty)
    for step in 0..<steps.count { series.append(step, value) }
    return series
  }

  private func range(
    _ aggregation: LogQL.RangeAggregation, sumBy outer: LogQL.Grouping?, isSummed: Bool
  ) async throws(QueryError) -> [GridSeries] {
    let spec = try SampleSpec(aggregation, sumBy: outer, isSummed: isSummed, steps: steps)
    let seriesMax = aggregation.operation == .absent ? Int.max : seriesMax
    let series = try await RangeRun(spec: spec, now: now, context: context, seriesMax: seriesMax)
      .evaluate(try await blocks(spec))
    return try held(aggregation.operation == .absent ? absent(series, aggregation) : series)
  }

  private func vector(_ aggregation: LogQL.VectorAggregation) async throws(QueryError) -> [GridSeries] {
    let operand: [GridSeries]
    if aggregation.operation == .sum, case .range(let range) = aggregation.operand, range.grouping == nil,
      SampleSpec.mayPushSum(range.operation)
    {
      operand = try await self.range(range, sumBy: aggregation.grouping, isSummed: true)
    } else {
      operand = try await evaluate(aggregation.operand)
    }
    // Samples are put in order by step.
    let scratch = operand.reduce(0) { $0 + $1.steps.count } * 48
    try context.hold(bytes: scratch)
    let result = VectorAggregator(aggregation: aggregation, steps: steps).apply(operand)
    try context.hold(bytes: -scratch)
    return try held(
      aggregation.operation == .sort || aggregation.operation == .sortDescending ? result : result.sortedByLabels(),
      instead: operand)
  }

  private func binary(_ operation: LogQL.BinaryOperation) async throws(QueryError) -> [GridSeries] {
    if case .literal(let value) = operation.left {
      return map(try await evaluate(operation.right), operation) { (value, $0) }
    }
    if case .literal(let value) = operation.right {
      return map(try await evaluate(operation.left), operation) { ($0, value) }
    }
    let left = try await evaluate(operation.left)
    let right = try await evaluate(operation.right)
    // Which steps of which series are taken.
    let scratch = (left.count + right.count) * (steps.count + 64)
    try context.hold(bytes: scratch)
    let result = try VectorMatcher(expression: operation, steps: steps).apply(left, right).sortedByLabels()
    try context.hold(bytes: -scratch)
    return try held(try held(result, instead: left), instead: right, isCounted: true)
  }

  /// A number on one side: every sample is combined with it and keeps its labels.
  private func map(
    _ series: [GridSeries], _ expression: LogQL.BinaryOperation, _ operands: (Double) -> (Double, Double)
  ) -> [GridSeries] {
    let operation = BinaryOperator(expression)
    return series.map { one in
      var out = GridSeries(labels: one.labels)
      for (step, value) in zip(one.steps, one.values) {
        let (a, b) = operands(value)
        if let result = operation.apply(a, b, kept: value) { out.append(Int(step), result) }
      }
      return out
    }.filter { !$0.steps.isEmpty }
  }

  /// One series at the steps whose windows hold no sample, with the labels that the selector's equalities give it.
  private func absent(_ series: [GridSeries], _ aggregation: LogQL.RangeAggregation) -> [GridSeries] {
    var isPresent = [Bool](repeating: false, count: steps.count)
    for one in series { for step in one.steps { isPresent[Int(step)] = true } }
    var labels: [(name: String, value: String)] = []
    var unclear = Set<String>()
    for matcher in aggregation.range.logs.selector.matchers {
      if matcher.operation == .equal && !labels.contains(where: { $0.name == matcher.name }) {
        labels.append((matcher.name, matcher.value))
      } else {
        unclear.insert(matcher.name)
      }
    }
    var out = GridSeries(labels: LabelSet(labels.filter { !unclear.contains($0.name) }))
    for step in 0..<steps.count where !isPresent[step] { out.append(step, 1) }
    return out.steps.isEmpty ? [] : [out]
  }
}

extension [GridSeries] {
  /// Bytes held, about.
  var memoryBytes: Int { reduce(0) { $0 + $1.memoryBytes } }
}

/// `label_replace`.
struct LabelReplacer {
  private let replace: LogQL.LabelReplace
  private let expression: RE2Pattern
  private let template: ExpansionTemplate

  init(_ replace: LogQL.LabelReplace) throws(QueryError) {
    self.replace = replace
    // The whole value, and `.` takes newlines.
    do { expression = try RE2Pattern("^(?s:\(replace.regex))$") } catch {
      throw .invalid("invalid regex in label_replace: \(error.message)")
    }
    template = ExpansionTemplate(replace.replacement, expression)
  }

  func apply(_ series: [GridSeries]) -> [GridSeries] {
    series.map { one in
      let source = one.labels.value(Array(replace.source.utf8)) ?? []
      let value = source.withUnsafeBytes { text in
        expression.groups(in: text).map { template.expand($0, text) }
      }
      guard let value else { return one }
      var out = one
      out.labels = one.labels.setting(replace.destination, to: value).withoutEmptyValues()
      return out
    }
  }
}

/// `$1`, `${name}` and `$$` in a replacement, as Go's `Regexp.Expand` reads them.
struct ExpansionTemplate: Sendable {
  private enum Part: Sendable {
    case text([UInt8])
    case group(Int)
  }
  private let parts: [Part]

  init(_ template: String, _ expression: RE2Pattern) {
    let text = Array(template.utf8)
    var parts: [Part] = []
    var literal: [UInt8] = []
    var at = 0
    func isWord(_ byte: UInt8) -> Bool { ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "_") }
    while at < text.count {
      guard text[at] == UInt8(ascii: "$"), at + 1 < text.count else {
        literal.append(text[at])
        at += 1
        continue
      }
      if text[at + 1] == UInt8(ascii: "$") {
        literal.append(text[at])
        at += 2
        continue
      }
      let isBraced = text[at + 1] == UInt8(ascii: "{")
      let start = at + (isBraced ? 2 : 1)
      var end = start
      while end < text.count, isWord(text[end]) { end += 1 }
      guard end > start, !isBraced || (end < text.count && text[end] == UInt8(ascii: "}")) else {
        literal.append(text[at])
        at += 1
        continue
      }
      if !literal.isEmpty { parts.append(.text(literal)) }
      literal = []
      let name = String(decoding: text[start..<end], as: UTF8.self)
      if let number = Int(name), name.utf8.allSatisfy(ASCII.isDigit) {
        if number <= expression.groupCount { parts.append(.group(number)) }
      } else if expression.groupCount > 0,
        let number = (1...expression.groupCount).first(where: { expression.groupName($0) == name })
      {
        parts.append(.group(number))
      }
      at = end + (isBraced ? 1 : 0)
    }
    if !literal.isEmpty { parts.append(.text(literal)) }
    self.parts = parts
  }

  func expand(_ groups: [Range<Int>?], _ text: UnsafeRawBufferPointer) -> [UInt8] {
    var out: [UInt8] = []
    for part in parts {
      switch part {
      case .text(let bytes): out += bytes
      case .group(let number): if let range = groups[number] { out += text[range] }
      }
    }
    return out
  }
}
