import LakeLogQL

/// Combines two vectors sample by sample where their labels match.
struct VectorMatcher {
  let expression: LogQL.BinaryOperation
  let steps: StepGrid

  private struct Sides {
    /// Series of the two sides by the number of their matching labels.
    var left: [[Int]]
    var right: [[Int]]
  }

  func apply(_ left: [GridSeries], _ right: [GridSeries]) throws(QueryError) -> [GridSeries] {
    let sides = matched(left, right)
    switch expression.operation {
    case .and: return filtered(left, by: right, sides, keepsMatched: true)
    case .unless: return filtered(left, by: right, sides, keepsMatched: false)
    case .or:
      let swapped = Sides(left: sides.right, right: sides.left)
      return left + filtered(right, by: left, swapped, keepsMatched: false)
    default: return try merged(left, right, sides)
    }
  }

  private func matched(_ left: [GridSeries], _ right: [GridSeries]) -> Sides {
    let names = expression.matching.labels.map { Array($0.utf8) }
    var table = SeriesTable()
    func number(_ series: GridSeries) -> Int {
      table.number(of: expression.matching.isOn ? series.labels.keeping(names) : series.labels.dropping(names))
    }
    let leftNumbers = left.map(number)
    let rightNumbers = right.map(number)
    var sides = Sides(
      left: [[Int]](repeating: [], count: table.count), right: [[Int]](repeating: [], count: table.count))
    for (index, number) in leftNumbers.enumerated() { sides.left[number].append(index) }
    for (index, number) in rightNumbers.enumerated() { sides.right[number].append(index) }
    return sides
  }

  // MARK: - Sets

  /// The samples of `series` at whose step the other side has a match, or has none.
  private func filtered(
    _ series: [GridSeries], by other: [GridSeries], _ sides: Sides, keepsMatched: Bool
  ) -> [GridSeries] {
    var out = series.map { GridSeries(labels: $0.labels) }
    for (members, others) in zip(sides.left, sides.right) where !members.isEmpty {
      var isMatched = [Bool](repeating: false, count: steps.count)
      for index in others { for step in other[index].steps { isMatched[Int(step)] = true } }
      for index in members {
        for (step, value) in zip(series[index].steps, series[index].values)
        where isMatched[Int(step)] == keepsMatched {
          out[index].append(Int(step), value)
        }
      }
    }
    return out.filter { !$0.steps.isEmpty }
  }

  // MARK: - Arithmetic and comparison

  private func merged(_ left: [GridSeries], _ right: [GridSeries], _ sides: Sides) throws(QueryError) -> [GridSeries] {
    let isOneToMany = expression.matching.cardinality == .oneToMany
    // From here on "many" is the side whose series stay apart, "one" the other.
    let (many, one) = isOneToMany ? (right, left) : (left, right)
    let (manyOf, oneOf) = isOneToMany ? (sides.right, sides.left) : (sides.left, sides.right)
    var out: [GridSeries] = []
    for (members, others) in zip(manyOf, oneOf) where !others.isEmpty {
      let single = try unique(others.map { one[$0] }, isOneToMany: isOneToMany)
      var results: [LabelSet: [Bool]] = [:]
      var isTaken = [Bool](repeating: false, count: steps.count)
      for index in members {
        try combine(many[index], single, isOneToMany, taken: &isTaken, results: &results, into: &out)
      }
    }
    return out.sortedByLabels().joinedByLabels()
  }

  /// One value per step and the labels it has; an error when two series of the "one" side meet at a step.
  private func unique(
    _ series: [GridSeries], isOneToMany: Bool
  ) throws(QueryError) -> [(value: Double, labels: LabelSet)?] {
    var cells = [(value: Double, labels: LabelSet)?](repeating: nil, count: steps.count)
    for one in series {
      for (step, value) in zip(one.steps, one.values) {
        guard cells[Int(step)] == nil else {
          throw .invalid(
            "found duplicate series on the \(isOneToMany ? "left" : "right") hand-side"
              + ";many-to-many matching not allowed: matching labels must be unique on one side")
        }
        cells[Int(step)] = (value, one.labels)
      }
    }
    return cells
  }

  private func combine(
    _ series: GridSeries, _ single: [(value: Double, labels: LabelSet)?], _ isOneToMany: Bool, taken: inout [Bool],
    results: inout [LabelSet: [Bool]], into out: inout [GridSeries]
  ) throws(QueryError) {
    let operation = BinaryOperator(expression)
    var byLabels: [LabelSet: Int] = [:]
    for (step32, value) in zip(series.steps, series.values) {
      let step = Int(step32)
      guard let other = single[step] else { continue }
      let labels = resultLabels(series.labels, other.labels)
      if expression.matching.cardinality == .oneToOne {
        guard !taken[step] else {
          throw .invalid(
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
        }
        taken[step] = true
      } else {
        guard results[labels]?[step] != true else {
          throw .invalid("multiple matches for labels: grouping labels must ensure unique matches")
        }
        results[labels, default: [Bool](repeating: false, count: steps.count)][step] = true
      }
      let (a, b) = isOneToMany ? (other.value, value) : (value, other.value)
      guard let result = operation.apply(a, b, kept: a) else { continue }
      if byLabels[labels] == nil {
        byLabels[labels] = out.count
        out.append(GridSeries(labels: labels))
      }
      out[byLabels[labels]!].append(step, result)
    }
  }

  private func resultLabels(_ many: LabelSet, _ one: LabelSet) -> LabelSet {
    let matching = expression.matching
    var labels = many
    if matching.cardinality == .oneToOne {
      let names = matching.labels.map { Array($0.utf8) }
      labels = matching.isOn ? labels.keeping(names) : labels.dropping(names)
    }
    for name in matching.include { labels = labels.setting(name, to: one.value(Array(name.utf8)) ?? []) }
    return labels.withoutEmptyValues()
  }
}

extension Array where Element == GridSeries {
  /// Series with equal labels, next to each other and without a common step, become one.
  func joinedByLabels() -> [GridSeries] {
    var out: [GridSeries] = []
    for series in self {
      guard let last = out.last, last.labels == series.labels else {
        out.append(series)
        continue
      }
      let samples = (Array<(Int32, Double)>(zip(last.steps, last.values)) + zip(series.steps, series.values))
        .sorted { $0.0 < $1.0 }
      out[out.count - 1].steps = samples.map(\.0)
      out[out.count - 1].values = samples.map(\.1)
    }
    return out
  }
}
