import LakeModel
import LakeWAL
import Testing

@testable import LakeQuery

/// Counts taken from footers and kept columns are the counts of rows, with repeats, other tenants and late rows about.
@Suite("Counts without a look at rows")
struct KnownCountsTests {
  private static let start: Int64 = 1_700_000_000_000_000_000

  private static func rows(_ count: Int, tenant: String, _ random: inout Seeded) -> [TestRow] {
    (0..<count).map { index in
      var row = TestRow(time: start + Int64(random.below(600)) * 1_000_000_000)
      row.tenant = tenant
      row.service = random.chance(5) ? "" : "service-\(random.below(4))"
      row.body = "line \(index)"
      if random.chance(20) { row.resource = [("service.name", "other")] }
      return row
    }
  }

  @Test("the same at the first question and at later ones", arguments: 1...8)
  func counts(seed: Int) async throws {
    var random = Seeded(UInt64(seed))
    let lake = try await TestLake(seed: random.next())
    var mine: [TestRow] = []
    for _ in 0..<6 {
      let some = Self.rows(1 + random.below(60), tenant: "a", &random)
      try await lake.append(some + Self.rows(random.below(20), tenant: "b", &random), rowGroupRows: 25)
      mine += some
    }
    for _ in 0..<6 {
      let requests = ["a", "b", "a"].map { tenant in
        (
          rows: Self.rows(1 + random.below(20), tenant: tenant, &random),
          fingerprint: Optional(Fingerprint(high: random.next(), low: random.next()))
        )
      }
      try await lake.ingest([requests])
      // The repeat counts in neither place twice.
      if random.chance(60) { try await lake.ingest([[requests[0]], [requests[2], requests[0]]]) }
      mine += requests[0].rows + requests[2].rows
    }
    let engine = TestEngine(engine: lake.engine())
    var totals: [String: Double] = [:]
    for row in mine { totals[row.labels["service_name"] ?? "", default: 0] += 1 }
    let end = Self.start + 700_000_000_000
    for _ in 0..<3 {
      let total = try await engine.vector(#"sum(count_over_time({tenant_id="a"}[1h]))"#, at: end)
      #expect(total.map(\.value) == [Double(mine.count)])
      let byService = try await engine.vector(#"sum by (service_name) (count_over_time({tenant_id="a"}[1h]))"#, at: end)
      #expect(
        Dictionary(uniqueKeysWithValues: byService.map { ($0.labels["service_name"] ?? "", $0.value) }) == totals)
      let windows = try await engine.matrix(
        #"sum by (service_name) (count_over_time({service_name=~".+"}[5m]))"#, start: Self.start + 300_000_000_000,
        end: Self.start + 900_000_000_000, step: .seconds(300))
      for series in windows {
        for (time, value) in zip(series.times, series.values) {
          let until = Int64(time.nanoseconds)
          let rows = mine.filter { row in
            row.labels["service_name"] == series.labels["service_name"] && row.time <= until
              && row.time > until - 300_000_000_000
          }
          #expect(value == Double(rows.count))
        }
      }
      #expect(Set(windows.compactMap { $0.labels["service_name"] }).isSubset(of: Set(totals.keys)))
      let values = try await engine.engine.labelValues(
        "service_name",
        LabelsRequest(
          tenant: TenantID("a")!, start: Timestamp(nanoseconds: UInt64(Self.start)),
          end: Timestamp(nanoseconds: UInt64(end)), selectors: []))
      #expect(values == totals.keys.filter { !$0.isEmpty }.sorted())
    }
  }
}
