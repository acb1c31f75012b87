/// A selector and stages, printed and run.
struct SlowLogs {
  var matchers: [SlowMatcher]
  var stages: [SlowStage]

  var text: String {
    (["{" + matchers.map(\.text).joined(separator: ", ") + "}"] + stages.map(\.text)).joined(separator: " ")
  }

  /// The row as the pipeline leaves it; nil when it does not stay.
  func run(_ row: TestRow, _ hints: SlowHints = .none) -> SlowRow? {
    let usable = row.usable
    guard matchers.allSatisfy({ $0.holds(usable[$0.name] ?? "") }) else { return nil }
    var row = SlowRow(row)
    for stage in stages where !stage.run(&row, hints) { return nil }
    return row
  }

  /// The first entries in the direction; rows have times of their own.
  func run(_ rows: [TestRow], start: Int64, end: Int64, limit: Int, isBackward: Bool) -> [SlowRow] {
    let kept = rows.filter { $0.time >= start && $0.time < end }.compactMap { run($0) }
    return Array(kept.sorted { isBackward ? $0.time > $1.time : $0.time < $1.time }.prefix(limit))
  }
}

struct SlowUnwrap {
  var label: String
  /// nil: a number.
  var conversion: String?
  var filters: [SlowFilter] = []

  var text: String {
    "| unwrap " + (conversion.map { "\($0)(\(label))" } ?? label) + filters.map { " | " + $0.text }.joined()
  }
}

struct SlowGrouping {
  var names: [String]
  var isWithout = false

  var text: String { "\(isWithout ? "without" : "by") (\(names.joined(separator: ",")))" }

  func apply(_ labels: [String: String]) -> [String: String] {
    labels.filter { names.contains($0.key) != isWithout }
  }
}

/// `max_over_time({...} | unwrap x [1m] offset 5s) by (a)`.
struct SlowRange {
  var operation: String
  var parameter: Double?
  var logs: SlowLogs
  var unwrap: SlowUnwrap?
  /// Nanoseconds.
  var interval: Int64
  var offset: Int64 = 0
  var grouping: SlowGrouping?

  var text: String {
    operation + "(" + (parameter.map { "\($0), " } ?? "") + logs.text + " " + (unwrap.map { $0.text + " " } ?? "")
      + "[\(interval / 1_000_000)ms]" + (offset == 0 ? "" : " offset \(offset / 1_000_000)ms") + ")"
      + (grouping.map { " " + $0.text } ?? "")
  }

  struct Sample {
    var time: Int64
    var labels: [String: String]
    var value: Double
    /// Whether the row's error makes the query fail.
    var isError: Bool
  }

  /// Samples of all rows, ascending by time, in the series that they belong to.
  ///
  /// - Parameter outer: the grouping of a sum right around; nil inside: none was written.
  func samples(_ rows: [TestRow], outer: SlowGrouping??) -> [Sample] {
    var grouping = self.grouping
    if grouping == nil, let outer,
      ["count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time"].contains(operation)
    {
      grouping = outer ?? SlowGrouping(names: [])
    }
    if operation == "absent_over_time" { grouping = SlowGrouping(names: []) }
    let hints = hints(grouping)
    return rows.compactMap { row in
      guard var row = logs.run(row, hints), let value = value(&row) else { return nil }
      var labels = row.shown
      if row.error.isEmpty {
        if let grouping { labels = grouping.apply(labels) }
        if let unwrap, grouping == nil || grouping!.isWithout { labels[unwrap.label] = nil }
      }
      return Sample(
        time: row.time, labels: labels, value: value, isError: !row.error.isEmpty && !row.preservesError)
    }.sorted { $0.time < $1.time }
  }

  private func hints(_ grouping: SlowGrouping?) -> SlowHints {
    guard let grouping, !grouping.isWithout else { return .none }
    var names = Set(grouping.names)
    for stage in logs.stages { names.formUnion(stage.names) }
    if let unwrap {
      names.insert(unwrap.label)
      for filter in unwrap.filters { names.formUnion(filter.names) }
    }
    for name in names where name.hasSuffix("_extracted") { names.insert(String(name.dropLast(10))) }
    return SlowHints(required: names.isEmpty ? nil : names, isNothing: names.isEmpty)
  }

