import LakeModel
import LakeSchema

/// Looks for what makes rows of logs events, without looking at each row.
enum EventMarks {
  /// - Returns: false when none of the rows is an event; true also when that is not easily told.
  static func mayBeIn(_ logs: ColumnBatch) -> Bool {
    guard let names = logs.column(LakeTable.eventNameColumn), names.absentCount == names.count,
      case .map(_, let keys, _)? = logs.column("attributes")?.values,
      case .dictionary(_, let entries) = keys.values, case .bytes(let offsets, let data) = entries.values
    else { return true }
    let wanted = Array(LakeTable.eventNameAttribute.utf8)
    return offsets.withValues { offsets in
      data.withValues { data in
        for entry in 0..<entries.count where Int(offsets[entry + 1] - offsets[entry]) == wanted.count {
          let start = Int(offsets[entry])
          if data[start..<start + wanted.count].elementsEqual(wanted) { return true }
        }
        return false
      }
    }
  }
}
