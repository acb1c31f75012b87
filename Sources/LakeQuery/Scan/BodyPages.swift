import LakeParquet

/// Where the pieces of a block's body lie: rows of each, ascending, without gaps.
struct BodyPages: Sendable {
  let pieces: [Range<Int>]
  /// nil: the file has no page index, and the one piece is the whole column.
  let indexes: PageIndexes?

  init(whole rowCount: Int) {
    self.init(pieces: rowCount == 0 ? [] : [0..<rowCount], indexes: nil)
  }

  /// One piece per page.
  init(_ indexes: PageIndexes, leaf: Int, rowCount: Int) {
    let pages = indexes.pages[leaf]?.map(\.rows) ?? []
    let isWhole = pages.first?.lowerBound == 0 && pages.last?.upperBound == rowCount
    guard isWhole, zip(pages, pages.dropFirst()).allSatisfy({ $0.upperBound == $1.lowerBound }) else {
      self.init(whole: rowCount)
      return
    }
    self.init(pieces: pages, indexes: indexes)
  }

  private init(pieces: [Range<Int>], indexes: PageIndexes?) {
    self.pieces = pieces
    self.indexes = indexes
  }

  /// Indices of the pieces that hold some of the rows.
  func holding(_ rows: RowSelection) -> [Int] {
    switch rows {
    case .ranges(let ranges):
      var found: [Int] = []
      for range in ranges {
        var piece = max(pieces.partitionPoint { $0.upperBound <= range.lowerBound }, (found.last ?? -1) + 1)
        while piece < pieces.count && pieces[piece].lowerBound < range.upperBound {
          found.append(piece)
          piece += 1
        }
      }
      return found
    case .list(let list):
      var found: [Int] = []
      var piece = 0
      for row in list {
        while pieces[piece].upperBound <= Int(row) { piece += 1 }
        if found.last != piece { found.append(piece) }
      }
      return found
    }
  }
}
