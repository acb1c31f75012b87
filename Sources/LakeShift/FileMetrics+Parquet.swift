import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema

extension FileMetrics {
  /// What Iceberg keeps of a data file's columns, from what the Parquet writer counted.
  init(_ summary: ParquetFileSummary, target: TableTarget) {
    let modes = MetricsModes(
      schema: target.schema, properties: target.state.metadata.properties, sortOrder: target.table.sortOrder)
    let leaves = summary.columns.map { column in
      LeafSummary(
        fieldID: column.fieldID, bytes: Int64(column.bytes), valueCount: Int64(column.valueCount),
        nullCount: Int64(column.nullCount), nanCount: Int64(column.nanCount),
        lower: column.lower?.datum(target.schema, column.fieldID),
        upper: column.upper?.datum(target.schema, column.fieldID))
    }
    self.init(leaves, schema: target.schema, modes: modes)
  }
}

extension ParquetValue {
  fileprivate func datum(_ schema: Schema, _ fieldID: Int) -> Datum {
    switch self {
    case .boolean(let value): .boolean(value)
    case .int(let value): .int(value)
    case .long(let value): .long(value)
    case .float(let value): .float(value)
    case .double(let value): .double(value)
    case .bytes(let bytes): .binary(bytes.array)
    }
  }
}
