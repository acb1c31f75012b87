import LakeModel

@testable import LakeQuery

/// A block that is wholly in memory.
struct MemoryLogBlock: LogBlock {
  let columns: [LogField: Column]
  let rowCount: Int
  let timeBounds: ClosedRange<Int64>?
  let heedsDemands: Bool
  private let visible: RowSelection

  init(columns: [LogField: Column], rowCount: Int, visible: RowSelection? = nil, heedsDemands: Bool = true) {
    self.heedsDemands = heedsDemands
    self.columns = columns
    self.rowCount = rowCount
    self.visible = visible ?? .all(rowCount)
    timeBounds = nil
  }

  func bounds(_ field: LogField) -> ColumnBounds? { nil }
  func lineBytes() -> Int? { nil }
  func visibleRows() -> RowSelection { visible }
  func column(_ field: LogField) -> Column? { columns[field] }

  func vector(_ field: LogField) throws(QueryError) -> LabelVector? {
    guard let column = columns[field] else { return nil }
    return try LabelVector.make(column, field)
  }

  func attributes() throws(QueryError) -> AttributeIndex? {
    guard let column = columns[.attributes] else { return nil }
    return try AttributeIndex(attributes: column, shape: columns[.attributesShape])
  }

  func forEachBodyPiece(
    holding rows: RowSelection, _ body: (BodyPiece) throws(QueryError) -> Void
  ) throws(QueryError) {
    guard !rows.isEmpty else { return }
    try body(BodyPiece(rows: 0..<rowCount, lines: try BodyPiece.lines(columns[.body], count: rowCount)))
  }
}
