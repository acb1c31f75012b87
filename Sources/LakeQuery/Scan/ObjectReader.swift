import LakeModel
import LakePorts
import Synchronization

/// Fetches ranges of objects for one query and counts them.
struct ObjectReader: Sendable {
  let ports: Ports
  let context: QueryContext

  /// - Throws: `.vanished` when the object is gone: the view is outdated (RDR-4).
  func get(_ key: ObjectKey, _ range: ByteRange? = nil) async throws(QueryError) -> Bytes {
    try context.check()
    do throws(ObjectStoreError) {
      let bytes = try await ports.store.get(key, range: range).bytes
      var statistics = QueryStatistics()
      statistics.fetches = 1
      statistics.bytesFetched = bytes.count
      context.count(statistics)
      return bytes
    } catch {
      throw QueryError(error)
    }
  }

  /// Several ranges, fetched at the same time. - Returns: one piece for each, in order.
  func get(_ key: ObjectKey, _ ranges: [Range<Int>]) async throws(QueryError) -> [Bytes] {
    if ranges.count == 1 { return [try await get(key, .span(ranges[0]))] }
    let pieces = await withTaskGroup(of: (Int, Result<Bytes, QueryError>).self) { group in
      for (index, range) in ranges.enumerated() {
        group.addTask {
          do throws(QueryError) { return (index, .success(try await get(key, .span(range)))) } catch {
            return (index, .failure(error))
          }
        }
      }
      var pieces = [Result<Bytes, QueryError>?](repeating: nil, count: ranges.count)
      for await (index, piece) in group { pieces[index] = piece }
      return pieces
    }
    var found: [Bytes] = []
    for piece in pieces { if let piece { found.append(try piece.get()) } }
    return found
  }
}

extension QueryError {
  init(_ error: ObjectStoreError) {
    switch error {
    case .notFound(let key): self = .vanished("\(key)")
    case .cancelled: self = .cancelled
    case .corrupt(let key, let message): self = .corrupt("\(key): \(message)")
    case .rangeNotSatisfiable(let key, let size): self = .corrupt("\(key) has only \(size) bytes")
    case .preconditionFailed(let key): self = .corrupt("\(key): an unexpected answer of the store")
    case .unavailable(let message), .throttled(let message), .outcomeUnknown(_, let message), .denied(let message):
      self = .unavailable(message)
    }
  }
}
