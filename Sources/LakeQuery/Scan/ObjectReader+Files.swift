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

  /// A segment whose footer the WAL's reader has read.
  func file(_ segment: OpenSegment, _ cache: QueryCache) -> LogFile {
    let name = QueryCache.Key(object: QueryCache.Name(segment.key.text), part: .footer)
    if let kept = cache.value(name, as: LogFile.self) { return kept }
    let file = LogFile(segment.file, key: segment.key)
    cache.keep(file, bytes: file.memoryBytes, for: name)
    return file
  }

  private static let footerBytesHint = 256 << 10
}
