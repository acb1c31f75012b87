import LakeModel
import LakeWAL
import Testing

@testable import LakeQuery

/// A reader that keeps what a tail came to sees every change of lanes and state at once.
@Suite("Tails that are kept")
struct KeptTailTests {
  private static let start: Int64 = 1_700_000_000_000_000_000

  private static func request(
    _ tenant: String, _ count: Int, _ random: inout Seeded
  ) -> (rows: [TestRow], fingerprint: Fingerprint?) {
    let rows = (0..<count).map { index in
      var row = TestRow(time: start + Int64(random.below(600)) * 1_000_000_000)
      row.tenant = tenant
      row.service = "s\(random.below(3))"
      row.body = "line \(index)"
      return row
    }
    return (rows, Fingerprint(high: random.next(), low: random.next()))
  }

  private static func count(_ engine: LogQueryEngine, _ tenant: String) async throws -> Int {
    let request = LogQueryRequest(
      tenant: TenantID(tenant)!, query: #"sum(count_over_time({service_name=~".+"}[1h]))"#,
      span: .instant(at: Timestamp(nanoseconds: UInt64(start + 700_000_000_000))))
    guard case .vector(let samples) = try await engine.query(request).data else { return -1 }
    return Int(samples.first?.value ?? 0)
  }

  @Test("new segments, repeats, shifts and other tenants are seen", arguments: 1...6)
  func sees(seed: Int) async throws {
    var random = Seeded(UInt64(seed))
    let lake = try await TestLake(seed: random.next())
    let engine = lake.engine()
    var expected = ["a": 0, "b": 0, "c": 0]
    var state = QueueState()
    var open: [(lane: LaneID, requests: [(rows: [TestRow], fingerprint: Fingerprint?)])] = []
    var committed: [Fingerprint] = []
    for _ in 0..<25 {
      switch random.below(4) {
      case 0, 1:
        let requests = (0...random.below(3)).map { _ in
          Self.request(random.pick(["a", "b", "c"]), 1 + random.below(9), &random)
        }
        for request in requests { expected[request.rows[0].tenant]! += request.rows.count }
        open.append((try await lake.ingest(requests.map { [$0] }), requests))
      case 2:
        // A repeat in another lane adds nothing, whether the first copy is still in the queue or in the table.
        guard let request = open.randomElement(using: &random)?.requests.first else { continue }
        open.append((try await lake.ingest([[request]]), []))
      default:
        // A shift takes a lane whole.
        guard let place = open.indices.randomElement(using: &random), !open[place].requests.isEmpty else { continue }
        let (lane, requests) = open.remove(at: place)
        let fresh = requests.filter { !committed.contains($0.fingerprint!) }
        committed += fresh.map { $0.fingerprint! }
        state.generation += 1
        state.lanes[lane] = .next(requests.count + 1)
        state.fingerprints.append(try await lake.commit(fresh.map { $0.fingerprint! }, generation: state.generation))
        try await lake.append(fresh.flatMap(\.rows), rowGroupRows: 10, state: state)
      }
      for _ in 0..<2 {
        for tenant in ["a", "b", "c"] { #expect(try await Self.count(engine, tenant) == expected[tenant]) }
      }
    }
  }
}
