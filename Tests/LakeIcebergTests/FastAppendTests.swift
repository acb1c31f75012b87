import LakeIceberg
import LakeModel
import LakeSchema
import Testing

/// A table with its uploaded objects, as a caller of the commit builders keeps them.
struct TestTable {
  var metadata: TableMetadata
  var objects: [String: Bytes] = [:]
  var location = 0

  init(_ table: LakeTable = .logs, properties: [String: String] = [:]) throws {
    metadata = try TableMetadata.creating(
      uuid: "f79c3e09-677c-4bbd-a479-3f349cb785e7", location: "memory://lake/icegate/\(table.name)",
      schema: table.schema, partitionSpec: table.partitionSpec, sortOrder: table.sortOrder,
      properties: table.properties.merging(properties) { $1 }, now: 1_000)
  }

  func manifests() throws -> [ManifestFile] {
    guard let snapshot = metadata.currentSnapshot else { return [] }
    return try ManifestList.decode(try #require(objects[snapshot.manifestList]))
  }

  mutating func apply(_ commit: SnapshotCommit, now: Int64) throws {
    for upload in commit.uploads {
      #expect(objects[upload.location] == nil, "\(upload.location) is not fresh")
      objects[upload.location] = upload.bytes
    }
    location += 1
    metadata = try metadata.applying(
      requirements: commit.requirements, updates: commit.updates, now: now, previousLocation: "memory://\(location)")
  }

  func plan(_ terms: [Predicate.Term] = [], snapshotID: Int64? = nil) throws -> [ScanFile] {
    let planner = try ScanPlanner(table: metadata, snapshotID: snapshotID, predicate: Predicate(terms))
    guard let list = planner.manifestListLocation else { return [] }
    return try planner.select(ManifestList.decode(try #require(objects[list]))).flatMap {
      try planner.files(of: $0, bytes: try #require(objects[$0.path]))
    }
  }

  /// A file of one day of 2026-11, whose timestamps cover the whole day.
  func file(_ name: String, tenant: String, account: String?, day: Int32, records: Int64 = 10) -> DataFile {
    let start = Int64(day) * 86_400_000_000
    return DataFile(
      path: "\(metadata.location)/data/\(name).parquet", specID: 0,
      partition: [.string(tenant), account.map { .string($0) }, .int(day)], recordCount: records, fileSize: 1000,
      metrics: FileMetrics(
        columnSizes: [1: 10], valueCounts: [4: records, 9: records], nullCounts: [4: 0, 9: 1],
        lowerBounds: [4: Datum.long(start).singleValue, 9: Datum.int(5).singleValue],
        upperBounds: [4: Datum.long(start + 86_399_999_999).singleValue, 9: Datum.int(17).singleValue]),
      splitOffsets: [4, 500], sortOrderID: 1)
  }
}

@Suite("fast append")
struct FastAppendTests {
  private func context(_ id: Int64, now: Int64 = 2_000) -> CommitContext {
    CommitContext(
      snapshotID: id, commitUUID: "uuid-\(id)", now: now, properties: ["icegate.queue.state": "state \(id)"],
      summary: ["icegate.queue.generation": "\(id)"])
  }

  @Test("adds a manifest to those that are there, with counters and the state in the same commit")
  func appending() throws {
    var table = try TestTable()
    let first = try FastAppend(files: [
      table.file("1", tenant: "a", account: nil, day: 20_758), table.file("2", tenant: "b", account: "x", day: 20_759),
    ]).commit(to: table.metadata, manifests: table.manifests(), context: context(1))
    #expect(
      first.uploads.map(\.location) == [
        "memory://lake/icegate/logs/metadata/uuid-1-m0.avro",
        "memory://lake/icegate/logs/metadata/snap-1-1-uuid-1.avro",
      ])
    #expect(
      first.requirements == [
        .assertTableUUID("f79c3e09-677c-4bbd-a479-3f349cb785e7"), .assertRefSnapshotID(ref: "main", snapshotID: nil),
      ])
    #expect(
      first.snapshot.summary == [
        "operation": "append", "added-data-files": "2", "added-records": "20", "added-files-size": "2000",
        "changed-partition-count": "2", "total-data-files": "2", "total-records": "20", "total-files-size": "2000",
        "total-delete-files": "0", "total-position-deletes": "0", "total-equality-deletes": "0",
        "icegate.queue.generation": "1",
      ])
    try table.apply(first, now: 2_000)
    #expect(table.metadata.properties["icegate.queue.state"] == "state 1")
    let second = try FastAppend(files: [table.file("3", tenant: "a", account: nil, day: 20_758)])
      .commit(to: table.metadata, manifests: table.manifests(), context: context(2))
    try table.apply(second, now: 3_000)
    #expect(second.snapshot.summary["total-records"] == "30")
    #expect(second.snapshot.parentID == 1)
    #expect(table.metadata.snapshots.map(\.sequenceNumber) == [1, 2])
    let manifests = try table.manifests()
    #expect(manifests.map(\.sequenceNumber) == [2, 1])
    #expect(manifests.map(\.addedFilesCount) == [1, 2])
    #expect(manifests.map(\.addedRowsCount) == [10, 20])
    #expect(
      manifests[1].partitions == [
        .init(containsNull: false, containsNaN: false, lowerBound: Array("a".utf8), upperBound: Array("b".utf8)),
        .init(containsNull: true, containsNaN: false, lowerBound: Array("x".utf8), upperBound: Array("x".utf8)),
        .init(
          containsNull: false, containsNaN: false, lowerBound: Datum.int(20_758).singleValue,
          upperBound: Datum.int(20_759).singleValue),
      ])
    #expect(try table.plan().map(\.sequenceNumber) == [2, 1, 1])
    #expect(try table.plan(snapshotID: 1).count == 2)
  }

  @Test("of no files is an empty snapshot that changes the state and keeps the files")
  func empty() throws {
    var table = try TestTable()
    try table.apply(
      FastAppend(files: []).commit(to: table.metadata, manifests: [], context: context(1)), now: 2_000)
    #expect(try table.plan() == [])
    try table.apply(
      FastAppend(files: [table.file("1", tenant: "a", account: nil, day: 1)])
        .commit(to: table.metadata, manifests: table.manifests(), context: context(2)), now: 2_000)
    let third = try FastAppend(files: []).commit(
      to: table.metadata, manifests: table.manifests(), context: context(3))
    #expect(third.uploads.count == 1)
    try table.apply(third, now: 2_000)
    #expect(try table.plan().map(\.file.recordCount) == [10])
    #expect(table.metadata.properties["icegate.queue.state"] == "state 3")
    #expect(third.snapshot.summary["total-records"] == "10")
    #expect(third.snapshot.summary["added-records"] == nil)
  }

  @Test("keeps snapshots in the order of time though the wall clock goes back")
  func clockGoesBack() throws {
    var table = try TestTable()
    for (id, now) in [(1, 900_000), (2, 100), (3, 500_000)] as [(Int64, Int64)] {
      try table.apply(
        FastAppend(files: []).commit(
          to: table.metadata, manifests: table.manifests(), context: context(id, now: now)), now: now)
    }
    #expect(table.metadata.snapshots.map(\.timestamp) == [900_000, 900_000, 900_000])
    #expect(table.metadata.lastUpdated == 900_000)
  }

  @Test("refuses files that do not fit the table")
  func misfits() throws {
    let table = try TestTable()
    let good = table.file("1", tenant: "a", account: nil, day: 1)
    var short = good
    short.partition.removeLast()
    var wrong = good
    wrong.partition[0] = .int(3)
    var spec = good
    spec.specID = 7
    var deletes = good
    deletes.content = .positionDeletes
    for file in [short, wrong, spec, deletes] {
      #expect(throws: IcebergError.self) {
        try FastAppend(files: [file]).commit(to: table.metadata, manifests: [], context: context(1))
      }
    }
    #expect(throws: IcebergError.self) {
      try FastAppend(files: []).commit(to: table.metadata, manifests: [], context: context(0))
    }
  }

  @Test("is planned by partition, by bounds and by time, and tells which terms are left to check")
  func planning() throws {
    var table = try TestTable()
    var files: [DataFile] = []
    for tenant in ["a", "b"] {
      for account in [nil, "x"] as [String?] {
        for day in 20_758..<20_761 as Range<Int32> {
          files.append(table.file("\(tenant)\(account ?? "")\(day)", tenant: tenant, account: account, day: day))
        }
      }
    }
    for (index, file) in files.enumerated() {
      try table.apply(
        FastAppend(files: [file]).commit(
          to: table.metadata, manifests: table.manifests(), context: context(Int64(index + 1))), now: 2_000)
    }
    let day: Int64 = 20_759 * 86_400_000_000
    func names(_ terms: [Predicate.Term]) throws -> [String] {
      try table.plan(terms).map { String($0.file.path.split(separator: "/").last!.dropLast(8)) }.sorted()
    }
    #expect(try names([.compare(1, .equal, .string("a")), .isNull(2)]) == ["a20758", "a20759", "a20760"])
    #expect(try names([.compare(1, .equal, .string("b")), .compare(2, .equal, .string("x"))]).count == 3)
    #expect(try names([.compare(2, .equal, .string("y"))]) == [])
    #expect(try names([.compare(4, .less, .long(day)), .isNull(2)]) == ["a20758", "b20758"])
    #expect(
      try names([
        .compare(4, .greaterOrEqual, .long(day)), .compare(4, .less, .long(day + 86_400_000_000)), .isNotNull(2),
      ]) == ["ax20759", "bx20759"])
    #expect(try names([.compare(9, .greater, .int(17))]) == [])
    #expect(try names([.compare(9, .greaterOrEqual, .int(17))]).count == 12)
    #expect(try names([.isNull(9)]).count == 12)
    #expect(try names([.isNull(4)]) == [])
    // Manifests are left out before they are read.
    let planner = try ScanPlanner(
      table: table.metadata, predicate: Predicate([.compare(1, .equal, .string("a")), .compare(4, .less, .long(day))]))
    #expect(try planner.select(table.manifests()).count == 2)
    // Partition values and bounds that decide a term leave nothing of it.
    let scan = try table.plan([
      .compare(1, .equal, .string("a")), .isNull(2), .compare(4, .greaterOrEqual, .long(day)),
      .compare(4, .less, .long(day + 1)),
    ])
    #expect(scan.map(\.residual.terms) == [[.compare(4, .less, .long(day + 1))]])
  }

  @Test("a predicate that does not fit the schema is an error")
  func wrongPredicates() throws {
    let table = try TestTable()
    for term in [.isNull(12), .isNull(999), .compare(1, .equal, .int(3))] as [Predicate.Term] {
      #expect(throws: IcebergError.self) { try ScanPlanner(table: table.metadata, predicate: Predicate([term])) }
    }
    #expect(throws: IcebergError.self) { try ScanPlanner(table: table.metadata, snapshotID: 3) }
  }
}
