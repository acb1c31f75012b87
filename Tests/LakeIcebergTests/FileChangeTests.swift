import LakeIceberg
import LakeModel
import LakeSchema
import Testing

@Suite("commits that change files")
struct FileChangeTests {
  private func context(_ id: Int64) -> CommitContext {
    CommitContext(snapshotID: id, commitUUID: "uuid-\(id)", now: 2_000)
  }

  /// Three appends of two files each.
  private func filled() throws -> TestTable {
    var table = try TestTable(properties: ["icegate.queue.state": "kept"])
    for turn in 1...3 as ClosedRange<Int64> {
      let files = [
        table.file("a\(turn)", tenant: "a", account: nil, day: 20_758),
        table.file("b\(turn)", tenant: "b", account: nil, day: 20_758, records: 5),
      ]
      try table.apply(
        FastAppend(files: files).commit(to: table.metadata, manifests: table.manifests(), context: context(turn)),
        now: 2_000)
    }
    return table
  }

  private func entries(_ manifests: [ManifestFile], _ table: TestTable) throws -> [String: [ManifestEntry]] {
    try Dictionary(
      uniqueKeysWithValues: manifests.map {
        ($0.path, try Manifest.decode(try #require(table.objects[$0.path]), of: $0, table: table.metadata))
      })
  }

  private func commit(_ change: FileChange, _ table: TestTable, id: Int64) throws -> SnapshotCommit {
    let manifests = try table.manifests()
    return try change.commit(
      to: table.metadata, manifests: manifests, entries: entries(change.manifestsNeeded(manifests), table),
      context: context(id))
  }

  private func names(_ table: TestTable, snapshotID: Int64? = nil) throws -> [String] {
    try table.plan(snapshotID: snapshotID)
      .map { String($0.file.path.split(separator: "/").last!.dropLast(8)) }.sorted()
  }

  private func delete(
    _ name: String, _ table: TestTable, content: DataFile.Content, of path: String? = nil, tenant: String = "a"
  ) -> DataFile {
    var file = table.file(name, tenant: tenant, account: nil, day: 20_758, records: 1)
    file.content = content
    file.metrics = FileMetrics()
    file.sortOrderID = nil
    file.equalityIDs = content == .equalityDeletes ? [3] : []
    file.referencedDataFile = path
    return file
  }

  @Test("a rewrite takes files out of their manifests, keeps the others' sequence numbers, and leaves the state alone")
  func rewriting() throws {
    var table = try filled()
    let old = try table.plan().map(\.file).filter { $0.path.contains("/data/a") && !$0.path.contains("a3") }
    #expect(old.count == 2)
    let merged = table.file("merged", tenant: "a", account: nil, day: 20_758, records: 20)
    let commit = try commit(
      FileChange(.replace, adding: [merged], removing: old, readSequenceNumber: 3), table, id: 9)
    try table.apply(commit, now: 3_000)
    #expect(try names(table) == ["a3", "b1", "b2", "b3", "merged"])
    #expect(try names(table, snapshotID: 3) == ["a1", "a2", "a3", "b1", "b2", "b3"])
    let scan = try table.plan()
    #expect(scan.first { $0.file.path.contains("b1") }?.sequenceNumber == 1)
    #expect(scan.first { $0.file.path.contains("merged") }?.sequenceNumber == 3)
    #expect(table.metadata.properties["icegate.queue.state"] == "kept")
    let summary = commit.snapshot.summary
    #expect(summary["operation"] == "replace")
    #expect(summary["deleted-data-files"] == "2" && summary["deleted-records"] == "20")
    #expect(summary["total-data-files"] == "5" && summary["total-records"] == "45")
    let manifests = try table.manifests()
    #expect(manifests.map(\.deletedFilesCount).reduce(0) { $0 + ($1 ?? 0) } == 2)
    #expect(manifests.contains { $0.path.contains("uuid-3-m0") })  // held none of the files
    #expect(!manifests.contains { $0.path.contains("uuid-1-m0") })
  }

  @Test("a delete of whole files leaves none of them, a manifest without live files goes at the next commit")
  func deleting() throws {
    var table = try filled()
    let all = try table.plan().map(\.file)
    try table.apply(commit(FileChange(.delete, removing: all), table, id: 9), now: 3_000)
    #expect(try names(table) == [])
    #expect(table.metadata.currentSnapshot?.summary["total-records"] == "0")
    #expect(try table.manifests().map(\.deletedFilesCount) == [6])
    try table.apply(
      FastAppend(files: []).commit(to: table.metadata, manifests: table.manifests(), context: context(10)), now: 3_000)
    #expect(try table.manifests() == [])
  }

  @Test("a file that is gone is a conflict")
  func gone() throws {
    var table = try filled()
    let first = try #require(try table.plan().first { $0.file.path.contains("a1") }).file
    try table.apply(commit(FileChange(.delete, removing: [first]), table, id: 9), now: 3_000)
    do {
      _ = try commit(FileChange(.replace, removing: [first]), table, id: 10)
      Issue.record("removed twice")
    } catch { #expect(error as? IcebergError == .conflict("no longer in the table: \(first.path)")) }
  }

  @Test("delete files are found by path, partition and sequence number")
  func scope() throws {
    var table = try filled()
    let a1 = try #require(try table.plan().first { $0.file.path.contains("a1") }).file
    try table.apply(
      commit(
        FileChange(
          .delete,
          adding: [
            delete("p1", table, content: .positionDeletes, of: a1.path), delete("e1", table, content: .equalityDeletes),
          ]), table, id: 9), now: 3_000)
    try table.apply(
      FastAppend(files: [table.file("a4", tenant: "a", account: nil, day: 20_758)])
        .commit(to: table.metadata, manifests: table.manifests(), context: context(10)), now: 3_000)
    #expect(table.metadata.currentSnapshot?.summary["total-delete-files"] == "2")
    #expect(table.metadata.currentSnapshot?.summary["total-equality-deletes"] == "1")
    // Whoever does not apply deletes is told so.
    #expect(throws: IcebergError.self) { try table.plan() }
    let planner = try ScanPlanner(table: table.metadata, deletes: .applied)
    let manifests = try table.manifests()
    let deletes = try planner.selectDeletes(manifests).flatMap {
      try planner.deleteFiles(of: $0, bytes: try #require(table.objects[$0.path]))
    }
    #expect(deletes.count == 2)
    let index = DeleteIndex(deletes)
    let scans = try planner.select(manifests).flatMap {
      try planner.files(of: $0, bytes: try #require(table.objects[$0.path]))
    }
    func found(_ name: String) -> [String] {
      scans.filter { $0.file.path.contains("/\(name).") }.flatMap { index.deletes(for: $0) }
        .map { String($0.file.path.split(separator: "/").last!.dropLast(8)) }
    }
    #expect(found("a1") == ["e1", "p1"])
    #expect(found("a2") == ["e1"])
    #expect(found("a4") == [])  // newer
    #expect(found("b1") == [])  // another partition
    let elsewhere = try ScanPlanner(
      table: table.metadata, predicate: Predicate([.compare(1, .equal, .string("b"))]), deletes: .applied)
    #expect(try elsewhere.selectDeletes(manifests) == [])
  }

  @Test("a rewrite of a file that got position deletes since it was read is a conflict, equality deletes still apply")
  func lateDeletes() throws {
    var table = try filled()
    let a1 = try #require(try table.plan().first { $0.file.path.contains("a1") }).file
    let new = table.file("new", tenant: "a", account: nil, day: 20_758)
    let rewrite = FileChange(.replace, adding: [new], removing: [a1], readSequenceNumber: 3)
    try table.apply(
      commit(FileChange(.delete, adding: [delete("e1", table, content: .equalityDeletes)]), table, id: 9), now: 3_000)
    var afterEquality = table
    try afterEquality.apply(commit(rewrite, afterEquality, id: 10), now: 3_000)
    let planner = try ScanPlanner(table: afterEquality.metadata, deletes: .applied)
    let manifests = try afterEquality.manifests()
    let index = DeleteIndex(
      try planner.selectDeletes(manifests).flatMap {
        try planner.deleteFiles(of: $0, bytes: try #require(afterEquality.objects[$0.path]))
      })
    let scans = try planner.select(manifests).flatMap {
      try planner.files(of: $0, bytes: try #require(afterEquality.objects[$0.path]))
    }
    let scan = try #require(scans.first { $0.file.path.contains("new") })
    #expect(index.deletes(for: scan).count == 1)
    try table.apply(
      commit(
        FileChange(.delete, adding: [delete("p1", table, content: .positionDeletes, of: a1.path)]), table, id: 11),
      now: 3_000)
    #expect(throws: IcebergError.self) { try commit(rewrite, table, id: 12) }
  }

  @Test("small manifests are merged, the same files at the same sequence numbers")
  func merging() throws {
    var table = try filled()
    let merge = ManifestMerge(targetSize: 1 << 20, countMin: 3)
    let manifests = try table.manifests()
    let groups = merge.plan(manifests)
    #expect(groups.map(\.count) == [3])
    #expect(ManifestMerge(targetSize: 1 << 20, countMin: 4).plan(manifests) == [])
    #expect(ManifestMerge(targetSize: 10, countMin: 2).plan(manifests) == [])
    #expect(ManifestMerge(targetSize: 2 * manifests[0].length + 10, countMin: 2).plan(manifests).map(\.count) == [2])
    let before = try table.plan().sorted { $0.file.path < $1.file.path }
    try table.apply(
      merge.commit(
        groups, to: table.metadata, manifests: manifests, entries: entries(manifests, table), context: context(9)),
      now: 3_000)
    #expect(try table.manifests().map(\.existingFilesCount) == [6])
    #expect(try table.manifests()[0].minSequenceNumber == 1)
    #expect(try table.plan().sorted { $0.file.path < $1.file.path } == before)
    #expect(table.metadata.currentSnapshot?.summary["total-records"] == "45")
  }

  @Test("an append merges small manifests in its own snapshot when the table asks for it, and else reads none")
  func mergingAppend() throws {
    var table = try filled()
    let manifests = try table.manifests()
    let new = table.file("new", tenant: "a", account: nil, day: 20_758)
    #expect(MergeAppend(files: [new], table: table.metadata).manifestsNeeded(manifests) == [])
    let append = MergeAppend(files: [new], merge: ManifestMerge(targetSize: 1 << 20, countMin: 3))
    #expect(append.manifestsNeeded(manifests) == manifests)
    #expect(throws: IcebergError.self) {
      try append.commit(to: table.metadata, manifests: manifests, entries: [:], context: context(9))
    }
    let before = try table.plan()
    try table.apply(
      append.commit(
        to: table.metadata, manifests: manifests, entries: entries(manifests, table), context: context(9)),
      now: 3_000)
    #expect(try table.manifests().map { [$0.addedFilesCount, $0.existingFilesCount] } == [[0, 6], [1, 0]])
    #expect(try table.plan().count == 7)
    #expect(try Set(table.plan().filter { $0.file.path != new.path }) == Set(before))
    let summary = try #require(table.metadata.currentSnapshot).summary
    #expect(summary["operation"] == "append" && summary["added-data-files"] == "1")
    #expect(summary["total-data-files"] == "7")
  }

  @Test("rows go by whole files where partition values say so, and by new files elsewhere")
  func rowRemoval() throws {
    let table = try filled()
    let whole = RowRemoval(try table.plan([.compare(1, .equal, .string("a"))]))
    #expect(whole.whole.count == 3 && whole.partial.isEmpty)
    let change = try #require(whole.change(rewritten: []))
    #expect(change.operation == .delete && change.adding.isEmpty)
    #expect(Set(change.removing.map(\.path)) == Set(whole.whole.map(\.file.path)))
    let some = RowRemoval(try table.plan([.compare(1, .equal, .string("a")), .compare(9, .equal, .int(7))]))
    #expect(some.whole.isEmpty && some.partial.count == 3)
    #expect(some.partial[0].residual == Predicate([.compare(9, .equal, .int(7))]))
    #expect(some.change(rewritten: []) == nil)
    let new = table.file("new", tenant: "a", account: nil, day: 20_758)
    let copied = try #require(
      some.change(rewritten: [.init(old: some.partial[0], new: new), .init(old: some.partial[1], new: nil)]))
    #expect(copied.operation == .overwrite && copied.adding == [new])
    #expect(copied.removing == some.partial.prefix(2).map(\.file))
  }

  @Test("terms hold of rows as of partition values: absent ones only when asked for")
  func rowTerms() {
    let schema = Schema(
      id: 0, fields: [Field(1, "n", .int), Field(2, "s", .string), Field(3, "d", .decimal(precision: 4, scale: 1))])
    var texts = BytesColumnBuilder()
    for text in ["a", nil, "c"] { if let text { texts.append(text) } else { texts.appendAbsent() } }
    let numbers = Column(.int32(Buffer([1, 2, 3])), count: 3, validity: Buffer([1, 1, 0]))
    let decimals = Column(.fixed(Buffer([0xFF, 0xFE, 0, 0, 0x01, 0x00]), width: 2), count: 3)
    let batch = ColumnBatch(schema: schema, columns: [numbers, texts.column(), decimals], count: 3)
    func rows(_ terms: Predicate.Term...) -> [UInt8] { Predicate(terms).matches(batch).array }
    #expect(rows() == [1, 1, 1])
    #expect(rows(.compare(1, .greater, .int(1))) == [0, 1, 0])
    #expect(rows(.isNull(1)) == [0, 0, 1] && rows(.isNotNull(2)) == [1, 0, 1])
    #expect(rows(.oneOf(2, [.string("c"), .string("x")])) == [0, 0, 1])
    #expect(
      rows(.compare(3, .less, .decimal(0))) == [1, 0, 0] && rows(.compare(3, .equal, .decimal(256))) == [0, 0, 1])
    #expect(rows(.isNull(9)) == [1, 1, 1] && rows(.compare(9, .equal, .int(1))) == [0, 0, 0])
    #expect(rows(.compare(2, .equal, .string("a")), .compare(1, .equal, .long(1))) == [1, 0, 0])
  }

  @Test("a commit to a branch leaves main alone")
  func branches() throws {
    var table = try filled()
    table.metadata = try table.metadata.applying(
      requirements: [], updates: [.setSnapshotRef(name: "audit", SnapshotRef(snapshotID: 2, kind: .branch))],
      now: 3_000, previousLocation: "p")
    let audit = try #require(table.metadata.snapshot(ref: "audit"))
    let manifests = try ManifestList.decode(try #require(table.objects[audit.manifestList]))
    let new = table.file("new", tenant: "a", account: nil, day: 20_758)
    let commit = try FileChange(.overwrite, adding: [new]).commit(
      to: table.metadata, branch: "audit", manifests: manifests, entries: [:], context: context(9))
    try table.apply(commit, now: 3_000)
    #expect(table.metadata.currentSnapshotID == 3)
    #expect(table.metadata.ancestry(of: 9).map(\.id) == [9, 2, 1])
    #expect(try names(table) == ["a1", "a2", "a3", "b1", "b2", "b3"])
    #expect(try names(table, snapshotID: 9) == ["a1", "a2", "b1", "b2", "new"])
  }

  @Test("files that nothing leads to after an expiry are named, those that are still used are not")
  func unreachable() throws {
    var table = try filled()
    let old = try table.plan().map(\.file).filter { $0.path.contains("/data/a") }
    let merged = table.file("merged", tenant: "a", account: nil, day: 20_758, records: 30)
    try table.apply(commit(FileChange(.replace, adding: [merged], removing: old), table, id: 9), now: 3_000)
    func list(_ id: Int64) throws -> UnreachableFiles.List {
      let location = try #require(table.metadata.snapshot(id: id)).manifestList
      return .init(location: location, manifests: try ManifestList.decode(try #require(table.objects[location])))
    }
    var files = UnreachableFiles(kept: [try list(9)], expired: try [1, 2, 3].map { try list($0) })
    for manifest in files.manifestsToRead {
      files.add(
        try Manifest.decode(try #require(table.objects[manifest.path]), of: manifest, table: table.metadata),
        of: manifest)
    }
    let names = files.result().map { String($0.split(separator: "/").last!) }
    #expect(
      names == [
        "a1.parquet", "a2.parquet", "a3.parquet", "uuid-1-m0.avro", "uuid-2-m0.avro", "uuid-3-m0.avro",
        "snap-1-1-uuid-1.avro", "snap-2-1-uuid-2.avro", "snap-3-1-uuid-3.avro",
      ])
    let nothing = UnreachableFiles(kept: [try list(3), try list(9)], expired: [try list(1)])
    #expect(nothing.manifestsToRead == [])
    #expect(nothing.result().map { String($0.split(separator: "/").last!) } == ["snap-1-1-uuid-1.avro"])
  }
}
