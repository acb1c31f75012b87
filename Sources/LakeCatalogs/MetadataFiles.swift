import LakeIceberg
import LakeModel
import LakePorts
import LakeSchema
import Synchronization

/// Reads and writes `metadata.json` files; remembers those read last, because a location never names two contents.
///
/// A lock and not an actor: every query asks for the table, and what is remembered must not cost it a hop to another thread.
final class MetadataFiles: Sendable {
  private let store: any ObjectStore
  private let warehouse: WarehouseLocation
  /// Oldest use first.
  private let remembered = Mutex<[(location: String, metadata: TableMetadata)]>([])
  private static let rememberedMax = 32

  init(store: any ObjectStore, warehouse: WarehouseLocation) {
    self.store = store
    self.warehouse = warehouse
  }

  /// - Throws: `.notFound` for the caller to look whether the pointer has moved meanwhile.
  func read(_ location: String) async throws(MetadataFileError) -> TableMetadata {
    if let metadata = recall(location) { return metadata }
    let key: ObjectKey
    do { key = try warehouse.key(of: location) } catch { throw .unreadable("\(error)") }
    let bytes: Bytes
    do { bytes = try await store.get(key).bytes } catch {
      switch error {
      case .notFound: throw .notFound
      case .cancelled: throw .cancelled
      case .denied(let why): throw .denied(why)
      case .corrupt(_, let why): throw .unreadable("\(location): \(why)")
      case .preconditionFailed, .rangeNotSatisfiable, .unavailable, .throttled, .outcomeUnknown:
        throw .unavailable("\(error)")
      }
    }
    do {
      let metadata = try TableMetadataCodec.decode(bytes)
      remember(location, metadata)
      return metadata
    } catch { throw .unreadable("\(location): \(error)") }
  }

  /// Writes a file that nobody knows of yet. However it fails, no pointer leads to it.
  func write(_ metadata: TableMetadata, to location: String) async throws(MetadataFileError) {
    let key: ObjectKey
    do { key = try warehouse.key(of: location) } catch { throw .invalid("\(error)") }
    let isGzip = MetadataFileName(location: location)?.isGzip ?? false
    do {
      _ = try await store.put(key, TableMetadataCodec.encode(metadata, gzip: isGzip), condition: .ifAbsent)
    } catch {
      switch error {
      case .cancelled: throw .cancelled
      case .denied(let why): throw .denied(why)
      case .notFound, .preconditionFailed, .rangeNotSatisfiable, .unavailable, .throttled, .outcomeUnknown, .corrupt:
        throw .unavailable("\(error)")
      }
    }
    remember(location, metadata)
  }

  /// Tidies up; what cannot be deleted is an orphan.
  func delete(_ locations: [String]) async {
    _ = await store.deleteAll(locations.compactMap { try? warehouse.key(of: $0) })
  }

  private func recall(_ location: String) -> TableMetadata? {
    remembered.withLock { remembered in
      guard let index = remembered.lastIndex(where: { $0.location == location }) else { return nil }
      if index < remembered.count - 1 { remembered.append(remembered.remove(at: index)) }
      return remembered.last?.metadata
    }
  }

  private func remember(_ location: String, _ metadata: TableMetadata) {
    remembered.withLock { remembered in
      remembered.removeAll { $0.location == location }
      remembered.append((location, metadata))
      if remembered.count > MetadataFiles.rememberedMax { remembered.removeFirst() }
    }
  }
}

enum MetadataFileError: Error, Sendable {
  case notFound
  case unavailable(String)
  case denied(String)
  case cancelled
  /// Not metadata, or not in this store.
  case unreadable(String)
  /// A location that this store cannot hold.
  case invalid(String)

  var catalogError: CatalogError {
    switch self {
    case .notFound: .corrupt("the metadata file is missing")
    case .unavailable(let why): .unavailable(why)
    case .denied(let why): .denied(why)
    case .cancelled: .cancelled
    case .unreadable(let why): .corrupt(why)
    case .invalid(let why): .invalid(why)
    }
  }
}
