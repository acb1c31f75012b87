package import LakeCompression
package import LakeSchema

/// How a file is laid out. The defaults are what the tables use.
package struct ParquetWriterOptions: Sendable {
  package enum PageVersion: Sendable { case v1, v2 }

  package var codec: CompressionCodec = .zstd
  /// The codec's own scale; nil is the codec's default (zstd 1).
  package var level: Int?
  /// A chunk of texts or binary values of which a sample comes to more than this share of its bytes is left uncompressed; nil: none is.
  package var compressedShareMax: Double?
  package var pageVersion: PageVersion = .v1
  /// A page ends after the row that brings it to this many bytes before compression, or to `pageRows` rows.
  package var pageBytes = 1 << 20
  package var pageRows = 20_000
  /// A column whose dictionary would be larger falls back to its plain form.
  package var dictionaryBytesMax = 4 << 20
  /// Text and binary bounds in the footer and the page index are cut to this many bytes, and then marked inexact.
  package var statisticsBytesMax = 64
  package var writesStatistics = true
  package var writesPageIndex = true
  package var writesPageChecksums = true
  /// Lays large dictionaries of text out so that they compress well; see `DistinctRuns.arrangement`.
  package var arrangesDictionaries = true
  /// Looks for entries that repeat in the dictionary that a batch brings. Without, one that pays by far is written as it is: for
  /// files that are read once, by readers of ours, who unite dictionaries themselves.
  package var unitesDictionaries = true
  /// Share of absent values that a Bloom filter lets pass, and its largest size per column chunk.
  package var bloomFalsePositives = 0.01
  package var bloomBytesMax = 1 << 20
  /// Declared in every row group; the caller sorts.
  package var sortingColumns: [SortingColumn] = []
  package var keyValueMetadata: [(key: String, value: String)] = []
  package var createdBy = "icegate"

  package init() {}

  /// Declares the sort order of a table, as far as its leading fields are plain columns of the file.
  package init(sortOrder: SortOrder) {
    self.init()
    for field in sortOrder.fields {
      guard field.transform == .identity else { break }
      sortingColumns.append(
        SortingColumn(
          fieldID: field.sourceID, isDescending: field.direction == .descending, nullsFirst: field.nullOrder == .first))
    }
  }
}

/// One column of the order in which rows lie, by field id.
package struct SortingColumn: Sendable, Hashable {
  package var fieldID: Int
  package var isDescending: Bool
  package var nullsFirst: Bool

  package init(fieldID: Int, isDescending: Bool = false, nullsFirst: Bool = true) {
    self.fieldID = fieldID
    self.isDescending = isDescending
    self.nullsFirst = nullsFirst
  }
}
