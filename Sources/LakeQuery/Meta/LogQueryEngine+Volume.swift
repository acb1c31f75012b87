import LakeLogQL
import LakeModel
import LakePorts

extension LogQueryEngine {
  /// Bytes of lines by series or by label.
  ///
  /// By series: samples carry the target labels, without those the labels that the selector names, and where it names
  /// none (`{}`) all labels of the stream. By labels: one sample for each target label, or without those for each label
  /// of the streams, named by it, over the rows that have it. Rows without a target label count in neither.
  /// - Returns: the largest first, at most `limit`; a matrix when a series has several samples.
  package func volume(_ request: VolumeRequest) async throws(QueryError) -> LogQueryResult {
    let selector: LogQL.Selector
    do throws(LogQL.SyntaxError) {
      selector = try LogQL.parseSelector(request.query, allowsEverything: true)
    } catch {
      throw .invalid(error.description)
    }
    let names = try await names(of: selector, request)
    let counted = selector.demanding(request.targetLabels)
    let pieces = try pieces(request)
    return try await looking { context throws(QueryError) in
      let view = try await source.open(
        tenant: request.tenant,
        range: TimeRange(
          after: request.start.signedNanoseconds.subtractingSaturated(1), through: request.end.signedNanoseconds),
        context: context)
      var series: [(labels: LabelSet, series: VolumeSeries)] = []
      var numbers: [LabelSet: Int] = [:]
      for piece in pieces {
        let evaluator = MetricEvaluator(
          blocks: { spec throws(QueryError) in
            try await view.blocks(spec.plan.conditions, in: spec.grid.timeRange)
          }, steps: piece.steps, now: ports.wall.now.signedNanoseconds, context: context)
        let range = LogQL.LogRange(LogQL.LogExpression(selector: counted), interval: piece.interval)
        let found = try await evaluator.evaluate(
          .aggregation(
            LogQL.VectorAggregation(
              .sum, .range(LogQL.RangeAggregation(.bytes, range)), grouping: LogQL.Grouping(names))))
        for one in request.grouping == .series ? found : found.addedUp(byLabels: names) {
          let number = numbers[one.labels] ?? series.count
          if number == series.count {
            numbers[one.labels] = number
            series.append((one.labels, VolumeSeries()))
          }
          for (step, value) in zip(one.steps, one.values) {
            series[number].series.add(value, at: piece.stamp(Int(step)))
          }
        }
      }
      return LogQueryResult(
        data: data(largest(series, request.limit)), statistics: context.statistics, warnings: view.warnings)
    }
  }

  /// The labels that bytes are added up by.
  private func names(of selector: LogQL.Selector, _ request: VolumeRequest) async throws(QueryError) -> [String] {
    if !request.targetLabels.isEmpty { return request.targetLabels }
    if request.grouping == .series, !selector.matchers.isEmpty { return selector.matchers.map(\.name) }
    return try await labels(
      LabelsRequest(tenant: request.tenant, start: request.start, end: request.end, selectors: [request.query]))
  }

  /// The samples of one series of the answer.
  private struct VolumeSeries {
    var times: [Timestamp] = []
    var values: [Double] = []

    mutating func add(_ value: Double, at time: Timestamp) {
      times.append(time)
      values.append(value)
    }
  }

  /// Windows of one length, one after the other.
  private struct VolumePiece {
    let steps: StepGrid
    let interval: Duration
    /// Added to the end of a window to get the time of its sample.
    let shift: Int64

    static let beforeCut: Int64 = 1_000_000

    func stamp(_ index: Int) -> Timestamp { Timestamp(signedNanoseconds: steps.time(index).addingSaturated(shift)) }
  }

  /// The range cut at the multiples of the step, as Loki cuts it: samples are of the last millisecond before the cut, the last one of the end.
  private func pieces(_ request: VolumeRequest) throws(QueryError) -> [VolumePiece] {
    let (start, end) = (request.start.signedNanoseconds, request.end.signedNanoseconds)
    func piece(through last: Int64, _ interval: Int64, shift: Int64) -> VolumePiece {
      VolumePiece(
        steps: StepGrid(start: last, step: 1, count: 1), interval: .nanoseconds(max(1, interval)), shift: shift)
    }
    guard let step = request.step?.nanoseconds else { return [piece(through: end, end - start, shift: 0)] }
    _ = try StepGrid(
      .range(start: request.start, end: request.end, step: .nanoseconds(step), interval: .zero),
      pointsMax: settings.pointsMax)
    let (first, isBeyond) = (start / step + 1).multipliedReportingOverflow(by: step)
    guard !isBeyond, first < end else { return [piece(through: end, end - start + 1, shift: 0)] }
    let whole = (end - 1 - first) / step
    var pieces = [piece(through: first - 1, first - start, shift: 1 - VolumePiece.beforeCut)]
    if whole > 0 {
      pieces.append(
        VolumePiece(
          steps: StepGrid(start: first + step - 1, step: step, count: Int(whole)), interval: .nanoseconds(step),
          shift: 1 - VolumePiece.beforeCut))
    }
    pieces.append(piece(through: end, end - first - whole * step + 1, shift: 0))
    return pieces
  }

  private func largest(
    _ series: [(labels: LabelSet, series: VolumeSeries)], _ limit: Int
  ) -> [(labels: LabelSet, series: VolumeSeries)] {
    let totals = series.map { $0.series.values.reduce(0, +) }
    let order = series.indices.sorted { totals[$0] == totals[$1] ? $0 < $1 : totals[$0] > totals[$1] }
    return order.prefix(max(0, limit)).map { series[$0] }
  }

  /// A vector as long as no series has two samples.
  private func data(_ series: [(labels: LabelSet, series: VolumeSeries)]) -> LogQueryResult.Data {
    if series.allSatisfy({ $0.series.times.count == 1 }) {
      return .vector(
        series.map { VectorSample(labels: $0.labels, time: $0.series.times[0], value: $0.series.values[0]) })
    }
    return .matrix(series.map { SampleSeries(labels: $0.labels, times: $0.series.times, values: $0.series.values) })
  }
}

extension LogQL.Selector {
  /// Only rows that have these labels; what the selector says of one of them stays as it is.
  fileprivate func demanding(_ names: [String]) -> LogQL.Selector {
    let named = Set(matchers.map(\.name))
    let missing = Set(names).subtracting(named).sorted()
    return LogQL.Selector(matchers + missing.map { LogQL.Matcher($0, .matches, ".+") })
  }
}

extension [GridSeries] {
  /// One series for each of the labels, over the series that have it.
  fileprivate func addedUp(byLabels names: [String]) -> [GridSeries] {
    Set(names).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.compactMap { name in
      var totals: [Int32: Double] = [:]
      for series in self where series.labels[name] != nil {
        for (step, value) in zip(series.steps, series.values) { totals[step, default: 0] += value }
      }
      if totals.isEmpty { return nil }
      var added = GridSeries(labels: LabelSet(nameOnly: name))
      for (step, value) in totals.sorted(by: { $0.key < $1.key }) { added.append(Int(step), value) }
      return added
    }
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
