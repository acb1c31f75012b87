package import LakeModel
package import LakeSchema

/// Which bytes of a file to fetch for one row group, and how to decode them. The plan is a value: fetch as you like.
package struct ReadPlan: Sendable {
  package let rowGroup: Int
  package let projection: Projection
  /// The rows that come back, ascending and disjoint, counted from the start of the row group; nil: all.
  package let rows: [Range<Int>]?
  /// What to fetch, ascending and disjoint, neighbours joined when the gap is small.
  package let ranges: [Range<Int>]
}

extension ParquetFile {
  /// Plans one row group. With `rows` and the page indexes of the projection's leaves only pages that hold such rows are
  /// fetched; without the indexes whole chunks are, and the rows are cut out afterwards.
  ///
  /// - Parameter gapMax: unwanted bytes between two wanted runs that are fetched rather than asked for separately.
  package func plan(
    rowGroup: Int, projection: Projection, rows: [Range<Int>]? = nil, pageIndexes: PageIndexes? = nil,
    gapMax: Int = 64 << 10
  ) throws(ParquetError) -> ReadPlan { preconditionFailure("not yet") }

  /// Decodes what was fetched, one piece per range of the plan in the same order.
  ///
  /// Text, binary and fixed columns come back as `.dictionary` when the file has them dictionary-encoded.
  /// - Throws: `.malformed` and its kin when the bytes are not what the footer promises.
  package func decode(_ plan: ReadPlan, fetched: [Bytes]) throws(ParquetError) -> ColumnBatch {
    preconditionFailure("not yet")
  }

  /// Plans, slices and decodes a row group of a file that is wholly in memory.
  package func readRowGroup(
    _ rowGroup: Int, projection: Projection, rows: [Range<Int>]? = nil, file: Bytes
  ) throws(ParquetError) -> ColumnBatch { preconditionFailure("not yet") }

  /// Where the page indexes of these leaves lie in the file, all of them; nil when one of them has none.
  package func pageIndexRange(rowGroup: Int, leaves: [Int]) -> Range<Int>? { preconditionFailure("not yet") }

  /// Parses the page indexes of these leaves out of `bytes`, which were fetched from `pageIndexRange`.
  package func pageIndexes(
    rowGroup: Int, leaves: [Int], bytes: Bytes
  ) throws(ParquetError) -> PageIndexes { preconditionFailure("not yet") }
}

/// The page indexes of some leaves of one row group.
package struct PageIndexes: Sendable {
  /// Pages of one leaf: where they lie, which rows they hold, between which bounds.
  package struct Page: Sendable {
    package let range: Range<Int>
    /// Counted from the start of the row group.
    package let rows: Range<Int>
    /// Missing when the file has no column index for the leaf.
    package let statistics: ColumnStatistics?
    /// True when every value of the page is absent.
    package let isAllNull: Bool
  }
  package let pages: [Int: [Page]]

  /// The rows in pages of `leaf` for which `mayMatch` holds, neighbours joined; nil when the leaf has no index here.
  package func rows(ofLeaf leaf: Int, where mayMatch: (Page) -> Bool) -> [Range<Int>]? {
    preconditionFailure("not yet")
  }
}
