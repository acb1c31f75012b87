import LakeModel
import LakeSchema

/// Rows as text, whatever the layout of their columns.
func rows(_ batch: ColumnBatch) -> [String] {
  (0..<batch.count).map { row in
    zip(batch.schema.fields, batch.columns).map { "\($0.name)=\(cell($1, row))" }.joined(separator: " ")
  }
}

/// One value as text, `-` when absent.
func cell(_ column: Column, _ row: Int) -> String {
  guard column.isPresent(row) else { return "-" }
  switch column.values {
  case .boolean(let values): return values[row] == 0 ? "false" : "true"
  case .int32(let values): return "\(values[row])"
  case .int64(let values): return "\(values[row])"
  case .float(let values): return "\(values[row])"
  case .double(let values): return values[row].isNaN ? "NaN:\(values[row].bitPattern)" : "\(values[row])"
  case .fixed(let data, let width):
    return Hex.text((0..<width).map { data[row * width + $0] })
  case .bytes(let offsets, let data):
    let bytes = (Int(offsets[row])..<Int(offsets[row + 1])).map { data[$0] }
    guard let text = String(validating: bytes, as: UTF8.self) else { return "invalid UTF-8" }
    return "'\(text)'"
  case .dictionary(let indices, let dictionary): return cell(dictionary, Int(indices[row]))
  case .list(let offsets, let element):
    return "[" + (Int(offsets[row])..<Int(offsets[row + 1])).map { cell(element, $0) }.joined(separator: ", ") + "]"
  case .structure(let columns): return "(" + columns.map { cell($0, row) }.joined(separator: ", ") + ")"
  case .map(let offsets, let keys, let values):
    return "{"
      + (Int(offsets[row])..<Int(offsets[row + 1])).map { cell(keys, $0) + ": " + cell(values, $0) }
      .joined(separator: ", ") + "}"
  }
}

extension ColumnBatch {
  /// One cell as text.
  func text(_ name: String, _ row: Int = 0) -> String { cell(column(name)!, row) }
}