  private func value(_ row: inout SlowRow) -> Double? {
    guard let unwrap else { return operation.hasPrefix("bytes") ? Double(row.line.utf8.count) : 1 }
    guard let text = row.labels[unwrap.label]?.value, !text.isEmpty else { return nil }
    var value = 0.0
    do throws(SlowValues.Unreadable) {
      value =
        switch unwrap.conversion {
        case nil: try SlowValues.number(text)
        case "bytes": try SlowValues.bytes(text)
        default: try SlowValues.duration(text) / 1e9
        }
    } catch {
      row.fail("SampleExtractionErr", error.message)
    }
    for filter in unwrap.filters where !filter.keeps(&row) { return nil }
    return value
  }

  // MARK: - Windows

  func at(_ time: Int64, _ samples: [Sample]) throws(SlowMetric.Failure) -> [[String: String]: Double] {
    let end = time - offset
    let inside = samples.filter { $0.time > end - interval && $0.time <= end }
    if inside.contains(where: \.isError) { throw .refused }
    if operation == "absent_over_time" { return inside.isEmpty ? [absentLabels: 1] : [:] }
    return Dictionary(grouping: inside, by: \.labels).mapValues { fold($0, end) }
  }

  private var absentLabels: [String: String] {
    var out: [String: String] = [:]
    var unclear: Set<String> = []
    for matcher in logs.matchers {
      if case .equal(let value) = matcher.test, !matcher.isNegated, out[matcher.name] == nil {
        out[matcher.name] = value
      } else {
        unclear.insert(matcher.name)
      }
    }
    return out.filter { !unclear.contains($0.key) && !$0.value.isEmpty }
  }

  private func fold(_ samples: [Sample], _ end: Int64) -> Double {
    let values = samples.map(\.value)
    let seconds = Double(interval) / 1e9
    let total = values.reduce(0, +)
    let mean = total / Double(values.count)
    let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)
    switch operation {
    case "count_over_time": return Double(values.count)
    case "rate": return (unwrap == nil ? Double(values.count) : total) / seconds
    case "bytes_over_time", "sum_over_time": return total
    case "bytes_rate": return total / seconds
    case "avg_over_time": return mean
    case "max_over_time": return values.max()!
    case "min_over_time": return values.min()!
    case "stdvar_over_time": return variance
    case "stddev_over_time": return variance.squareRoot()
    case "first_over_time": return values.first!
    case "last_over_time": return values.last!
    case "quantile_over_time":
      let (q, sorted) = (parameter!, values.sorted())
      if q < 0 { return -.infinity }
      if q > 1 { return .infinity }
      let rank = q * Double(sorted.count - 1)
      let low = Int(rank)
      return sorted[low] + (sorted[min(sorted.count - 1, low + 1)] - sorted[low]) * (rank - Double(low))
    case "rate_counter": return counterRate(samples, end, seconds)
    default: fatalError("unknown \(operation)")
    }
  }

  /// The increase between the first and the last sample, prolonged to the ends of the window as Prometheus does it.
  private func counterRate(_ samples: [Sample], _ end: Int64, _ seconds: Double) -> Double {
    guard samples.count > 1 else { return 0 }
    var increase = 0.0
    for (a, b) in zip(samples, samples.dropFirst()) { increase += b.value >= a.value ? b.value - a.value : b.value }
    let covered = Double(samples.last!.time - samples[0].time) / 1e9
    let gap = covered / Double(samples.count - 1)
    var before = Double(samples[0].time - (end - interval)) / 1e9
    var after = Double(end - samples.last!.time) / 1e9
    if before >= gap * 1.1 { before = gap / 2 }
    if after >= gap * 1.1 { after = gap / 2 }
    if increase > 0 && samples[0].value >= 0 { before = min(before, covered * samples[0].value / increase) }
    return increase * (covered + before + after) / covered / seconds
  }
}
