import LakeModel
import Testing

@testable import LakeQuery

@Suite("Long lines")
struct LongLineTests {
  private static let start: Int64 = 1_700_000_000_000_000_000

  @Test("the newest of them are found without a look at all", arguments: [true, false])
  func newest(isBackward: Bool) async throws {
    let lake = try await TestLake()
    let rows = (0..<400).map { index in
      var row = TestRow(time: Self.start + Int64(index) * 1_000_000_000)
      row.service = "s\(index % 3)"
      row.body = String(repeating: "x", count: 40_000) + " number \(index)"
      return row
    }
    try await lake.append(rows, rowGroupRows: 1000)
    let request = LogQueryRequest(
      tenant: TenantID("a")!, query: #"{service_name=~".+"} |= "number""#,
      span: .range(
        start: Timestamp(nanoseconds: UInt64(Self.start)),
        end: Timestamp(nanoseconds: UInt64(Self.start + 400_000_000_000)), step: .seconds(1), interval: .zero),
      direction: isBackward ? .backward : .forward, limit: 5)
    let result = try await lake.engine().query(request)
    guard case .streams(let streams) = result.data else {
      Issue.record("no streams")
      return
    }
    let found = streams.merged(isBackward: isBackward).map(\.time)
    #expect(found == (isBackward ? rows.suffix(5).reversed() : Array(rows.prefix(5))).map(\.time))
    #expect(result.statistics.linesRead < 200)
  }
}
