/// What is known of the values of a column in a file, or of a partition field in a manifest.
struct ValueRange {
  /// nil: not known.
  var lower: Datum?
  var upper: Datum?
  var mayHoldNull: Bool
  var mayHoldValue: Bool
  /// Whether values may lie outside the bounds because they are NaN.
  var mayHoldNaN: Bool
}

extension Predicate.Term {
  /// Whether the term holds of one value.
  func holds(of value: Datum?) -> Bool {
    switch self {
    case .isNull: return value == nil
    case .isNotNull: return value != nil
    case .compare(_, let comparison, let wanted):
      guard let order = value?.compare(to: wanted) else { return false }
      return comparison.allows(order)
    case .oneOf(_, let wanted):
      guard let value else { return false }
      return wanted.contains { value.compare(to: $0) == 0 }
    }
  }

  /// Whether the term may hold of some value of the range. Values that cannot be compared count as a maybe.
  func mayHold(in range: ValueRange) -> Bool {
    switch self {
    case .isNull: return range.mayHoldNull
    case .isNotNull: return range.mayHoldValue
    case .compare(_, let comparison, let wanted):
      return range.mayHoldValue && Self.mayHold(comparison, wanted, in: range)
    case .oneOf(_, let wanted):
      return range.mayHoldValue && wanted.contains { Self.mayHold(.equal, $0, in: range) }
    }
  }

  private static func mayHold(_ comparison: Predicate.Comparison, _ wanted: Datum, in range: ValueRange) -> Bool {
    let lower = range.lower?.compare(to: wanted)
    let upper = range.upper?.compare(to: wanted)
    return switch comparison {
    case .equal: (lower ?? 0) <= 0 && (upper ?? 0) >= 0
    case .less: (lower ?? -1) < 0
    case .lessOrEqual: (lower ?? -1) <= 0
    case .greater: (upper ?? 1) > 0
    case .greaterOrEqual: (upper ?? 1) >= 0
    }
  }

  /// Whether the term certainly holds of every value of the range.
  func mustHold(in range: ValueRange) -> Bool {
    switch self {
    case .isNull: return !range.mayHoldValue
    case .isNotNull: return !range.mayHoldNull
    case .compare(_, let comparison, let wanted):
      guard !range.mayHoldNull, !range.mayHoldNaN else { return false }
      let lower = range.lower?.compare(to: wanted)
      let upper = range.upper?.compare(to: wanted)
      return switch comparison {
      case .equal: lower == 0 && upper == 0
      case .less: upper.map { $0 < 0 } ?? false
      case .lessOrEqual: upper.map { $0 <= 0 } ?? false
      case .greater: lower.map { $0 > 0 } ?? false
      case .greaterOrEqual: lower.map { $0 >= 0 } ?? false
      }
    case .oneOf(_, let wanted):
      guard !range.mayHoldNull, !range.mayHoldNaN else { return false }
      return wanted.contains { range.lower?.compare(to: $0) == 0 && range.upper?.compare(to: $0) == 0 }
    }
  }
}

extension Predicate.Comparison {
  func allows(_ order: Int) -> Bool {
    switch self {
    case .equal: order == 0
    case .less: order < 0
    case .lessOrEqual: order <= 0
    case .greater: order > 0
    case .greaterOrEqual: order >= 0
    }
  }
}
