import LakeLogQL
import LakeModel

/// Samples that columns alone give: counts, line sizes, and stored labels that hold numbers.
struct ColumnSamples {
  private enum Source {
    case one
    case sizes([UInt32])
    /// Of each row; `absent` for rows without one.
    case numbers(Buffer<Double>)
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
    case .numbers(let numbers):
      numbers.unsafeBase[row].bitPattern == ColumnSamples.absent.bitPattern ? nil : numbers.unsafeBase[row]
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

  /// Stands for no number; a NaN that reading a text never gives.
  private static let absent = Double(bitPattern: 0x7FF8_0000_DEAD_0001)
  private static let unreadable = Double(bitPattern: 0x7FF8_0000_DEAD_0002)

  private static func numbers(
    _ vector: LabelVector, _ filtered: FilteredBlock, _ conversion: LogQL.Unwrap.Conversion?, dropsErrors: Bool
  ) -> ColumnSamples? {
    func read(_ text: UnsafeRawBufferPointer) -> Double {
      if text.isEmpty { return absent }
      do throws(GoNumber.Failure) { return try UnwrapConversion.value(text, conversion) } catch { return unreadable }
    }
    let rowCount = filtered.labels.block.rowCount
    // Shared entries are read once each.
    let unasked = Double(bitPattern: 0x7FF8_0000_DEAD_0003)
    var entries = BufferBuilder<Double>(capacity: 1)
    if vector.isShared { entries.append(repeating: unasked, count: vector.values.entryCount) }
    var hasErrors = false
    let numbers = Buffer<Double>(count: rowCount) { numbers in
      let absentBits = absent.bitPattern
      for row in 0..<rowCount { numbers[row] = Double(bitPattern: absentBits) }
      filtered.rows.forEach { row in
        let code = vector.code(of: row)
        if code == LabelVector.absent { return }
        var number: Double
        if vector.isShared {
          number = entries.base[Int(code)]
          if number.bitPattern == unasked.bitPattern {
            number = vector.withText(ofCode: code, read)
            entries.base[Int(code)] = number
          }
        } else {
          number = vector.withText(ofCode: code, read)
        }
        if number.bitPattern == unreadable.bitPattern {
          hasErrors = true
          number = absent
        }
        numbers[row] = number
      }
    }
    // The row pipeline words the error.
    if hasErrors && !dropsErrors { return nil }
    return ColumnSamples(source: .numbers(numbers))
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
