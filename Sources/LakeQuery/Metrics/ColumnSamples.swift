import LakeLogQL
import LakeModel

/// Samples that columns alone give: counts, line sizes, and stored labels that hold numbers.
struct ColumnSamples {
  private enum Source {
    case one
    case sizes([UInt32])
    /// Of each row; NaN with `isAbsent` set for rows without one.
    case numbers([Double], isAbsent: [Bool])
  }
  private let source: Source

  /// - Returns: nil when rows must be looked at one by one.
  static func make(
    _ spec: SampleSpec, _ filtered: FilteredBlock, _ context: QueryContext, _ statistics: inout QueryStatistics
  ) async throws(QueryError) -> ColumnSamples? {
    guard spec.plan.stages.isEmpty, !filtered.hasUnreadable else { return nil }
    switch spec.value {
    case .one: return ColumnSamples(source: .one)
    case .lineBytes:
      return ColumnSamples(source: .sizes(try await sizes(filtered.labels.block, filtered.rows)))
    case .label(let unwrap):
      guard let dropsErrors = dropsErrors(unwrap.filters) else { return nil }
      let vector = try await filtered.labels.vector(LabelReference(unwrap.label))
      return numbers(vector, filtered, unwrap.conversion, dropsErrors: dropsErrors)
    }
  }

  var isCount: Bool {
    if case .one = source { return true }
    return false
  }

  @inline(__always)
  func value(_ row: Int) -> Double? {
    switch source {
    case .one: 1
    case .sizes(let sizes): Double(sizes[row])
    case .numbers(let numbers, let isAbsent): isAbsent[row] ? nil : numbers[row]
    }
  }

  /// Whether values that cannot be read are left out (`| __error__=""`); nil for filters that rows must decide.
  private static func dropsErrors(_ filters: [LogQL.LabelFilter]) -> Bool? {
    if filters.isEmpty { return false }
    for filter in filters {
      guard case .matcher(let matcher) = filter, matcher.name == "__error__", matcher.operation == .equal,
        matcher.value.isEmpty
      else { return nil }
    }
    return true
  }

  private static func numbers(
    _ vector: LabelVector, _ filtered: FilteredBlock, _ conversion: LogQL.Unwrap.Conversion?, dropsErrors: Bool
  ) -> ColumnSamples? {
    let rowCount = filtered.labels.block.rowCount
    var numbers = [Double](repeating: 0, count: rowCount)
    var isAbsent = [Bool](repeating: true, count: rowCount)
    var hasErrors = false
    filtered.rows.forEach { row in
      vector.withText(of: row) { text in
        if text.isEmpty { return }
        do throws(GoNumber.Failure) {
          numbers[row] = try UnwrapConversion.value(text, conversion)
          isAbsent[row] = false
        } catch {
          hasErrors = true
        }
      }
    }
    // The row pipeline words the error.
    if hasErrors && !dropsErrors { return nil }
    return ColumnSamples(source: .numbers(numbers, isAbsent: isAbsent))
  }

  /// Bytes of the line of each row; rows that are not asked for have 0.
  private static func sizes(_ block: any LogBlock, _ rows: RowSelection) async throws(QueryError) -> [UInt32] {
    var sizes = [UInt32](repeating: 0, count: block.rowCount)
    try await block.forEachBodyPiece(holding: rows) { piece throws(QueryError) in
      rows.clamped(to: piece.rows).forEach { row in
        sizes[row] = UInt32(truncatingIfNeeded: piece.lines[row - piece.rows.lowerBound].count)
      }
    }
    return sizes
  }
}
