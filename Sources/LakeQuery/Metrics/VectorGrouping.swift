import LakeLogQL

/// Which series of a vector are aggregated together.
struct VectorGrouping {
  /// The group of each series, as a number in `labels`.
  let groupOf: [Int]
  /// Labels of each group.
  let labels: [LabelSet]

  /// - Parameter grouping: nil puts all series into one group.
  init(_ series: [GridSeries], by grouping: LogQL.Grouping?) {
    let names = (grouping?.labels ?? []).map { Array($0.utf8) }
    var table = SeriesTable()
    groupOf = series.map { one in
      let labels =
        switch grouping {
        case nil: LabelSet.empty
        case .some(let grouping) where grouping.isWithout: one.labels.dropping(names)
        case .some: one.labels.keeping(names)
        }
      return table.number(of: labels)
    }
    labels = grouping?.isWithout == true ? table.sets.map { $0.withoutEmptyValues() } : table.sets
  }
}
