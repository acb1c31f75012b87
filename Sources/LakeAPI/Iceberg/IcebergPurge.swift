import LakeIceberg
import LakeModel
import LakePorts
import LakeSchema

/// Every file of one table, for a drop that takes them along.
///
/// What is found is what the table's metadata leads to and lies where the table keeps its files: those that it was only
/// pointed at (registered, imported) may be somebody else's.
struct IcebergPurge: Sendable {
  let ports: Ports
  let state: TableState

  private static let readsAtOnce = 8

  /// Whether the table lets go of its files at all.
  var isAllowed: Bool { state.metadata.properties.flag("gc.enabled", default: true) }

  /// Data files first, metadata last: what is left halfway still says what it belonged to.
  func keys() async throws(IcebergRefusal) -> [ObjectKey] {
    let metadata = state.metadata
    let lists = try await read(metadata.snapshots.map(\.manifestList)) { ($0, try ManifestList.decode($1)) }
    var files = UnreachableFiles(kept: [], expired: lists.map { .init(location: $0.0, manifests: $0.1) })
    let manifests = Dictionary(files.manifestsToRead.map { ($0.path, $0) }) { first, _ in first }
    let entries = try await read(manifests.keys.sorted()) { path, bytes in
      (path, try Manifest.decode(bytes, of: manifests[path]!, table: metadata))
    }
    for (path, entries) in entries { files.add(entries, of: manifests[path]!) }
    let described =
      metadata.statistics.map(\.path) + metadata.partitionStatistics.map(\.path)
      + metadata.metadataLog.map(\.metadataFile) + [state.metadataLocation]
    return (files.result() + described).filter(isOwn).compactMap { try? ports.warehouse.key(of: $0) }
  }

  /// The places where this table puts files.
  private func isOwn(_ location: String) -> Bool {
    let properties = state.metadata.properties
    let places = [
      state.metadata.location, properties[TableProperties.dataPath], properties[TableProperties.metadataPath],
    ]
    return places.compactMap { $0 }.contains { location.hasPrefix(TableMetadata.withoutTrailingSlash($0) + "/") }
  }

  private func read<Part: Sendable>(
    _ locations: [String], _ decode: @escaping @Sendable (String, Bytes) throws -> Part
  ) async throws(IcebergRefusal) -> [Part] {
    let parts = await concurrently(locations, limit: Self.readsAtOnce) { location in await part(location, decode) }
    var found: [Part] = []
    for part in parts { found.append(try part.get()) }
    return found
  }

  private func part<Part: Sendable>(
    _ location: String, _ decode: @escaping @Sendable (String, Bytes) throws -> Part
  ) async -> Result<Part, IcebergRefusal> {
    let unreadable = IcebergRefusal(500, "InternalServerError", "\(location) cannot be read: nothing was dropped")
    guard let key = try? ports.warehouse.key(of: location) else { return .failure(unreadable) }
    let bytes: Bytes
    do { bytes = try await ports.store.get(key).bytes } catch {
      switch error {
      case .unavailable, .throttled, .cancelled: return .failure(IcebergRefusal(.unavailable("\(error)")))
      default: return .failure(unreadable)
      }
    }
    do { return .success(try decode(location, bytes)) } catch { return .failure(unreadable) }
  }
}
