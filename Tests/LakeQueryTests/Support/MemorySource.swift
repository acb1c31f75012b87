import LakeModel
import LakeSchema

@testable import LakeQuery

/// Rows in memory, cut into blocks, as a table that never changes.
struct MemorySource: LogSource {
  let batches: [ColumnBatch]

  /// False: every row that conditions and line filters keep runs through the pipeline.
  let heedsDemands: Bool

  init(_ batches: [ColumnBatch], heedsDemands: Bool = true) {
    self.batches = batches
    self.heedsDemands = heedsDemands
  }

  func open(tenant: TenantID, range: TimeRange, context: QueryContext) throws(QueryError) -> any LogView {
    View(tenant: tenant, batches: batches, heedsDemands: heedsDemands)
  }

  struct View: LogView {
    let tenant: TenantID
    let batches: [ColumnBatch]
    let heedsDemands: Bool
    var warnings: [String] { [] }

    func blocks(_ conditions: [LabelCondition], in range: TimeRange) throws(QueryError) -> [any LogBlock] {
      batches.map { batch in
        var columns: [LogField: Column] = [:]
        for field in LogField.allCases { columns[field] = batch.column(field.rawValue) }
        let owner = columns[.tenant].flatMap { LabelVector($0) }!
        let mine = owner.select(.all(batch.count), ValueTest(.oneOf([Array(tenant.text.utf8)])))
        return MemoryLogBlock(columns: columns, rowCount: batch.count, visible: mine, heedsDemands: heedsDemands)
      }
    }
  }
}
