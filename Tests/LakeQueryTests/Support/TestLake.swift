import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeWAL

@testable import LakeQuery

/// A table and a WAL on memory ports, written through the real codecs.
struct TestLake {
  let ports: Ports
  let queue: QueueSettings
  private let random: TestRandom

  init(seed: UInt64 = 1) async throws {
    random = TestRandom(seed)
    let warehouse = WarehouseLocation(trusted: "memory://lake")
    let catalog = MemoryCatalog(warehouse: warehouse, random: random, wall: TestWall())
    ports = Ports(
      clock: TestClock(), wall: TestWall(), random: random, store: MemoryObjectStore(), catalog: catalog,
      warehouse: warehouse)
    queue = QueueSettings()
    try await catalog.createNamespace([LakeTable.namespace], properties: [:])
    _ = try await catalog.createTable(
      TableIdentifier(.logs),
      TableCreation(
        schema: LakeTable.logs.schema, partitionSpec: LakeTable.logs.partitionSpec,
        sortOrder: LakeTable.logs.sortOrder))
  }

  func engine(_ settings: QuerySettings = QuerySettings()) -> LogQueryEngine {
    LogQueryEngine(ports: ports, settings: settings, queue: queue)
  }

  /// Commits rows as data files, one per partition, in table order.
  ///
  /// - Parameter state: of the queue from now on, as a shift leaves it.
  func append(
    _ rows: [TestRow], rowGroupRows: Int, options: ParquetWriterOptions = ParquetWriterOptions(),
    state: QueueState? = nil
  ) async throws {
    let batch = rows.batch()
    let split = try batch.partitioned(sortedBy: LakeTable.logs.sortOrder)
    let table = try await ports.catalog.loadTable(TableIdentifier(.logs))
    let modes = MetricsModes(
      schema: LakeTable.logs.schema, properties: [:], sortOrder: LakeTable.logs.sortOrder)
    var files: [DataFile] = []
    for part in split.parts {
      var writer = try ParquetWriter(schema: batch.schema, layouts: LakeTable.logs.layouts, options: options)
      var metrics = MetricsCollector(schema: batch.schema, modes: modes)
      var start = part.range.lowerBound
      while start < part.range.upperBound {
        let end = min(part.range.upperBound, start + rowGroupRows)
        let group = batch.gather(split.rows.slice(start..<end)).compacted()
        try writer.writeRowGroup(group)
        metrics.add(group)
        start = end
      }
      let summary = try writer.finish()
      let sizes = Dictionary(uniqueKeysWithValues: summary.columns.map { ($0.fieldID, Int64($0.bytes)) })
      let key = ObjectKey(trusted: "data/\(ports.random.uuid()).parquet")
      _ = try await ports.store.put(key, Bytes.joined(writer.takeOutput()), condition: .ifAbsent)
      files.append(
        DataFile(
          path: ports.warehouse.location(of: key), specID: 0,
          partition: [
            .string(part.key.tenant.text), part.key.account.map { .string($0.text) }, .int(part.key.day),
          ], recordCount: Int64(summary.rowCount), fileSize: Int64(summary.bytes),
          metrics: metrics.finish(columnSizes: sizes)))
    }
    var manifests: [ManifestFile] = []
    if let snapshot = table.metadata.currentSnapshot {
      let key = try ports.warehouse.key(of: snapshot.manifestList)
      manifests = try ManifestList.decode(try await ports.store.get(key).bytes)
    }
    let commit = try FastAppend(files: files).commit(
      to: table.metadata, manifests: manifests,
      context: CommitContext(
        snapshotID: Int64(ports.random.next() >> 2), commitUUID: ports.random.uuid(), now: 1_700_000_000_000))
    for upload in commit.uploads {
      _ = try await ports.store.put(
        try ports.warehouse.key(of: upload.location), upload.bytes, condition: .ifAbsent)
    }
    let moved = state.map { [TableUpdate.setProperties([QueueState.property: $0.json])] } ?? []
    _ = try await ports.catalog.commit(
      TableIdentifier(.logs), requirements: commit.requirements, updates: commit.updates + moved)
  }

  /// Puts an object of fingerprints, for a state to name.
  func commit(_ fingerprints: [Fingerprint], generation: Int) async throws -> QueueState.FingerprintObject {
    let name = "commit-\(generation)"
    _ = try await ports.store.put(
      QueueLayout(queue).fingerprints(LakeTable.logs.name, name), FingerprintSet(fingerprints).encoded(),
      condition: .ifAbsent)
    return QueueState.FingerprintObject(name: name, generation: generation, requestCount: fingerprints.count)
  }

  /// Puts requests into a new lane, one segment for each list of requests.
  @discardableResult
  func ingest(_ segments: [[(rows: [TestRow], fingerprint: Fingerprint?)]]) async throws -> LaneID {
    let lane = ports.random.laneID()
    let layout = QueueLayout(queue)
    _ = try await ports.store.put(
      layout.key(.logs, SegmentID(lane: lane, sequence: 0)), LaneMark.opening, condition: .ifAbsent)
    for (index, requests) in segments.enumerated() {
      let encoded = try SegmentEncoder.encode(
        requests.map { SegmentRequest(batch: $0.rows.batch(), fingerprint: $0.fingerprint) }, topic: .logs,
        contentID: ContentID(high: ports.random.next(), low: ports.random.next()), settings: queue)
      _ = try await ports.store.put(
        layout.key(.logs, SegmentID(lane: lane, sequence: index + 1)), encoded.bytes, condition: .ifAbsent)
    }
    return lane
  }
}
