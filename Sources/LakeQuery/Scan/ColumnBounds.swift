import LakeModel
import LakeParquet

/// What metadata says of a text or id column: of a file, a row group or a page.
///
/// A class: a query asks hundreds of row groups for theirs.
final class ColumnBounds: Sendable {
  /// No present value is below; nil: not known.
  let low: [UInt8]?
  let high: [UInt8]?
  /// Whether the bounds are values that occur.
  let isExact: Bool
  /// nil: not known.
  let nullCount: Int?
  /// Every value is absent.
  let isAllNull: Bool

  init(low: [UInt8]?, high: [UInt8]?, isExact: Bool, nullCount: Int?, isAllNull: Bool) {
    self.low = low
    self.high = high
    self.isExact = isExact
    self.nullCount = nullCount
    self.isAllNull = isAllNull
  }

  /// - Parameter valueCount: absent ones included.
  convenience init(_ statistics: ColumnStatistics, valueCount: Int) {
    func bytes(_ value: ParquetValue?) -> [UInt8]? {
      if case .bytes(let bytes)? = value { return bytes.array }
      return nil
    }
    self.init(
      low: bytes(statistics.min), high: bytes(statistics.max),
      isExact: statistics.isMinExact && statistics.isMaxExact, nullCount: statistics.nullCount,
      isAllNull: statistics.nullCount == valueCount)
  }
}

/// What metadata says of a condition, for a set of rows.
enum Verdict: Sendable {
  /// No row passes.
  case never
  /// Every row passes.
  case always
  case maybe
}

/// What is known of some rows without reading them.
protocol RowsMetadata {
  /// nil: nothing is known.
  func bounds(_ field: LogField) -> ColumnBounds?
}

extension RowsMetadata {
  func verdict(_ condition: LabelCondition) -> Verdict {
    switch condition {
    case .value(let label, let test): return verdict(label, test)
    case .quantity: return .maybe
    case .and(let left, let right):
      switch (verdict(left), verdict(right)) {
      case (.never, _), (_, .never): return .never
      case (.always, .always): return .always
      default: return .maybe
      }
    case .or(let left, let right):
      switch (verdict(left), verdict(right)) {
      case (.always, _): return .always
      // A left side that meets what it cannot read marks the row, though the right one would have kept it.
      case (_, .always): return left.mayFail ? .maybe : .always
      case (.never, .never): return .never
      default: return .maybe
      }
    }
  }

  private func verdict(_ label: LabelReference, _ test: ValueTest) -> Verdict {
    if case .anything = test.kind { return test.isNegated ? .never : .always }
    // Attributes may stand in for an absent column, so only columns without absent values decide.
    guard let field = label.field, let bounds = bounds(field), let nulls = bounds.nullCount, nulls == 0,
      let low = bounds.low, let high = bounds.high, field != .severityNumber
    else { return .maybe }
    let isHex = field == .traceID || field == .spanID
    switch test.kind {
    case .anything: return .maybe
    case .nonEmpty:
      // A bound may have been shortened, but not to nothing, unless the value is empty.
      if low.isEmpty { return .maybe }
      return test.isNegated ? .never : .always
    case .oneOf(let values):
      let stored = isHex ? test.ids : values
      let isSingle = bounds.isExact && low == high
      if test.isNegated {
        if isSingle && stored.contains(low) { return .never }
        return stored.contains { isInside($0, low, high) } ? .maybe : .always
      }
      if isSingle && stored.contains(low) { return .always }
      return stored.contains { isInside($0, low, high) } ? .maybe : .never
    case .matches:
      guard bounds.isExact, low == high, !isHex else { return .maybe }
      return test.passes(low) ? .always : .never
    }
  }

  private func isInside(_ value: [UInt8], _ low: [UInt8], _ high: [UInt8]) -> Bool {
    !value.lexicographicallyPrecedes(low) && !high.lexicographicallyPrecedes(value)
  }
}
