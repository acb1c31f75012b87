import LakeModel
import LakeParquet

/// A row group of a data file or of a segment and which of its rows count, with what every query asks of it.
///
/// Made once and kept with its file, so that a query passes on one reference for each.
final class LogRowGroup: Sendable {
  /// Rows that delete files take out.
  struct Deletes: Sendable {
    let rows: DeletedRows
    /// The row group's first row in the file.
    let firstRow: Int64
  }

  let file: LogFile
  /// Its index in the file.
  let index: Int
  /// The whole object, if it is in memory.
  let bytes: Bytes?
  let rowCount: Int
  /// How many rows count, where metadata tells.
  let visibleRowCount: Int?
  /// Microseconds between which all times lie, as far as metadata tells.
  let timeBounds: ClosedRange<Int64>?
  /// Requests whose rows do not count (RDR-3).
  let droppedRequests: [Int]
  /// When the file is not known to be of one tenant: the tenant whose rows count.
  let onlyTenant: TenantID?
  /// nil: no row is deleted.
  let deletes: Deletes?
  /// Of labels with a column of their own; made when first asked for.
  let counts = KeptLabelCounts()

  /// - Parameter countedRows: how many rows are left without the dropped requests, where that is known.
  init(
    _ file: LogFile, _ index: Int, bytes: Bytes? = nil, droppedRequests: [Int] = [], countedRows: Int? = nil,
    onlyTenant: TenantID? = nil, deletes: Deletes? = nil
  ) {
    self.file = file
    self.index = index
    self.bytes = bytes
    self.droppedRequests = droppedRequests
    self.onlyTenant = onlyTenant
    self.deletes = deletes
    let rows = file.file.rowGroups[index].rowCount
    rowCount = rows
    timeBounds = file.times(rowGroup: index)
    if onlyTenant != nil || deletes != nil {
      visibleRowCount = nil
    } else {
      visibleRowCount = droppedRequests.isEmpty ? rows : countedRows
    }
  }

  var rowGroup: RowGroup { file.file.rowGroups[index] }

  /// About what one takes in memory with its counts.
  static let memoryBytes = 1024
}

extension LogRowGroup: RowsMetadata {
  func bounds(_ field: LogField) -> ColumnBounds? { file.bounds(field, rowGroup: index) }
}

/// What the blocks of one query read through.
final class BlockAccess: Sendable {
  let reader: ObjectReader
  let cache: QueryCache

  init(_ reader: ObjectReader, _ cache: QueryCache) {
    self.reader = reader
    self.cache = cache
  }
}
