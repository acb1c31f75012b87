package import LakeIceberg
import LakeModel
package import LakePorts
package import LakeSchema

/// Expires snapshots and deletes the files that only they led to. Source: Iceberg table specification, "Snapshot
/// Retention Policy"; the table's `history.expire.*` and `gc.enabled` properties.
///
/// What a snapshot that stays, a branch or a tag leads to is never deleted: the commit is taken only if no ref has moved
/// since the plan was made, and what is deleted is computed from the table that the commit left behind. A process that
/// ends in between leaves files that nothing names, which the sweep of orphans finds (DEL-3). Objects of the queue and
/// fingerprints are in no manifest and are not touched (DEL-1, DEL-4).
package struct SnapshotExpirer: Sendable {
  let ports: Ports

  package init(ports: Ports) { self.ports = ports }

  package struct Outcome: Hashable, Sendable {
    /// Ascending.
    package var snapshots: [Int64] = []
    package var refs: [String] = []
    /// Locations that were, or in a rehearsal would be, deleted: data and delete files, then manifests, lists, statistics.
    package var files: [String] = []
    /// Locations that could not be deleted: they lie outside the warehouse, or the store refused.
    package var left: [String] = []

    package init() {}
  }

  package enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
    case catalog(CatalogError)
    case store(ObjectStoreError, location: String)
    case iceberg(IcebergError, location: String)
    case outside(location: String)
    /// The table's `gc.enabled` is false: its files may belong to others.
    case forbidden(TableIdentifier)

    package var description: String {
      switch self {
      case .catalog(let error): "the catalog refused: \(error)"
      case .store(let error, let location): "\(location): \(error)"
      case .iceberg(let error, let location): "\(location): \(error)"
      case .outside(let location): "\(location) lies outside the warehouse"
      case .forbidden(let table): "\(table) has gc.enabled = false: files may be shared, nothing is expired"
      }
    }
  }

  /// A reader that began with the newest snapshot may still be reading it for so long after the next one came.
  package static let readGrace: Int64 = 15 * 60 * 1000
  private static let conflictsMax = 10

  /// - Parameters:
  ///   - expiry: nil: as the table's properties say.
  ///   - now: milliseconds since the epoch; nil: the time of the table's last change, so that no clock of ours can
  ///     expire too much. An idle table then keeps what it has.
  ///   - readGrace: milliseconds that a snapshot stays after the one that followed it.
  package func run(
    _ table: TableIdentifier, expiry: SnapshotExpiry? = nil, now: Int64? = nil,
    readGrace: Int64 = SnapshotExpirer.readGrace, isRehearsal: Bool = false
  ) async throws(Failure) -> Outcome {
    var attempt = 1
    while true {
      let before = try await load(table)
      guard before.properties.flag(TableProperties.garbageCollection, default: true) else { throw .forbidden(table) }
      let plan = (expiry ?? SnapshotExpiry(before))
        .plan(before, now: now ?? before.lastUpdated)
        .sparing(before, now: now ?? before.lastUpdated, readGrace: readGrace)
      var outcome = Outcome()
      (outcome.snapshots, outcome.refs) = (plan.snapshots, plan.refs)
      if plan.updates.isEmpty { return outcome }
      if isRehearsal {
        outcome.files = try await unreachable(before, gone: Set(plan.snapshots), plan.statistics(before))
        return outcome
      }
      guard let after = try await commit(plan, table, before, isLast: attempt == Self.conflictsMax) else {
        attempt += 1
        continue
      }
      let kept = Set(after.snapshots.map(\.id))
      let gone = Set(before.snapshots.map(\.id)).subtracting(kept)
      var merged = after
      merged.snapshots += before.snapshots.filter { gone.contains($0.id) }
      let used = Set(after.statistics.map(\.path) + after.partitionStatistics.map(\.path))
      outcome.files = try await unreachable(
        merged, gone: gone, plan.statistics(before).filter { !used.contains($0) })
      outcome.left = await delete(outcome.files)
      outcome.files.removeAll { Set(outcome.left).contains($0) }
      ports.journal.note(
        .info, "maintain.expire",
        [
          ("table", table.description), ("snapshots", "\(outcome.snapshots.count)"),
          ("files", "\(outcome.files.count)"), ("left", "\(outcome.left.count)"),
        ])
      return outcome
    }
  }

  private func load(_ table: TableIdentifier) async throws(Failure) -> TableMetadata {
    do throws(CatalogError) { return try await ports.catalog.loadTable(table).metadata } catch { throw .catalog(error) }
  }

  /// - Returns: nil when somebody else's commit came first.
  private func commit(
    _ plan: SnapshotExpiry.Plan, _ table: TableIdentifier, _ before: TableMetadata, isLast: Bool
  ) async throws(Failure) -> TableMetadata? {
    var requirements = [TableRequirement.assertTableUUID(before.tableUUID)]
    for name in before.refs.keys.sorted() {
      requirements.append(.assertRefSnapshotID(ref: name, snapshotID: before.refs[name]?.snapshotID))
    }
    do throws(CatalogError) {
      return try await ports.catalog.commit(table, requirements: requirements, updates: plan.updates).metadata
    } catch {
      if case .conflict = error, !isLast { return nil }
      throw .catalog(error)
    }
  }

  /// What only snapshots in `gone` lead to.
  ///
  /// - Parameter table: with the snapshots that stay and those that go.
  private func unreachable(
    _ table: TableMetadata, gone: Set<Int64>, _ statistics: [String]
  ) async throws(Failure) -> [String] {
    var files = UnreachableFiles()
    for snapshot in table.snapshots {
      let list = UnreachableFiles.List(
        location: snapshot.manifestList, manifests: try await manifests(snapshot.manifestList))
      if gone.contains(snapshot.id) { files.add(expired: list) } else { files.add(kept: list) }
    }
    for manifest in files.manifestsToRead {
      files.add(try await entries(manifest, table), of: manifest)
    }
    return files.result() + statistics
  }

  private func manifests(_ location: String) async throws(Failure) -> [ManifestFile] {
    let bytes = try await bytes(location)
    do throws(IcebergError) { return try ManifestList.decode(bytes) } catch {
      throw .iceberg(error, location: location)
    }
  }

  private func entries(_ manifest: ManifestFile, _ table: TableMetadata) async throws(Failure) -> [ManifestEntry] {
    let bytes = try await bytes(manifest.path)
    do throws(IcebergError) {
      return try Manifest.decode(bytes, of: manifest, table: table, metrics: .only([]))
    } catch { throw .iceberg(error, location: manifest.path) }
  }

  private func bytes(_ location: String) async throws(Failure) -> Bytes {
    guard let key = try? ports.warehouse.key(of: location) else { throw .outside(location: location) }
    do throws(ObjectStoreError) { return try await ports.store.get(key).bytes } catch {
      throw .store(error, location: location)
    }
  }

  /// - Returns: what is still there, ascending.
  private func delete(_ locations: [String]) async -> [String] {
    var left: [String] = []
    var places: [ObjectKey: String] = [:]
    var keys: [ObjectKey] = []
    for location in locations {
      guard let key = try? ports.warehouse.key(of: location) else {
        left.append(location)
        continue
      }
      keys.append(key)
      places[key] = location
    }
    for failure in await ports.store.deleteAll(keys) {
      if let location = places[failure.key] { left.append(location) }
    }
    return left.sorted()
  }
}

extension SnapshotExpiry.Plan {
  /// Without snapshots that were followed by another one only just now.
  fileprivate func sparing(_ table: TableMetadata, now: Int64, readGrace: Int64) -> SnapshotExpiry.Plan {
    var spared: Set<Int64> = []
    for snapshot in table.snapshots where now - snapshot.timestamp < readGrace {
      if let parent = snapshot.parentID { spared.insert(parent) }
    }
    var plan = self
    plan.snapshots.removeAll { spared.contains($0) }
    return plan
  }

  /// Locations of statistics of the snapshots that go.
  fileprivate func statistics(_ table: TableMetadata) -> [String] {
    let gone = Set(snapshots)
    let paths =
      table.statistics.filter { gone.contains($0.snapshotID) }.map(\.path)
      + table.partitionStatistics.filter { gone.contains($0.snapshotID) }.map(\.path)
    return Set(paths).sorted()
  }
}
