import LakeModel
import LakeSchema
import LakeWAL
import Testing

@Suite struct QueueStateTests {
  private let first = LaneID(high: 1, low: 2)
  private let second = LaneID(high: 0xFFFF_FFFF_FFFF_FFFF, low: 0)

  private var state: QueueState {
    var state = QueueState()
    state.generation = 7
    state.lanes = [second: .ended(9), first: .next(4)]
    state.fingerprints = [.init(name: "a-1", generation: 6, requestCount: 3)]
    let key = PartitionKey(tenant: TenantID("acme")!, account: AccountID("x")!, day: 20_000)
    state.quarantine = [
      QuarantineEntry(segment: SegmentID(lane: first, sequence: 1), reason: .missing),
      QuarantineEntry(segment: SegmentID(lane: first, sequence: 2), reason: .unreadable("checksum")),
      QuarantineEntry(
        segment: SegmentID(lane: first, sequence: 3), reason: .unreadableRowGroups([.init(index: 2, key: key)], "crc")),
    ]
    return state
  }

  @Test("the state is one text, lanes ascending")
  func text() {
    #expect(
      state.json == """
        {"format":1,"generation":7,"lanes":{"00000000000000010000000000000002":{"next":4},\
        "ffffffffffffffff0000000000000000":{"end":9}},\
        "fingerprints":[{"name":"a-1","generation":6,"requests":3}],\
        "quarantine":[{"lane":"00000000000000010000000000000002","sequence":1,"reason":"missing"},\
        {"lane":"00000000000000010000000000000002","sequence":2,"reason":"unreadable","message":"checksum"},\
        {"lane":"00000000000000010000000000000002","sequence":3,"reason":"unreadable-row-groups","message":"crc",\
        "rowGroups":[{"index":2,"tenant":"acme","account":"x","day":20000}]}]}
        """)
    #expect(QueueState().json == #"{"format":1,"generation":0,"lanes":{},"fingerprints":[]}"#)
  }

  @Test("what was written is read")
  func roundTrip() throws {
    #expect(try QueueState(json: state.json) == state)
  }

  @Test("a text cut short, of another format or with impossible values is an error")
  func malformed() {
    let text = state.json
    for count in 0..<text.utf8.count {
      #expect(throws: WALError.self) { try QueueState(json: String(decoding: text.utf8.prefix(count), as: UTF8.self)) }
    }
    for bad in [
      #"{"format":2,"generation":0,"lanes":{},"fingerprints":[]}"#,
      #"{"format":1,"generation":-1,"lanes":{},"fingerprints":[]}"#,
      #"{"format":1,"generation":1,"lanes":{"x":{"next":1}},"fingerprints":[]}"#,
      #"{"format":1,"generation":1,"lanes":{"00000000000000010000000000000002":{}},"fingerprints":[]}"#,
      #"{"format":1,"generation":1,"lanes":{},"fingerprints":[{"name":"../x","generation":1,"requests":1}]}"#,
      #"{"format":1,"generation":1,"fingerprints":[]}"#,
    ] {
      #expect(throws: WALError.self) { try QueueState(json: bad) }
    }
  }

  private func table(_ properties: [String: String], generations: [Int]) -> TableMetadata {
    TableMetadata(
      tableUUID: "u", location: "memory://lake/t", lastUpdated: 0, lastColumnID: 1, schemas: [], currentSchemaID: 0,
      partitionSpecs: [], defaultSpecID: 0, lastPartitionID: 0, sortOrders: [], defaultSortOrderID: 0,
      properties: properties,
      snapshots: generations.enumerated().map { index, generation in
        Snapshot(
          id: Int64(index + 1), parentID: nil, sequenceNumber: 1, timestamp: 0, manifestList: "",
          summary: [QueueState.generationProperty: "\(generation)"], schemaID: nil)
      })
  }

  @Test("a table without the property has taken nothing")
  func absent() throws {
    #expect(try QueueState(of: table([:], generations: [])) == QueueState())
  }

  @Test("a state older than the snapshots tell is an error, not a reason to shift again")
  func lost() throws {
    #expect(try QueueState(of: table([QueueState.property: state.json], generations: [6, 7])).generation == 7)
    #expect(throws: WALError.stateLost(found: 7, expected: 8)) {
      try QueueState(of: table([QueueState.property: state.json], generations: [8, 7]))
    }
    #expect(throws: WALError.stateLost(found: 0, expected: 1)) { try QueueState(of: table([:], generations: [1])) }
  }

  @Test("damage concerns the tenants it may touch")
  func concerns() {
    let other = TenantID("other")!
    #expect(state.quarantine.map { $0.mayConcern(TenantID("acme")!) } == [true, true, true])
    #expect(state.quarantine.map { $0.mayConcern(other) } == [true, true, false])
  }
}
