import LakeIceberg
import LakeJSON
import LakeModel
import LakePorts
import LakeSchema

extension IcebergCommand {
  /// Adds and removes files that are there already.
  mutating func change() async throws {
    let table = try takeTable()
    guard let path = try arguments.option("--files") else { throw Arguments.Wrong(description: "--files wants a file") }
    guard let operation = try arguments.option("--operation").flatMap(FileChange.Operation.init(rawValue:)) else {
      throw Arguments.Wrong(description: "--operation wants overwrite, delete or replace")
    }
    let branch = try arguments.option("--branch") ?? TableMetadata.mainBranch
    try arguments.finish()
    let metadata = try await catalog.loadTable(table).metadata
    let described = try JSONDocument(Self.readLocal(path)).root
    let manifests = try await manifests(of: metadata.snapshot(ref: branch))
    let removing = Set(described["removing"]?.elements.compactMap { $0.string } ?? [])
    var found: [DataFile] = []
    for manifest in manifests where !removing.isEmpty && manifest.mayHoldLiveFiles {
      let entries = try Manifest.decode(await read(manifest.path), of: manifest, table: metadata)
      found += entries.filter { $0.isLive && removing.contains($0.file.path) }.map(\.file)
    }
    guard found.count == removing.count else { throw Arguments.Wrong(description: "a file to remove is not there") }
    let change = FileChange(
      operation, adding: try described["adding"]?.elements.map { try Self.dataFile($0, of: metadata) } ?? [],
      removing: found, readSequenceNumber: operation == .replace ? metadata.lastSequenceNumber : nil)
    let commit = try change.commit(
      to: metadata, branch: branch, manifests: manifests,
      entries: await entries(of: change.manifestsNeeded(manifests), metadata), context: commitContext())
    try await carryOut(commit, on: table)
  }

  mutating func merge() async throws {
    let table = try takeTable()
    let metadata = try await catalog.loadTable(table).metadata
    var merge = ManifestMerge(metadata)
    if let count = try arguments.int("--min-count", in: 2...1_000_000) { merge.countMin = count }
    try arguments.finish()
    let manifests = try await manifests(of: metadata.currentSnapshot)
    let groups = merge.plan(manifests)
    guard !groups.isEmpty else { return Self.print(Bytes("{}")) }
    let commit = try merge.commit(
      groups, to: metadata, manifests: manifests, entries: await entries(of: Array(groups.joined()), metadata),
      context: commitContext())
    try await carryOut(commit, on: table)
  }

  mutating func expire() async throws {
    let table = try takeTable()
    guard let age = try arguments.int("--older-than", in: 0...Int.max) else {
      throw Arguments.Wrong(description: "--older-than wants milliseconds")
    }
    let keep = try arguments.int("--keep", in: 1...1_000_000) ?? 1
    try arguments.finish()
    let before = try await catalog.loadTable(table).metadata
    let plan = SnapshotExpiry(snapshotAgeMax: Int64(age), snapshotsToKeepMin: keep)
      .plan(before, now: Int64(wall.now.nanoseconds / 1_000_000))
    let after = try await catalog.commit(
      table,
      requirements: [
        .assertTableUUID(before.tableUUID), .assertRefSnapshotID(ref: "main", snapshotID: before.currentSnapshotID),
      ], updates: plan.updates
    ).metadata
    var files = UnreachableFiles(
      kept: try await lists(of: after.snapshots),
      expired: try await lists(of: before.snapshots.filter { after.snapshot(id: $0.id) == nil }))
    for manifest in files.manifestsToRead {
      files.add(try Manifest.decode(await read(manifest.path), of: manifest, table: before), of: manifest)
    }
    let gone = files.result()
    if let failure = await store.deleteAll(try gone.map { try warehouse.key(of: $0) }).first { throw failure.error }
    var json = JSONWriter()
    json.object { json in
      json.member("expired_snapshots", plan.snapshots.count)
      json.member("deleted_files", gone.count)
    }
    Self.print(json.finish())
  }

  private func lists(of snapshots: [Snapshot]) async throws -> [UnreachableFiles.List] {
    var lists: [UnreachableFiles.List] = []
    for snapshot in snapshots {
      lists.append(.init(location: snapshot.manifestList, manifests: try await manifests(of: snapshot)))
    }
    return lists
  }

  func entries(
    of manifests: [ManifestFile], _ metadata: TableMetadata
  ) async throws -> [String: [ManifestEntry]] {
    var entries: [String: [ManifestEntry]] = [:]
    for manifest in manifests {
      entries[manifest.path] = try Manifest.decode(await read(manifest.path), of: manifest, table: metadata)
    }
    return entries
  }
}
