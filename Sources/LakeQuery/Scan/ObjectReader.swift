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
    let pieces = await withTaskGroup(of: Piece.self) { group in
      for (index, range) in ranges.enumerated() {
        group.addTask { await piece(index, key, range) }
      }
      var pieces = [Result<Bytes, QueryError>?](repeating: nil, count: ranges.count)
      for await piece in group { pieces[piece.index] = piece.outcome }
      return pieces
    }
    var found: [Bytes] = []
    for piece in pieces { if let piece { found.append(try piece.get()) } }
    return found
  }

  private struct Piece: Sendable {
    let index: Int
    let outcome: Result<Bytes, QueryError>
  }

  /// A function of its own rather than the body of a task's closure: a typed `do throws` there came out of the optimiser of
  /// Swift 6.3.1 with a wrong index (release only; the 500,000-record corpus trapped on it).
  private func piece(_ index: Int, _ key: ObjectKey, _ range: Range<Int>) async -> Piece {
    do throws(QueryError) {
      return Piece(index: index, outcome: .success(try await get(key, .span(range))))
    } catch {
      return Piece(index: index, outcome: .failure(error))
    }
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
