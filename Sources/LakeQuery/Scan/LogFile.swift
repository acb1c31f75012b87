import LakeModel
import LakeParquet
import LakePorts
import LakeSchema

/// A data file or segment with its footer read, and what every query asks of it looked up once.
final class LogFile: Sendable {
  let key: ObjectKey
  /// Its name in the cache.
  let name: QueryCache.Name
  let file: ParquetFile
  /// The leaf of each field, by `LogField.ordinal`; nil: the file has none.
  private let leaves: [Leaf?]
  /// Whether the file has the field at all, leaf or not.
  private let isPresent: [Bool]
  private let groups: [Group]
  /// Of the values of `attributes`, at every level.
  let attributeValues: Leaf?

  private struct Group {
    /// Microseconds between which all times lie, as far as the footer tells.
    let times: ClosedRange<Int64>?
    /// By `LogField.ordinal`.
    let bounds: [ColumnBounds?]
  }

  init(_ file: ParquetFile, key: ObjectKey) {
    self.file = file
    self.key = key
    name = QueryCache.Name(key.text)
    let leaves = LogField.allCases.map { field in
      file.leaf(fieldID: field.schemaField.id) ?? (file.hasFieldIDs ? nil : file.leaf(path: field.rawValue))
    }
    self.leaves = leaves
    attributeValues = file.leaf(path: "attributes.key_value.value")
    isPresent = LogField.allCases.map { field in
      file.schema.field(id: field.schemaField.id) != nil
        || (!file.hasFieldIDs && file.schema.index(of: field.rawValue) != nil)
    }
    groups = file.rowGroups.map { group in
      Group(
        times: LogFile.times(group, leaves[LogField.timestamp.ordinal]),
        bounds: leaves.map { LogFile.bounds(group, $0) })
    }
  }

  func leaf(_ field: LogField) -> Leaf? { leaves[field.ordinal] }
  func has(_ field: LogField) -> Bool { isPresent[field.ordinal] }
  func times(rowGroup: Int) -> ClosedRange<Int64>? { groups[rowGroup].times }
  func bounds(_ field: LogField, rowGroup: Int) -> ColumnBounds? { groups[rowGroup].bounds[field.ordinal] }

  /// About what it takes in memory besides the footer.
  var memoryBytes: Int { 1024 + groups.count * leaves.count * 128 }

  private static func times(_ group: RowGroup, _ leaf: Leaf?) -> ClosedRange<Int64>? {
    guard let leaf, let statistics = group.chunks[leaf.index].statistics,
      case .long(let low)? = statistics.min, case .long(let high)? = statistics.max, low <= high
    else { return nil }
    return low...high
  }

  private static func bounds(_ group: RowGroup, _ leaf: Leaf?) -> ColumnBounds? {
    guard let leaf else {
      return ColumnBounds(low: nil, high: nil, isExact: false, nullCount: group.rowCount, isAllNull: true)
    }
    let chunk = group.chunks[leaf.index]
    return chunk.statistics.map { ColumnBounds($0, valueCount: chunk.valueCount) }
  }
}
