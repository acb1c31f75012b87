import LakeModel

/// Some rows of the table `logs` that lie together (a row group of a data file or of a segment), read column by column
/// as a query turns out to need them.
protocol LogBlock: Sendable, RowsMetadata {
  var rowCount: Int { get }

  /// Microseconds between which all times of the block lie, as far as metadata tells.
  var timeBounds: ClosedRange<Int64>? { get }

  /// Bytes of all lines, if metadata tells; rows that do not count included.
  func lineBytes() -> Int?

  /// How many rows count, where metadata tells.
  var visibleRowCount: Int? { get }

  /// How many rows have each value of a label's column, if that is known without a wait; every row counts and has the label.
  func labelCounts(_ field: LogField) -> LabelCounts?

  /// The rows that count: repeats are left out before anything else is done (RDR-3), and so are other tenants' rows.
  func visibleRows() async throws(QueryError) -> RowSelection

  /// A whole column of numbers; nil when it is absent in every row.
  func column(_ field: LogField) async throws(QueryError) -> Column?

  /// The times of all rows, without their nanoseconds; nil when the block's column of times does not hold times.
  func times() async throws(QueryError) -> TimeColumn?

  /// A whole column of label values; nil when it is absent in every row.
  func vector(_ field: LogField) async throws(QueryError) -> LabelVector?

  /// nil when no row has attributes.
  func attributes() async throws(QueryError) -> AttributeIndex?

  /// Rows outside of these fail one of the line filters, as far as an index tells: all rows where there is none.
  func rows(thatMayPass filters: [LineMatcher]) async throws(QueryError) -> RowSelection

  /// Whether what later stages demand of lines may leave rows out early; tests compare with blocks where it may not.
  var heedsDemands: Bool { get }

  /// Whether filters of the file say that no row passes; false where there are none.
  func isRuledOutByFilters(_ condition: LabelCondition) async throws(QueryError) -> Bool

  /// Calls `body` for each piece of the column `body` that holds some of `rows`, in order.
  ///
  /// Pieces are bytes columns with plain values. The statistics say how much was read.
  func forEachBodyPiece(
    holding rows: RowSelection, _ body: (BodyPiece) throws(QueryError) -> Void
  ) async throws(QueryError)
}

extension LogBlock {
  var heedsDemands: Bool { true }
  var visibleRowCount: Int? { nil }
  func labelCounts(_ field: LogField) -> LabelCounts? { nil }
  func times() async throws(QueryError) -> TimeColumn? { try await column(.timestamp)?.times }
  func rows(thatMayPass filters: [LineMatcher]) async throws(QueryError) -> RowSelection { .all(rowCount) }
  func isRuledOutByFilters(_ condition: LabelCondition) async throws(QueryError) -> Bool { false }
}

/// Consecutive values of the column `body`.
struct BodyPiece: Sendable {
  /// Rows of the block.
  let rows: Range<Int>
  let lines: BytesView
}

extension BodyPiece {
  /// - Parameter column: nil stands for absent values only.
  static func lines(_ column: Column?, count: Int) throws(QueryError) -> BytesView {
    let column =
      column?.plain ?? Column(.bytes(offsets: Buffer(repeating: 0, count: count + 1), data: Buffer([])), count: count)
    guard let lines = BytesView(column) else { throw .corrupt("column body does not hold text") }
    return lines
  }
}
