import LakeLogQL
import LakeModel

/// A label filter applied to one row's labels.
indirect enum RowLabelFilter: Sendable {
  case text(FixedBytes, ValueTest)
  case quantity(FixedBytes, QuantityTest)
  case and(RowLabelFilter, RowLabelFilter)
  case or(RowLabelFilter, RowLabelFilter)

  init(_ filter: LogQL.LabelFilter) throws(QueryError) {
    switch filter {
    case .and(let left, let right): self = .and(try RowLabelFilter(left), try RowLabelFilter(right))
    case .or(let left, let right): self = .or(try RowLabelFilter(left), try RowLabelFilter(right))
    default:
      switch try LabelCondition(filter) {
      case .value(let label, let test): self = .text(FixedBytes(label.name), test)
      case .quantity(let label, let test): self = .quantity(FixedBytes(label.name), test)
      case .and, .or: preconditionFailure("a condition has the shape of its filter")
      }
    }
  }

  /// Whether the row stays. A value that cannot be read keeps the row and marks it.
  func keeps(_ labels: inout RowLabels) -> Bool {
    switch self {
    case .text(let name, let test): return test.passes(labels.text(name.buffer))
    case .quantity(let name, let test):
      if case .ip = test, labels.hasError { return true }
      guard let value = labels.usable(name.buffer) else { return false }
      switch test.outcome(value) {
      case .pass: return true
      case .fail: return false
      case .unreadable(let message):
        if !labels.hasError { labels.fail(RowLabels.filterError, message) }
        return true
      }
    case .and(let left, let right):
      // Both sides are looked at, so that the right one may mark the row.
      let isLeft = left.keeps(&labels)
      let isRight = right.keeps(&labels)
      return isLeft && isRight
    case .or(let left, let right): return left.keeps(&labels) || right.keeps(&labels)
    }
  }
}
