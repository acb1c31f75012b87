import LakeLogQL
import LakeModel
import LakePorts

extension LogQueryEngine {
  /// Bytes of lines by series or by label.
  ///
  /// By series: samples carry the target labels, or without those the labels that the selector names. By labels: one
  /// sample for each of these labels, named by it, over the rows that have it.
  /// - Returns: a vector without `VolumeRequest.step`, a matrix with it; the largest first, at most `limit`.
  package func volume(_ request: VolumeRequest) async throws(QueryError) -> LogQueryResult {
    let selector: LogQL.Selector
    do throws(LogQL.SyntaxError) {
      selector = try LogQL.parseSelector(request.query, allowsEverything: true)
    } catch {
      throw .invalid(error.description)
    }
    let names = request.targetLabels.isEmpty ? selector.matchers.map(\.name) : request.targetLabels
    let steps = try steps(request)
    return try await looking { context throws(QueryError) in
      let interval = Duration.nanoseconds(
        steps.count == 1
          ? max(1, request.end.signedNanoseconds - request.start.signedNanoseconds) : steps.step)
      let view = try await source.open(
        tenant: request.tenant,
        range: PaneGrid(steps: steps, range: interval.nanoseconds, offset: 0).timeRange, context: context)
      let evaluator = MetricEvaluator(
        blocks: { spec throws(QueryError) in
          try await view.blocks(spec.plan.conditions, in: spec.grid.timeRange)
        }, steps: steps, now: ports.wall.now.signedNanoseconds, context: context)
      func bytes(_ selector: LogQL.Selector, by labels: [String]) async throws(QueryError) -> [GridSeries] {
        let range = LogQL.LogRange(LogQL.LogExpression(selector: selector), interval: interval)
        return try await evaluator.evaluate(
          .aggregation(
            LogQL.VectorAggregation(
              .sum, .range(LogQL.RangeAggregation(.bytes, range)), grouping: LogQL.Grouping(labels))))
      }
      var series: [GridSeries] = []
      switch request.grouping {
      case .series: series = try await bytes(selector, by: names)
      case .labels:
        for name in SeriesGrouping.sorted(names) {
          let present = LogQL.Selector(selector.matchers + [LogQL.Matcher(name, .matches, ".+")])
          for one in try await bytes(present, by: []) {
            var labelled = one
            labelled.labels = LabelSet(nameOnly: name)
            series.append(labelled)
          }
        }
      }
      return LogQueryResult(
        data: data(largest(series, request.limit), steps, request), statistics: context.statistics,
        warnings: view.warnings)
    }
  }

  private func steps(_ request: VolumeRequest) throws(QueryError) -> StepGrid {
    guard let step = request.step else {
      return try StepGrid(.instant(at: request.end), pointsMax: settings.pointsMax)
    }
    return try StepGrid(
      .range(start: request.start, end: request.end, step: step, interval: .zero), pointsMax: settings.pointsMax)
  }

  private func largest(_ series: [GridSeries], _ limit: Int) -> [GridSeries] {
    let totals = series.map { $0.values.reduce(0, +) }
    let order = series.indices.sorted { totals[$0] == totals[$1] ? $0 < $1 : totals[$0] > totals[$1] }
    return order.prefix(max(0, limit)).map { series[$0] }
  }

  private func data(_ series: [GridSeries], _ steps: StepGrid, _ request: VolumeRequest) -> LogQueryResult.Data {
    if request.step == nil {
      return .vector(series.map { VectorSample(labels: $0.labels, time: request.end, value: $0.values[0]) })
    }
    return .matrix(
      series.map { one in
        SampleSeries(
          labels: one.labels, times: one.steps.map { Timestamp(signedNanoseconds: steps.time(Int($0))) },
          values: one.values)
      })
  }
}

extension LabelSet {
  /// A label with an empty value, which names a label rather than a series.
  fileprivate init(nameOnly name: String) {
    var packer = LabelPacker()
    packer.begin()
    packer.append(name: Array(name.utf8), value: UnsafeRawBufferPointer(start: nil, count: 0))
    self = packer.set
  }
}
