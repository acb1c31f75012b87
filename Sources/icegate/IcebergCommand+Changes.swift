import LakeIceberg
import LakeJSON
import LakeMaintain
import LakeModel
import LakePorts
import LakeSchema
import LakeSystem

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
    let isRehearsal = arguments.flag("--dry-run")
    var expiry: SnapshotExpiry?
    let age = try arguments.int("--older-than", in: 0...Int.max)
    let keep = try arguments.int("--keep", in: 1...1_000_000)
    try arguments.finish()
    if age != nil || keep != nil {
      var wanted = SnapshotExpiry(try await catalog.loadTable(table).metadata)
      if let age { wanted.snapshotAgeMax = Int64(age) }
      if let keep { wanted.snapshotsToKeepMin = keep }
      expiry = wanted
    }
    let ports = Ports(
      clock: SystemClock(), wall: wall, random: random, store: store, catalog: catalog, warehouse: warehouse)
    let done = try await SnapshotExpirer(ports: ports).run(
      table, expiry: expiry, now: Int64(wall.now.nanoseconds / 1_000_000),
      readGrace: min(SnapshotExpirer.readGrace, age.map { Int64($0) } ?? .max), isRehearsal: isRehearsal)
    var json = JSONWriter()
    json.object { json in
      json.member("expired_snapshots", done.snapshots.count)
      json.member("deleted_files", done.files.count)
      json.key("removed_refs")
      json.array { json in for name in done.refs { json.value(name) } }
      json.key("files")
      json.array { json in for location in done.files { json.value(location) } }
      json.key("left_files")
      json.array { json in for location in done.left { json.value(location) } }
    }
    Self.print(json.finish())
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
