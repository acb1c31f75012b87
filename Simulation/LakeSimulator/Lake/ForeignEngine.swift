import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema

/// Another engine on the same table, which knows Iceberg and nothing of the queue: it deletes rows, compacts, expires
/// snapshots and rolls back. Its own requests are never harmed; it gives up when it loses a race.
struct ForeignEngine {
  static let node = "foreign"

  let table: LakeTable
  let ports: Ports
  let random: LifeRandomness

  private var identifier: TableIdentifier { TableIdentifier(table) }

  enum Deed: CaseIterable { case delete, rewrite, expire, rollBack }

  func act(_ deed: Deed) async throws {
    let state = try await ports.catalog.loadTable(identifier)
    guard let snapshot = state.metadata.currentSnapshot else { return }
    switch deed {
    case .delete, .rewrite: try await change(state.metadata, snapshot, deed)
    case .expire: try await expire(state.metadata)
    case .rollBack: try await rollBack(state.metadata, snapshot)
    }
  }

  // MARK: files

  private func change(_ metadata: TableMetadata, _ snapshot: Snapshot, _ deed: Deed) async throws {
    let manifests = try ManifestList.decode(try await bytes(snapshot.manifestList))
    var entries: [String: [ManifestEntry]] = [:]
    for manifest in manifests {
      entries[manifest.path] = try Manifest.decode(try await bytes(manifest.path), of: manifest, table: metadata)
    }
    let files = manifests.flatMap { entries[$0.path]! }.filter(\.isLive).map(\.file)
    guard !files.isEmpty else { return }
    let chosen = files[random.uniform(0..<files.count)]
    let change: FileChange
    if deed == .delete {
      change = FileChange(.delete, removing: [chosen])
    } else {
      let group = files.filter { $0.specID == chosen.specID && $0.partition == chosen.partition }
      change = FileChange(
        .replace, adding: [try await merged(group, metadata)], removing: group,
        readSequenceNumber: snapshot.sequenceNumber)
    }
    let commit = try change.commit(
      to: metadata, manifests: manifests, entries: entries,
      context: CommitContext(
        snapshotID: max(1, Int64(bitPattern: random.next() >> 1)), commitUUID: random.uuid(), now: now,
        properties: [:], summary: [:]))
    for upload in commit.uploads {
      _ = try await ports.store.put(try ports.warehouse.key(of: upload.location), upload.bytes, condition: .ifAbsent)
    }
    try await self.commit(commit.requirements, commit.updates, metadata)
  }

  /// One file with the rows of several, in no order.
  private func merged(_ files: [DataFile], _ metadata: TableMetadata) async throws -> DataFile {
    var writer = try ParquetWriter(schema: metadata.schema!, layouts: table.layouts, options: ParquetWriterOptions())
    for file in files {
      let bytes = try await bytes(file.path)
      let parquet = try ParquetFile(bytes)
      for group in parquet.rowGroups {
        let projection = try parquet.projection(to: metadata.schema!)
        try writer.writeRowGroup(try parquet.readRowGroup(group.index, projection: projection, file: bytes))
      }
    }
    let summary = try writer.finish()
    let directory = files[0].path[..<files[0].path.lastIndex(of: "/")!]
    let location = "\(directory)/\(random.uuid()).parquet"
    let whole = Bytes(writer.takeOutput().flatMap(\.array))
    _ = try await ports.store.put(try ports.warehouse.key(of: location), whole, condition: .ifAbsent)
    return DataFile(
      path: location, specID: files[0].specID, partition: files[0].partition, recordCount: Int64(summary.rowCount),
      fileSize: Int64(summary.bytes))
  }

  // MARK: snapshots

  private func expire(_ metadata: TableMetadata) async throws {
    let plan = SnapshotExpiry(
      snapshotAgeMax: Int64(random.uniform(0..<60_000)), snapshotsToKeepMin: random.uniform(1..<4)
    ).plan(metadata, now: now)
    guard !plan.snapshots.isEmpty else { return }
    let gone = Set(plan.snapshots)
    var kept: [UnreachableFiles.List] = []
    var expired: [UnreachableFiles.List] = []
    for snapshot in metadata.snapshots {
      let list = UnreachableFiles.List(
        location: snapshot.manifestList, manifests: try ManifestList.decode(try await bytes(snapshot.manifestList)))
      if gone.contains(snapshot.id) { expired.append(list) } else { kept.append(list) }
    }
    var files = UnreachableFiles(kept: kept, expired: expired)
    for manifest in files.manifestsToRead {
      files.add(try Manifest.decode(try await bytes(manifest.path), of: manifest, table: metadata), of: manifest)
    }
    try await commit(requirements(metadata), plan.updates, metadata)
    for location in files.result() { try await ports.store.delete(try ports.warehouse.key(of: location)) }
  }

