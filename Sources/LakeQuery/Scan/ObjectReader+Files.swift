import LakeModel
import LakeParquet
import LakePorts

extension ObjectReader {
  /// The object that a location of the table's metadata means.
  func key(of location: String) throws(QueryError) -> ObjectKey {
    do throws(WarehouseError) { return try ports.warehouse.key(of: location) } catch {
      throw .corrupt("\(location) does not lie in the warehouse \(ports.warehouse)")
    }
  }

  /// The footer of a Parquet file, from the cache if it was read before.
  func footer(_ key: ObjectKey, size: Int, _ cache: QueryCache) async throws(QueryError) -> ParquetFile {
    let name = QueryCache.Key(object: key.text, part: .footer)
    if let kept = cache.value(name, as: ParquetFile.self) { return kept }
    var start = max(0, size - ObjectReader.footerBytesHint)
    while true {
      let tail = try await get(key, .span(start..<size))
      do throws(ParquetError) {
        let file = try ParquetFile(tail: tail, fileBytes: size)
        cache.keep(file, bytes: (size - start) * 4 + 1024, for: name)
        return file
      } catch {
        guard case .bytesMissing(let range) = error, range.lowerBound < start else {
          throw .corrupt("\(key): \(error)")
        }
        start = range.lowerBound
      }
    }
  }

  private static let footerBytesHint = 256 << 10
}
