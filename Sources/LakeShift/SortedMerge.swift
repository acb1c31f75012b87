import LakeModel
import LakeSchema

/// Rows of several batches in table order.
enum SortedMerge {
  /// Merges column by column, so that besides the rows that came in and those that go out only one column is held twice.
  /// Equal rows keep the order in which they came.
  ///
  /// - Parameter parts: at least one. It is left empty: each column is given up once it has been merged.
  static func merged(_ parts: inout [ColumnBatch], order: SortOrder) -> ColumnBatch {
    let schema = parts[0].schema
    var filled = parts.filter { $0.count > 0 }
    if filled.isEmpty {
      defer { parts = [] }
      return parts[0]
    }
    parts = []
    let sortFields = Set(order.fields.map(\.sourceID))
    let count = filled.reduce(0) { $0 + $1.count }
    var columns = [Column?](repeating: nil, count: schema.fields.count)
    for (index, field) in schema.fields.enumerated() where sortFields.contains(field.id) {
      columns[index] = Column.concatenate(filled.map { $0.columns[index] })
    }
    let keyed = schema.fields.indices.filter { columns[$0] != nil }
    let sorting = ColumnBatch(
      schema: Schema(id: schema.id, fields: keyed.map { schema.fields[$0] }), columns: keyed.map { columns[$0]! },
      count: count)
    let rows = sorting.sortedOrder(by: order)
    let pieces = pieces(rows, lengths: filled.map(\.count))
    var pending = filled.map(\.columns)
    filled = []
    for index in schema.fields.indices {
      let parts = pending.map { $0[index] }
      if let pieces {
        columns[index] = Column.concatenate(pieces.map { parts[$0.part].slice($0.rows) }, unitesDictionaries: false)
      } else {
        let whole = columns[index] ?? Column.concatenate(parts, unitesDictionaries: false)
        columns[index] = whole.gather(rows)
      }
      for part in pending.indices { pending[part][index] = SortedMerge.nothing }
    }
    return ColumnBatch(schema: schema, columns: columns.map { $0! }, count: count)
  }

  /// Stands where a column has been taken from.
  private static let nothing = Column(.boolean(Buffer([])), count: 0)

  private struct Piece {
    let part: Int
    let rows: Range<Int>
  }

  /// Rows that a piece must have on average for copying pieces to be cheaper than copying rows.
  private static let pieceRowsMin = 16

  /// The order as runs of neighbouring rows of one part; nil when the runs are short.
  ///
  /// Segments are sorted themselves and mostly follow each other in time, so that a merged file is a few long runs per
  /// service.
  private static func pieces(_ rows: Buffer<Int32>, lengths: [Int]) -> [Piece]? {
    var pieces: [Piece] = []
    let ends = lengths.reduce(into: [0]) { $0.append($0.last! + $1) }
    return rows.withValues { rows -> [Piece]? in
      var at = 0
      while at < rows.count {
        let first = Int(rows[at])
        let part = SortedMerge.part(of: first, ends)
        let room = min(rows.count - at, ends[part + 1] - first)
        var length = 1
        while length < room, Int(rows[at + length]) == first + length { length += 1 }
        pieces.append(Piece(part: part, rows: first - ends[part]..<first - ends[part] + length))
        at += length
        if pieces.count * pieceRowsMin > rows.count { return nil }
      }
      return pieces
    }
  }

  /// The part that holds a row of all parts laid one after another.
  private static func part(of row: Int, _ ends: [Int]) -> Int {
    var low = 0
    var high = ends.count - 1
    while high - low > 1 {
      let middle = (low + high) / 2
      if ends[middle] <= row { low = middle } else { high = middle }
    }
    return low
  }
}