  /// As engines do that know nothing better: the branch is pointed at an older snapshot.
  private func rollBack(_ metadata: TableMetadata, _ snapshot: Snapshot) async throws {
    let older = metadata.ancestry(of: snapshot.id).dropFirst().prefix(3)
    guard !older.isEmpty else { return }
    let target = Array(older)[random.uniform(0..<older.count)]
    let ref = SnapshotRef(snapshotID: target.id, kind: .branch)
    try await commit(
      requirements(metadata), [.setSnapshotRef(name: TableMetadata.mainBranch, ref)], metadata, target: target)
  }

  private func requirements(_ metadata: TableMetadata) -> [TableRequirement] {
    [
      .assertTableUUID(metadata.tableUUID),
      .assertRefSnapshotID(ref: TableMetadata.mainBranch, snapshotID: metadata.currentSnapshotID),
    ]
  }

  private func commit(
    _ requirements: [TableRequirement], _ updates: [TableUpdate], _ metadata: TableMetadata, target: Snapshot? = nil
  ) async throws {
    var updates = updates
    if ports.hasPlanted(.loseStateInForeignCommit) { updates.append(.removeProperties([ObservedState.property])) }
    if ports.hasPlanted(.rollBackState), target != nil, let state = metadata.properties[ObservedState.property] {
      updates.append(.setProperties([ObservedState.property: ForeignEngine.older(state)]))
    }
    _ = try await ports.catalog.commit(identifier, requirements: requirements, updates: updates)
  }

  /// The state as it was a generation ago, about.
  private static func older(_ state: String) -> String {
    guard let generation = ObservedState(text: state)?.generation, generation > 0 else { return state }
    return state.split(separator: "\"generation\":\(generation)", maxSplits: 1, omittingEmptySubsequences: false)
      .joined(separator: "\"generation\":\(generation - 1)")
  }

  private var now: Int64 { Int64(ports.wall.now.nanoseconds / 1_000_000) }

  private func bytes(_ location: String) async throws -> Bytes {
    try await ports.store.get(try ports.warehouse.key(of: location)).bytes
  }
}

extension Lake {
  /// Another engine works on the table `logs` until faults stop.
  func unleashForeignEngine(_ deeds: [ForeignEngine.Deed] = [.delete, .rewrite, .rewrite, .expire, .expire, .rollBack])
  {
    let life = world.simulation.life(of: ForeignEngine.node)
    world.network.trusted.insert(ForeignEngine.node)
    let ports = world.ports(for: life)
    let random = LifeRandomness(world.simulation.random.fork("foreign"))
    let engine = ForeignEngine(table: settings.logs, ports: ports, random: random)
    life.start { [self] in
      while world.simulation.faults.isActive {
        do { try await ports.clock.sleep(for: .milliseconds(random.uniform(500..<12_000))) } catch { return }
        guard world.simulation.faults.occurs(.foreignCommit) else { continue }
        let deed = deeds[random.uniform(0..<deeds.count)]
        var result = "done"
        do { try await engine.act(deed) } catch { result = "\(error)" }
        note(deed, result, life)
      }
    }
  }

  private func note(_ deed: ForeignEngine.Deed, _ result: String, _ life: Life) {
    let facts: [(StaticString, String)] = [("result", result)]
    let (journal, now) = (world.simulation.journal, world.simulation.scheduler.now)
    if result != "done" { return journal.note("foreign.failed", life: life, at: now, facts) }
    switch deed {
    case .delete: journal.note("foreign.delete", life: life, at: now, facts)
    case .rewrite: journal.note("foreign.rewrite", life: life, at: now, facts)
    case .expire: journal.note("foreign.expire", life: life, at: now, facts)
    case .rollBack: journal.note("foreign.rollback", life: life, at: now, facts)
    }
  }
}
