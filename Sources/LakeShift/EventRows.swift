import LakeOTLP
package import LakeSchema
package import LakeWAL

/// Rows of `events` out of those of `logs`: the second consumer of the logs topic, with a state of its own.
package struct EventRows: RowDerivation {
  package init() {}

  package func source(for table: Schema) -> Schema { LakeTable.logs.schema }
  package func needs(_ group: SegmentMetadata.RowGroup) -> Bool { group.mayHoldEvents ?? true }

  /// - Throws: `ShiftError.unfit` when the table has a required column that this version does not derive.
  package func derive(_ rows: ColumnBatch, table: Schema) throws -> ColumnBatch {
    let events = EventsDerivation.events(from: rows)
    let columns = try table.fields.map { field in
      guard let column = events.column(field.name) else {
        throw ShiftError.unfit("events are not derived with a column \(field.name)")
      }
      return column
    }
    return ColumnBatch(schema: table, columns: columns, count: events.count)
  }
}
