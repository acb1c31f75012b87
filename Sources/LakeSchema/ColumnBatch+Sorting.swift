package import LakeModel

extension ColumnBatch {
  /// The rows in the order that `order` asks for; equal rows keep their order.
  ///
  /// A sort field with a transform is ordered by its source value, which is in order for every transform that keeps order.
  /// - Precondition: the sort fields are top-level fields of simple types. A field that the schema lacks is passed over.
  package func sortedOrder(by order: SortOrder) -> Buffer<Int32> {
    RowOrder.sorted(count: count, by: orderKeys(order))
  }

  /// The rows themselves in that order.
  package func sorted(by order: SortOrder) -> ColumnBatch {
    let rows = sortedOrder(by: order)
    return rows.isAscendingRun ? self : gather(rows)
  }

  func orderKeys(_ order: SortOrder) -> [OrderKey] {
    order.fields.flatMap { field -> [OrderKey] in
      guard let index = schema.fields.firstIndex(where: { $0.id == field.sourceID }) else { return [] }
      return columns[index].orderKeys(
        ValueOrder(isDescending: field.direction == .descending, absentFirst: field.nullOrder == .first))
    }
  }
}

extension Buffer where Element == Int32 {
  /// Whether the rows are `0, 1, 2, ...`.
  fileprivate var isAscendingRun: Bool {
    withValues { rows in
      for index in 0..<rows.count where rows[index] != Int32(truncatingIfNeeded: index) { return false }
      return true
    }
  }
}
