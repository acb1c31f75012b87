import LakeLogQL

/// `sum by (a) (...)` and its like: series of a group become one, or some of them are chosen.
struct VectorAggregator {
  let aggregation: LogQL.VectorAggregation
  let steps: StepGrid

  func apply(_ series: [GridSeries]) -> [GridSeries] {
    let grouping = VectorGrouping(series, by: aggregation.grouping)
    switch aggregation.operation {
    case .topK, .approximateTopK: return chosen(series, grouping, precedes: VectorAggregator.isBefore(>))
    case .bottomK: return chosen(series, grouping, precedes: VectorAggregator.isBefore(<))
    case .sort: return ordered(series, precedes: VectorAggregator.isBefore(<))
    case .sortDescending: return ordered(series, precedes: VectorAggregator.isBefore(>))
    default: return folded(series, grouping)
    }
  }

  // MARK: - One series per group

  private struct Cell {
    var count = 0
    var value = 0.0
    var mean = 0.0
  }

  private func folded(_ series: [GridSeries], _ grouping: VectorGrouping) -> [GridSeries] {
    var members = [[Int]](repeating: [], count: grouping.labels.count)
    for (index, group) in grouping.groupOf.enumerated() { members[group].append(index) }
    return members.enumerated().map { group, members in
      var cells = [Cell](repeating: Cell(), count: steps.count)
      for index in members {
        for (step, value) in zip(series[index].steps, series[index].values) { add(value, to: &cells[Int(step)]) }
      }
      var out = GridSeries(labels: grouping.labels[group])
      for step in cells.indices where cells[step].count > 0 { out.append(step, result(cells[step])) }
      return out
    }.filter { !$0.steps.isEmpty }
  }

  private func add(_ value: Double, to cell: inout Cell) {
    cell.count += 1
    if cell.count == 1 {
      cell.mean = value
      cell.value = aggregation.operation == .deviation || aggregation.operation == .variance ? 0 : value
      return
    }
    switch aggregation.operation {
    case .sum: cell.value += value
    case .max: if cell.value < value || cell.value.isNaN { cell.value = value }
    case .min: if cell.value > value || cell.value.isNaN { cell.value = value }
    case .average:
      // An infinite mean stays, unless the other infinity or NaN comes.
      if cell.mean.isInfinite && (value.isInfinite ? (cell.mean > 0) == (value > 0) : !value.isNaN) { return }
      cell.mean += (value - cell.mean) / Double(cell.count)
    case .deviation, .variance:
      let delta = value - cell.mean
      cell.mean += delta / Double(cell.count)
      cell.value += delta * (value - cell.mean)
    default: break
    }
  }

  private func result(_ cell: Cell) -> Double {
    switch aggregation.operation {
    case .average: cell.mean
    case .count: Double(cell.count)
    case .deviation: (cell.value / Double(cell.count)).squareRoot()
    case .variance: cell.value / Double(cell.count)
    default: cell.value
    }
  }

  // MARK: - Some series of each group

  /// The order of `compare`, NaN after every number: so the heaps of Loki choose and sort.
  private static func isBefore(_ compare: @escaping (Double, Double) -> Bool) -> (Double, Double) -> Bool {
    { a, b in !a.isNaN && (b.isNaN || compare(a, b)) }
  }

  /// At each step the `parameter` first samples of each group; of equal ones those of the first series.
  private func chosen(
    _ series: [GridSeries], _ grouping: VectorGrouping, precedes: (Double, Double) -> Bool
  ) -> [GridSeries] {
    guard aggregation.parameter > 0 else { return [] }
    var byStep = [[(series: Int, value: Double)]](repeating: [], count: steps.count)
    for (index, one) in series.enumerated() {
      for (step, value) in zip(one.steps, one.values) { byStep[Int(step)].append((index, value)) }
    }
    var out = series.map { GridSeries(labels: $0.labels) }
    for (step, samples) in byStep.enumerated() where !samples.isEmpty {
      let sorted = samples.sorted { a, b in
        precedes(a.value, b.value) || (!precedes(b.value, a.value) && a.series < b.series)
      }
      var taken = [Int](repeating: 0, count: grouping.labels.count)
      for sample in sorted where taken[grouping.groupOf[sample.series]] < aggregation.parameter {
        taken[grouping.groupOf[sample.series]] += 1
        out[sample.series].append(step, sample.value)
      }
    }
    return out.filter { !$0.steps.isEmpty }
  }

  /// All series in the order of their values at the only step; over several steps the order means nothing.
  private func ordered(_ series: [GridSeries], precedes: (Double, Double) -> Bool) -> [GridSeries] {
    guard steps.count == 1 else { return series }
    let order = series.indices.sorted { a, b in
      let (left, right) = (series[a].values[0], series[b].values[0])
      return precedes(left, right) || (!precedes(right, left) && a < b)
    }
    return order.map { series[$0] }
  }
}
