import LakeModel
package import LakeSchema

/// Gathers the metrics of one data file from the batches that go into it.
///
///     var collector = MetricsCollector(schema: schema, modes: modes)
///     collector.add(batch)                                // for each row group
///     let metrics = collector.finish(columnSizes: sizes)  // bytes on disk by leaf field id, from the Parquet footer
///
/// Columns inside lists and maps get counts (of their elements) but no bounds.
package struct MetricsCollector: ~Copyable {
  private var leaves: [LeafMetrics] = []
  private let fields: [Field]
  private let modes: MetricsModes

  package init(schema: Schema, modes: MetricsModes) {
    self.modes = modes
    fields = schema.fields
    for field in schema.fields { addLeaves(of: field, isRepeated: false) }
  }

  private mutating func addLeaves(of field: Field, isRepeated: Bool) {
    if field.type.isPrimitive {
      let mode = modes.byFieldID[field.id] ?? .none
      leaves.append(LeafMetrics(id: field.id, type: field.type, mode: mode, keepsBounds: !isRepeated))
      return
    }
    let isStruct = if case .structure = field.type { true } else { false }
    for child in field.type.children { addLeaves(of: child, isRepeated: isRepeated || !isStruct) }
  }

  /// - Precondition: the batch's columns are those of the schema.
  package mutating func add(_ batch: ColumnBatch) {
    precondition(batch.schema.fields.map(\.id) == fields.map(\.id))
    var leaf = 0
    for (field, column) in zip(fields, batch.columns) {
      add(column, of: field.type, rows: 0..<column.count, absent: nil, leaf: &leaf)
    }
  }

  /// - Parameter absent: rows whose parent is absent, one byte each, counted from the column's first row.
  private mutating func add(
    _ column: Column, of type: FieldType, rows: Range<Int>, absent: [UInt8]?, leaf: inout Int
  ) {
    switch (column.values, type) {
    case (.structure(let children), .structure(let fields)):
      let absent = Self.merge(absent, column)
      for (child, field) in zip(children, fields) {
        add(child, of: field.type, rows: rows, absent: absent, leaf: &leaf)
      }
    case (.list(let offsets, let element), .list(_, let elementType, _)):
      add(element, of: elementType, rows: Self.elements(offsets, rows), absent: nil, leaf: &leaf)
    case (.map(let offsets, let keys, let values), .map(_, let keyType, _, let valueType, _)):
      let inner = Self.elements(offsets, rows)
      add(keys, of: keyType, rows: inner, absent: nil, leaf: &leaf)
      add(values, of: valueType, rows: inner, absent: nil, leaf: &leaf)
    default:
      leaves[leaf].add(column, rows: rows, absent: absent)
      leaf += 1
    }
  }

  private static func elements(_ offsets: Buffer<UInt32>, _ rows: Range<Int>) -> Range<Int> {
    Int(offsets[rows.lowerBound])..<Int(offsets[rows.upperBound])
  }

  private static func merge(_ absent: [UInt8]?, _ column: Column) -> [UInt8]? {
    guard let validity = column.validity else { return absent }
    return (0..<column.count).map { validity[$0] == 0 || (absent?[$0] ?? 0) != 0 ? 1 : 0 }
  }

  /// - Parameter columnSizes: bytes on disk by leaf field id.
  package consuming func finish(columnSizes: [Int: Int64]) -> FileMetrics {
    var metrics = FileMetrics()
    for leaf in leaves where leaf.mode != .none {
      metrics.columnSizes[leaf.id] = columnSizes[leaf.id]
      leaf.put(into: &metrics)
    }
    return metrics
  }
}
