import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import PortContracts
import Testing

@testable import LakeWAL

@Suite struct SegmentTests {
  private let key = ObjectKey(trusted: "queue/logs/x/1.parquet")
  private let id = SegmentID(lane: LaneID(high: 0, low: 1), sequence: 1)
  private let contentID = ContentID(high: 5, low: 6)

  private func encode(_ requests: [SegmentRequest], rowGroupRowsMax: Int = 8192) throws -> EncodedSegment {
    var settings = QueueSettings()
    settings.rowGroupRowsMax = rowGroupRowsMax
    return try SegmentEncoder.encode(requests, topic: .logs, contentID: contentID, settings: settings)
  }

  private func time(_ micros: Int64, day: Int64 = 0) -> Int64 { LogRows.dayStart + day * 86_400_000_000 + micros }

  private var requests: [SegmentRequest] {
    [
      SegmentRequest(
        batch: LogRows.batch([.init("web", time(1), "w1"), .init("api", time(2), "a2")], tenant: "b"),
        fingerprint: Fingerprint(high: 1, low: 1)),
      SegmentRequest(
        batch: LogRows.batch(
          [.init("web", time(3), "w3"), .init("api", time(4), "a4"), .init("api", time(5, day: 1), "next day")],
          tenant: "a"), fingerprint: nil),
      SegmentRequest(
        batch: LogRows.batch([.init("api", time(6), "a6")], tenant: "a"), fingerprint: Fingerprint(high: 1, low: 2)),
    ]
  }

  @Test("row groups hold one tenant, account and day, in table order, and say whose rows they hold")
  func rowGroups() throws {
    let segment = try encode(requests)
    let groups = segment.metadata.rowGroups
    #expect(
      groups.map { "\($0.key.tenant) \($0.key.day - Int32(LogRows.day)) \($0.rowCount)" } == [
        "a 0 3", "a 1 1", "b 0 2",
      ])
    #expect(
      segment.metadata.requests == [
        .init(fingerprint: Fingerprint(high: 1, low: 1), shares: [.init(rowGroup: 2, rowCount: 2)]),
        .init(fingerprint: nil, shares: [.init(rowGroup: 0, rowCount: 2), .init(rowGroup: 1, rowCount: 1)]),
        .init(fingerprint: Fingerprint(high: 1, low: 2), shares: [.init(rowGroup: 0, rowCount: 1)]),
      ])
    let opened = try OpenSegment(whole: segment.bytes, id: id, key: key)
    #expect(opened.metadata == segment.metadata)
    let projection = try opened.file.projection(to: LakeTable.logs.schema)
    let first = try opened.file.readRowGroup(0, projection: projection, file: segment.bytes)
    #expect(
      LogRows.rows(first) == [.init("api", time(6), "a6"), .init("api", time(4), "a4"), .init("web", time(3), "w3")])
  }

  @Test("a partition with many rows is cut into row groups")
  func cut() throws {
    let rows = (0..<10).map { LogRows.Row("api", time(Int64($0)), "\($0)") }
    let segment = try encode([SegmentRequest(batch: LogRows.batch(rows), fingerprint: nil)], rowGroupRowsMax: 4)
    #expect(segment.metadata.rowGroups.map(\.rowCount) == [4, 4, 2])
    #expect(segment.metadata.requests[0].shares.map(\.rowCount) == [4, 4, 2])
  }

  @Test("a segment of one tenant names no other tenant's values in its row group")
  func isolation() throws {
    let segment = try encode(requests)
    let opened = try OpenSegment(whole: segment.bytes, id: id, key: key)
    let projection = try opened.file.projection(to: LakeTable.logs.schema)
    for (index, tenant) in ["a", "a", "b"].enumerated() {
      let rows = try opened.file.readRowGroup(index, projection: projection, file: segment.bytes)
      guard case .dictionary(_, let entries)? = rows.column("tenant_id")?.values else {
        Issue.record("tenants are not a dictionary")
        return
      }
      #expect((0..<entries.count).map { entries.text($0) } == [tenant])
    }
  }

  @Test("rows of dropped requests are left out, the others stay in order")
  func dropping() async throws {
    let segment = try encode(requests)
    let lake = try await MemoryLake(tables: [])
    let access = QueueAccess(ports: lake.ports, settings: QueueSettings(), topic: .logs, cache: WALCache())
    _ = try await lake.ports.store.put(access.layout.key(.logs, id), segment.bytes, condition: .ifAbsent)
    let opened = try await access.open(id, size: segment.bytes.count)
    let rows = try await access.rows(of: opened, rowGroup: 0, columns: LakeTable.logs.schema, dropping: [1])
    #expect(LogRows.rows(rows) == [.init("api", time(6), "a6")])
    #expect(rows.schema == LakeTable.logs.schema)
    #expect(opened.rowGroups(in: WALScope(tenant: TenantID("a")!), dropping: [1]).map(\.rowCount) == [1])
    #expect(opened.rowGroups(in: WALScope(tenant: TenantID("b")!), dropping: [1]).map(\.rowCount) == [2])
  }

  @Test("a segment cut short at any length is damaged, not a trap")
  func truncated() throws {
    let bytes = try encode(requests).bytes
    for count in 0..<bytes.count {
      #expect(throws: WALError.self) { try OpenSegment(whole: bytes[0..<count], id: id, key: key) }
    }
  }

  @Test("a footer longer than the hint is fetched in a second read")
  func longFooter() async throws {
    let segment = try encode(requests)
    let lake = try await MemoryLake(tables: [])
    var settings = QueueSettings()
    settings.footerBytesHint = 100
    let access = QueueAccess(ports: lake.ports, settings: settings, topic: .logs, cache: WALCache())
    _ = try await lake.ports.store.put(access.layout.key(.logs, id), segment.bytes, condition: .ifAbsent)
    let opened = try await access.open(id, size: segment.bytes.count)
    #expect(opened.metadata == segment.metadata)
    #expect(opened.bytes == nil)
    #expect(lake.store.keys(of: .get).count == 2)
    let rows = try await access.rows(of: opened, rowGroup: 2, columns: LakeTable.logs.schema)
    #expect(LogRows.rows(rows).map(\.body) == ["a2", "w1"])
  }

  @Test("a later format is told from damage")
  func laterFormat() throws {
    var writer = try ParquetWriter(schema: LakeTable.logs.schema)
    writer.addKeyValue(SegmentMetadata.formatKey, "2")
    try writer.writeRowGroup(LogRows.batch([.init("a", time(1), "x")]))
    _ = try writer.finish()
    #expect(throws: WALError.newerFormat(key, version: "2")) {
      try OpenSegment(whole: Bytes.joined(writer.takeOutput()), id: id, key: key)
    }
  }

  @Test("rows of another schema are refused")
  func unfit() throws {
    let rows = LogRows.batch([.init("a", time(1), "x")])
    let narrow = ColumnBatch(
      schema: Schema(id: 0, fields: [rows.schema.fields[0]]), columns: [rows.columns[0]], count: 1)
    #expect(throws: WALError.self) { try encode([SegmentRequest(batch: narrow, fingerprint: nil)]) }
  }
}
