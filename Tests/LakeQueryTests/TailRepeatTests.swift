import LakeModel
import LakeWAL
import Testing

@testable import LakeQuery

/// Two copies of a request, of which a tail delivers one and the table takes the other (DUP-4).
@Suite struct TailRepeatTests {
  private static func row(_ body: String) -> TestRow {
    var row = TestRow(time: 1_700_000_000_000_000_000)
    row.service = "api"
    row.body = body
    return row
  }

  private static func lines(_ step: LogTailStep) -> [String] {
    [LogStream](step.streams).merged(isBackward: false).map(\.line).sorted()
  }

  @Test("rows that were delivered from one copy do not come again from the table, and equal rows of others do")
  func otherCopy() async throws {
    let lake = try await TestLake()
    let tail = try LogTail(
      engine: lake.engine(),
      request: LogTailRequest(
        tenant: TenantID("a")!, query: "{service_name=\"api\"}", start: Timestamp(nanoseconds: 0), history: 0))
    #expect(Self.lines(try await tail.next()) == [])
    let repeated = Fingerprint(high: 1, low: 1)
    let first = try await lake.ingest([
      [([Self.row("r"), Self.row("r"), Self.row("s")], repeated), ([Self.row("t")], Fingerprint(high: 2, low: 2))]
    ])
    #expect(Self.lines(try await tail.next()) == ["r", "r", "s", "t"])
    // The shift takes a lane that the tail never saw: the other copy, and a row of its own.
    var state = QueueState()
    state.generation = 1
    state.lanes = [LaneID("00000000000000000000000000000001")!: .ended(2)]
    state.fingerprints = [try await lake.commit([repeated], generation: 1)]
    try await lake.append(
      [Self.row("r"), Self.row("r"), Self.row("s"), Self.row("new")], rowGroupRows: 100, state: state)
    #expect(Self.lines(try await tail.next()) == ["new"])
    #expect(Self.lines(try await tail.next()) == [])
    // Then the delivered lane, without that request, and an equal row of a third lane.
    state.generation = 2
    state.lanes[first] = .ended(2)
    state.lanes[LaneID("00000000000000000000000000000002")!] = .ended(2)
    state.fingerprints.append(try await lake.commit([Fingerprint(high: 2, low: 2)], generation: 2))
    try await lake.append([Self.row("t"), Self.row("r")], rowGroupRows: 100, state: state)
    #expect(Self.lines(try await tail.next()) == ["r"])
    #expect(Self.lines(try await tail.next()) == [])
  }
}
