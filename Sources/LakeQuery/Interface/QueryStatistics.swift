/// What a query read and what it did not have to read. True numbers, counted where the work is done.
package struct QueryStatistics: Sendable, Hashable {
  /// Elapsed, from request to answer.
  package var elapsed: Duration = .zero
  package var filesTotal = 0
  /// Data files left out by partition, bounds or manifest summaries.
  package var filesPruned = 0
  package var segmentsTotal = 0
  package var rowGroupsTotal = 0
  /// Row groups left out by statistics, dictionaries or Bloom filters.
  package var rowGroupsPruned = 0
  /// Row groups answered from metadata alone.
  package var rowGroupsFromMetadata = 0
  package var pagesRead = 0
  /// Pages left out by the page index or a text index.
  package var pagesPruned = 0
  /// Rows whose time or labels were looked at.
  package var rowsRead = 0
  /// Rows whose line was looked at.
  package var linesRead = 0
  /// Rows that passed the whole pipeline.
  package var rowsMatched = 0
  /// Bytes fetched from the object store, and requests made for them.
  package var bytesFetched = 0
  package var fetches = 0
  /// Bytes after decompression that predicates and projections looked at, decoded for this query or kept from another.
  package var bytesProcessed = 0
  /// Of these, bytes of lines.
  package var lineBytesProcessed = 0
  package var cacheHits = 0
  package var cacheMisses = 0
  /// Entries or series in the answer.
  package var resultCount = 0

  package init() {}

  package static func += (a: inout QueryStatistics, b: QueryStatistics) {
    a.elapsed += b.elapsed
    a.filesTotal += b.filesTotal
    a.filesPruned += b.filesPruned
    a.segmentsTotal += b.segmentsTotal
    a.rowGroupsTotal += b.rowGroupsTotal
    a.rowGroupsPruned += b.rowGroupsPruned
    a.rowGroupsFromMetadata += b.rowGroupsFromMetadata
    a.pagesRead += b.pagesRead
    a.pagesPruned += b.pagesPruned
    a.rowsRead += b.rowsRead
    a.linesRead += b.linesRead
    a.rowsMatched += b.rowsMatched
    a.bytesFetched += b.bytesFetched
    a.fetches += b.fetches
    a.bytesProcessed += b.bytesProcessed
    a.lineBytesProcessed += b.lineBytesProcessed
    a.cacheHits += b.cacheHits
    a.cacheMisses += b.cacheMisses
    a.resultCount += b.resultCount
  }
}
