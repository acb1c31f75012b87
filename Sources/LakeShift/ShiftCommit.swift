import LakeIceberg
import LakeModel
import LakePorts
import LakeSchema
import LakeWAL

/// Commits one plan, or finds out that it is over (SHF-3, SHF-4).
struct ShiftCommit: Sendable {
  enum Outcome: Sendable {
    /// The table as the commit left it.
    case committed(TableState)
    /// Another generation stands: whoever won, this plan is over.
    case over(TableState)
  }

  let ports: Ports
  let settings: ShiftSettings
  let table: TableIdentifier
  let plan: ShiftPlan
  let state: QueueState
  let files: [DataFile]
  /// When the plan was begun, on this life's clock.
  let began: ClockInstant

  func run(on base: TableState) async throws(ShiftError) -> Outcome {
    var base = base
    var attempt = 0
    while true {
      if attempt > 0 { try await Backoff(ports: ports).rest(attempt) }
      attempt += 1
      // SHF-4: an old plan is not committed, however long the process slept.
      guard began.duration(to: ports.clock.now) < settings.planAgeMax else {
        ports.journal.note(.debug, "shift.plan.old", [("table", "\(table)")])
        throw .gaveUp("the plan is too old")
      }
      // SHF-3: valid only on the generation it was made from; equal generations are equal states (SHF-2).
      guard try generation(of: base) == plan.generation || ports.hasPlanted(.commitOnAnyGeneration) else {
        ports.journal.note(.debug, "shift.over", [("table", "\(table)")])
        return .over(base)
      }
      switch try await attemptCommit(on: base) {
      case .committed(let table): return .committed(table)
      case .again: continue
      // SHF-4: conflict or unknown outcome: look again. The same files go onto the new base.
      case .reload: base = try await reload()
      }
    }
  }

  private enum Attempt {
    case committed(TableState)
    case again
    case reload
  }

  private func generation(of base: TableState) throws(ShiftError) -> Int {
    do throws(WALError) {
      return try QueueState(of: base.metadata).generation
    } catch {
      throw .wal(error)
    }
  }

  private func attemptCommit(on base: TableState) async throws(ShiftError) -> Attempt {
    let manifests: [ManifestFile]
    switch try await self.manifests(of: base) {
    case .found(let found): manifests = found
    case .failed(let attempt): return attempt
    }
    let entries = try await entriesToMerge(manifests, of: base)
    let commit: SnapshotCommit
    do throws(IcebergError) {
      // SHF-2: the state changes with this snapshot, which may hold no new file.
      commit =
        if let entries {
          try MergeAppend(files: files, table: base.metadata)
            .commit(to: base.metadata, manifests: manifests, entries: entries, context: context())
        } else {
          try FastAppend(files: files).commit(to: base.metadata, manifests: manifests, context: context())
        }
    } catch {
      throw .unfit("\(table): \(error)")
    }
    for upload in commit.uploads where try await !put(upload) { return .again }
    do throws(CatalogError) {
      return .committed(
        try await ports.catalog.commit(table, requirements: commit.requirements, updates: commit.updates))
    } catch {
      ports.journal.note(.debug, "shift.commit.failed", [("table", "\(table)"), ("error", "\(error)")])
      switch error {
      case .conflict: return .reload
      case .outcomeUnknown:
        if ports.hasPlanted(.deleteFilesOfUnknownCommit) { await deleteFiles() }
        return .reload
      case .unavailable: return .again
      case .cancelled: throw .cancelled
      default: throw .catalog(error)
      }
    }
  }

  private func context() -> CommitContext {
    CommitContext(
      snapshotID: max(1, Int64(bitPattern: ports.random.next() >> 1)), commitUUID: ports.random.uuid(),
      now: Int64(ports.wall.now.nanoseconds / 1_000_000), properties: [QueueState.property: state.json],
      summary: [QueueState.generationProperty: "\(state.generation)"])
  }

  private enum Manifests {
    case found([ManifestFile])
    case failed(Attempt)
  }

  private func manifests(of base: TableState) async throws(ShiftError) -> Manifests {
    guard let snapshot = base.metadata.currentSnapshot else { return .found([]) }
    let bytes: Bytes
    do throws(ObjectStoreError) {
      bytes = try await ports.store.get(try key(snapshot.manifestList)).bytes
    } catch {
      switch error {
      // The manifest list is gone: the base is old.
      case .notFound:
        ports.journal.note(.debug, "shift.base.expired", [("table", "\(table)")])
        return .failed(.reload)
      case .unavailable, .throttled, .outcomeUnknown: return .failed(.again)
      case .cancelled: throw .cancelled
      default: throw .store(error)
      }
    }
    do throws(IcebergError) {
      return .found(try ManifestList.decode(bytes))
    } catch {
      throw .unfit("\(table): \(error)")
    }
  }

  /// What a commit that merges manifests must see of them; nil when there is nothing to merge, or one of them cannot be
  /// read: merging saves work and decides nothing, so the next commit may do it.
  private func entriesToMerge(
    _ manifests: [ManifestFile], of base: TableState
  ) async throws(ShiftError) -> [String: [ManifestEntry]]? {
    let needed = MergeAppend(files: files, table: base.metadata).manifestsNeeded(manifests)
    guard !needed.isEmpty else { return nil }
    var entries: [String: [ManifestEntry]] = [:]
    for manifest in needed {
      do {
        let bytes = try await ports.store.get(try key(manifest.path)).bytes
        entries[manifest.path] = try Manifest.decode(bytes, of: manifest, table: base.metadata)
      } catch ObjectStoreError.cancelled {
        throw .cancelled
      } catch {
        ports.journal.note(.debug, "shift.merge.skipped", [("table", "\(table)"), ("error", "\(error)")])
        return nil
      }
    }
    ports.journal.note(.debug, "shift.manifests.merged", [("table", "\(table)"), ("manifests", "\(needed.count)")])
    return entries
  }

  private func key(_ location: String) throws(ObjectStoreError) -> ObjectKey {
    do throws(WarehouseError) {
      return try ports.warehouse.key(of: location)
    } catch {
      throw .denied("\(error)")
    }
  }

  /// - Returns: false when the upload was not answered: the commit is built anew, under new names.
  private func put(_ upload: SnapshotCommit.Upload) async throws(ShiftError) -> Bool {
    do throws(ObjectStoreError) {
      _ = try await ports.store.put(try key(upload.location), upload.bytes, condition: .ifAbsent)
      return true
    } catch {
      switch error {
      case .outcomeUnknown, .unavailable, .throttled, .preconditionFailed: return false
      case .cancelled: throw .cancelled
      default: throw .store(error)
      }
    }
  }

  private func reload() async throws(ShiftError) -> TableState {
    var attempt = 0
    while true {
      do throws(CatalogError) {
        return try await ports.catalog.loadTable(table)
      } catch {
        switch error {
        case .cancelled: throw .cancelled
        case .unavailable, .outcomeUnknown: break
        default: throw .catalog(error)
        }
      }
      guard began.duration(to: ports.clock.now) < settings.planAgeMax else { throw .gaveUp("the catalog is away") }
      attempt += 1
      try await Backoff(ports: ports).rest(attempt)
    }
  }

  private func deleteFiles() async {
    _ = await ports.store.deleteAll(files.compactMap { try? ports.warehouse.key(of: $0.path) })
  }
}
