import LakeModel
import LakeParquet
import LakePorts
import LakeWAL

extension ObjectReader {
  /// The object that a location of the table's metadata means.
  func key(of location: String) throws(QueryError) -> ObjectKey {
    do throws(WarehouseError) { return try ports.warehouse.key(of: location) } catch {
      throw .corrupt("\(location) does not lie in the warehouse \(ports.warehouse)")
    }
  }

  /// The footer of a Parquet file, from the cache if it was read before.
  func footer(
    _ key: ObjectKey, named object: QueryCache.Name, size: Int, _ cache: QueryCache
  ) async throws(QueryError) -> LogFile {
    let name = QueryCache.Key(object: object, part: .footer)
    if let kept = cache.value(name, as: LogFile.self) { return kept }
    var start = max(0, size - ObjectReader.footerBytesHint)
    while true {
      let tail = try await get(key, .span(start..<size))
      do throws(ParquetError) {
        let file = LogFile(try ParquetFile(tail: tail, fileBytes: size), key: key)
        cache.keep(file, bytes: (size - start) * 4 + file.memoryBytes, for: name)
        return file
      } catch {
        guard case .bytesMissing(let range) = error, range.lowerBound < start else {
          throw .corrupt("\(key): \(error)")
        }
        start = range.lowerBound
      }
    }
  }

  /// The row groups of a data file of which every row counts.
  func rowGroups(
    _ key: ObjectKey, named object: QueryCache.Name, size: Int, _ cache: QueryCache
  ) async throws(QueryError) -> [LogRowGroup] {
    let name = QueryCache.Key(object: object, part: .rowGroups)
    if let kept = cache.value(name, as: [LogRowGroup].self) { return kept }
    let file = try await footer(key, named: object, size: size, cache)
    let groups = file.file.rowGroups.indices.map { LogRowGroup(file, $0) }
    cache.keep(groups, bytes: 256 + groups.count * LogRowGroup.memoryBytes, for: name)
    return groups
  }

  /// The row groups of a segment whose footer the WAL's reader has read, as if every row counted.
  func rowGroups(_ segment: OpenSegment, _ cache: QueryCache) -> [LogRowGroup] {
    let name = QueryCache.Key(object: QueryCache.Name(segment.key.text), part: .rowGroups)
    if let kept = cache.value(name, as: [LogRowGroup].self) { return kept }
    let file = LogFile(segment.file, key: segment.key)
    let groups = file.file.rowGroups.indices.map { LogRowGroup(file, $0, bytes: segment.bytes) }
    cache.keep(
      groups, bytes: file.memoryBytes + (segment.bytes?.count ?? 0) + groups.count * LogRowGroup.memoryBytes, for: name)
    return groups
  }

  /// A row group of the WAL's tail.
  ///
  /// - Parameter dropping: requests whose rows do not count, besides those that the tail drops.
  func rowGroup(_ group: WALRowGroup, dropping: [Int] = [], _ cache: QueryCache) -> LogRowGroup {
    let whole = rowGroups(group.segment, cache)[group.index]
    if group.droppedRequests.isEmpty && dropping.isEmpty { return whole }
    return LogRowGroup(
      whole.file, group.index, bytes: whole.bytes, droppedRequests: group.droppedRequests + dropping,
      countedRows: dropping.isEmpty ? group.rowCount : nil)
  }

  private static let footerBytesHint = 256 << 10
}
