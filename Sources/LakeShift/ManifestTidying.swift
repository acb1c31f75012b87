import LakeIceberg
import LakeModel
import LakePorts
import LakeSchema

/// Puts small manifests of a table together, in a commit of its own with the same files: every shift adds one manifest, and
/// readers open them all. The table properties `commit.manifest.*` say when.
///
/// A commit that loses its race is left for another time; what it uploaded is swept (DEL-3). The state of the queue is not
/// touched (SHF-2).
struct ManifestTidying: Sendable {
  let ports: Ports
  let table: TableIdentifier

  /// - Returns: whether manifests were merged.
  func run(on base: TableState) async throws(ShiftError) -> Bool {
    let merge = ManifestMerge(base.metadata)
    guard merge.isEnabled, let snapshot = base.metadata.currentSnapshot else { return false }
    do throws(ObjectStoreError) {
      let list = try await bytes(snapshot.manifestList)
      let manifests = try decoded { () throws(IcebergError) in try ManifestList.decode(list) }
      let groups = merge.plan(manifests)
      if groups.isEmpty { return false }
      var entries: [String: [ManifestEntry]] = [:]
      for manifest in groups.joined() {
        let bytes = try await bytes(manifest.path)
        entries[manifest.path] = try decoded { () throws(IcebergError) in
          try Manifest.decode(bytes, of: manifest, table: base.metadata)
        }
      }
      let commit = try decoded { () throws(IcebergError) in
        try merge.commit(groups, to: base.metadata, manifests: manifests, entries: entries, context: context())
      }
      for upload in commit.uploads {
        _ = try await ports.store.put(try key(upload.location), upload.bytes, condition: .ifAbsent)
      }
      return await isCommitted(commit)
    } catch {
      switch error {
      case .cancelled: throw .cancelled
      // The base is old, or an upload has no known outcome: another time.
      case .notFound, .outcomeUnknown, .preconditionFailed, .unavailable, .throttled: return false
      default: throw .store(error)
      }
    }
  }

  private func isCommitted(_ commit: SnapshotCommit) async -> Bool {
    do throws(CatalogError) {
      _ = try await ports.catalog.commit(table, requirements: commit.requirements, updates: commit.updates)
      return true
    } catch {
      ports.journal.note(.debug, "shift.manifests.left", [("table", "\(table)"), ("error", "\(error)")])
      return false
    }
  }

  private func context() -> CommitContext {
    CommitContext(
      snapshotID: max(1, Int64(bitPattern: ports.random.next() >> 1)), commitUUID: ports.random.uuid(),
      now: Int64(ports.wall.now.nanoseconds / 1_000_000), properties: [:], summary: [:])
  }

  private func bytes(_ location: String) async throws(ObjectStoreError) -> Bytes {
    try await ports.store.get(try key(location)).bytes
  }

  private func key(_ location: String) throws(ObjectStoreError) -> ObjectKey {
    do throws(WarehouseError) { return try ports.warehouse.key(of: location) } catch { throw .denied("\(error)") }
  }

  private func decoded<Value>(_ body: () throws(IcebergError) -> Value) throws(ObjectStoreError) -> Value {
    do throws(IcebergError) { return try body() } catch { throw .denied("\(table): \(error)") }
  }
}
