import LakeIceberg
import LakeModel
package import LakePorts
import LakeSchema
import LakeWAL

/// Finds files below a table's location that no snapshot names: left behind by plans that lost their race and commits that
/// failed (DEL-3). Decides nothing: `ShiftMemory` says which may go.
///
/// Only names that this program gives are looked at, so that a file that another engine is writing for hours is never
/// taken for an orphan.
struct OrphanSweep: Sendable {
  let ports: Ports

  /// Keys of files of ours below the table's location.
  func listed(_ table: TableMetadata) async throws(ShiftError) -> [ObjectKey] {
    var listed: [ObjectKey] = []
    for directory in [DataFilePlaces.data(of: table), table.metadataDirectory] {
      let key = try self.key(directory + "/x")
      do throws(ObjectStoreError) {
        listed += try await ports.store.listAll(prefix: String(key.text.dropLast())).map(\.key)
      } catch {
        if case .cancelled = error { throw .cancelled }
        throw .store(error)
      }
    }
    return listed.filter { DataFilePlaces.isOurs($0) }
  }

  /// Every file that some snapshot leads to.
  ///
  /// - Parameter table: loaded after the listing, so that what was committed meanwhile counts as named.
  /// - Throws: `.wal(.vanished)` when snapshots were expired meanwhile: try again later.
  func named(in table: TableMetadata) async throws(ShiftError) -> Set<ObjectKey> {
    var named: Set<ObjectKey> = []
    var manifests: [String: ManifestFile] = [:]
    for snapshot in table.snapshots {
      named.insert(try key(snapshot.manifestList))
      let bytes = try await bytes(snapshot.manifestList)
      for manifest in try decoding({ () throws(IcebergError) in try ManifestList.decode(bytes) }) {
        manifests[manifest.path] = manifest
      }
    }
    for path in manifests.keys.sorted() {
      named.insert(try key(path))
      let (manifest, bytes) = (manifests[path]!, try await bytes(path))
      let entries = try decoding { () throws(IcebergError) in
        try Manifest.decode(bytes, of: manifest, table: table, metrics: .only([]))
      }
      for entry in entries where entry.isLive { named.insert(try key(entry.file.path)) }
    }
    return named
  }

  private func decoding<Value>(_ body: () throws(IcebergError) -> Value) throws(ShiftError) -> Value {
    do throws(IcebergError) { return try body() } catch { throw .unfit("\(error)") }
  }

  private func key(_ location: String) throws(ShiftError) -> ObjectKey {
    do throws(WarehouseError) { return try ports.warehouse.key(of: location) } catch { throw .unfit("\(error)") }
  }

  private func bytes(_ location: String) async throws(ShiftError) -> Bytes {
    let key = try key(location)
    do throws(ObjectStoreError) {
      return try await ports.store.get(key).bytes
    } catch {
      switch error {
      case .notFound: throw .wal(.vanished(key))
      case .cancelled: throw .cancelled
      default: throw .store(error)
      }
    }
  }
}

/// Where the shift puts files, and how it names them.
package enum DataFilePlaces {
  /// The directory of a table's data files; no slash at the end.
  static func data(of table: TableMetadata) -> String {
    table.properties["write.data.path"] ?? table.location + "/data"
  }

  /// `{uuid}.parquet`, `{uuid}-m{n}.avro`, `snap-{id}-{attempt}-{uuid}.avro`: names that are given once and never again.
  package static func isOurs(_ key: ObjectKey) -> Bool {
    let text = key.text[(key.text.lastIndex(of: "/").map { key.text.index(after: $0) } ?? key.text.startIndex)...]
    if text.hasSuffix(".parquet") { return isUUID(text.dropLast(8)) }
    guard text.hasSuffix(".avro") else { return false }
    let stem = text.dropLast(5)
    if stem.hasPrefix("snap-") { return isUUID(stem.suffix(36)) }
    let parts = stem.dropFirst(36)
    return isUUID(stem.prefix(36)) && parts.hasPrefix("-m") && !parts.dropFirst(2).isEmpty
      && parts.dropFirst(2).allSatisfy(\.isNumber)
  }

  private static func isUUID(_ text: Substring) -> Bool {
    text.utf8.count == 36
      && text.utf8.enumerated().allSatisfy { index, byte in
        [8, 13, 18, 23].contains(index)
          ? byte == UInt8(ascii: "-") : (48...57).contains(byte) || (97...102).contains(byte)
      }
  }
}
