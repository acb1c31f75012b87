import LakeModel
import LakeWAL
import Testing

@testable import LakeQuery

/// What lies in memory from earlier questions leaves out row groups, and never a row that is asked for.
@Suite("Row groups ruled out by what is kept")
struct KeptFiltersTests {
  private static let start: Int64 = 1_700_000_000_000_000_000

  private static func id(_ random: inout Seeded) -> [UInt8] { (0..<16).map { _ in UInt8(random.below(256)) } }

  private static func rows(_ count: Int, _ random: inout Seeded) -> [TestRow] {
    (0..<count).map { index in
      var row = TestRow(time: start + Int64(random.below(600)) * 1_000_000_000 + Int64(index))
      row.service = "s\(random.below(3))"
      row.body = "line \(index) \(random.below(1_000_000))"
      row.traceID = id(&random)
      row.record = [("user.id", "u\(random.below(100_000))")]
      return row
    }
  }

  /// Lines with the label, asked for by the engine.
  private static func lines(_ engine: TestEngine, _ query: String) async throws -> [String] {
    try await engine.logs(query, start: start, end: start + 700_000_000_000).merged(isBackward: true).map(\.line)
      .sorted()
  }

  @Test("ids and attributes are found at the first question and at later ones", arguments: 1...2)
  func finds(seed: Int) async throws {
    var random = Seeded(UInt64(seed))
    let lake = try await TestLake(seed: random.next())
    // One row group with several parts of a filter, and small ones.
    var rows = Self.rows(9000, &random)
    try await lake.append(rows, rowGroupRows: 10_000)
    for _ in 0..<3 {
      let some = Self.rows(300, &random)
      try await lake.append(some, rowGroupRows: 1000)
      rows += some
    }
    for _ in 0..<4 {
      var some = Self.rows(300, &random)
      // Where a row has no id, its attribute stands in.
      if random.chance(50) {
        some[7].traceID = nil
        some[7].record.append(("trace_id", rows[5].labels["trace_id"]!))
      }
      // One trace in several places.
      some[9].traceID = rows[8999].traceID
      try await lake.ingest([[(rows: some, fingerprint: nil)]])
      rows += some
    }
    let engine = TestEngine(engine: lake.engine())
    var asked = [5, 4095, 4096, 8191, 8192, 8999, 9000, rows.count - 1].map { rows[$0].labels["trace_id"]! }
    asked += [String(repeating: "ab", count: 16), "ab", "nothing", asked[0].uppercased()]
    for _ in 0..<3 {
      for id in asked {
        let wanted = rows.filter { $0.labels["trace_id"] == id }.map { $0.body! }.sorted()
        #expect(try await Self.lines(engine, "{service_name=~\".+\"} | trace_id=\"\(id)\"") == wanted)
        #expect(try await Self.lines(engine, "{trace_id=\"\(id)\"}") == wanted)
      }
      for user in [rows[3], rows[9100], rows[rows.count - 5]].map({ $0.labels["user_id"]! }) + ["u", "nobody"] {
        let wanted = rows.filter { $0.labels["user_id"] == user }.map { $0.body! }.sorted()
        #expect(try await Self.lines(engine, "{service_name=~\".+\"} | user_id=\"\(user)\"") == wanted)
        let either = rows.filter { $0.labels["user_id"] == user || $0.labels["trace_id"] == asked[5] }.map { $0.body! }
        let query = "{service_name=~\".+\"} | user_id=\"\(user)\" or trace_id=\"\(asked[5])\""
        #expect(try await Self.lines(engine, query) == either.sorted())
      }
    }
  }

  @Test("a filter tells where a value may stand, and nothing before it was made")
  func parts() {
    var random = Seeded(7)
    let values = (0..<10_000).map { _ in random.next() }
    values.withUnsafeBytes { bytes in
      let filter = ValueFilter()
      func narrowed(_ value: UInt64) -> RowSelection {
        withUnsafeBytes(of: value) {
          filter.narrowed(.all(values.count), toWhatMayHold: $0, bytes.baseAddress!, count: values.count)
        }
      }
      func lacks(_ value: UInt64) -> Bool { withUnsafeBytes(of: value) { filter.isKnownToLack($0) } }
      #expect(!lacks(1))
      #expect(narrowed(values[0]).count == 10_000)
      for place in [0, 4095, 4096, 8191, 8192, 9999] {
        var found: [Int] = []
        narrowed(values[place]).forEach { found.append($0) }
        #expect(found.contains(place))
        #expect(!lacks(values[place]))
      }
      // Three bits of 64 for eight values: about one part in thirty by mistake.
      let others = (0..<1000).map { _ in random.next() }
      #expect(others.filter { narrowed($0).count > 0 }.count < 200)
      #expect(others.allSatisfy { lacks($0) == (narrowed($0).count == 0) })
    }
  }

  @Test("counts of a column are those of its rows, or none")
  func counts() {
    let texts = LabelTexts()
    func vector(_ values: [String?]) -> LabelVector {
      var entries: [String] = []
      let codes = values.map { value -> UInt32 in
        guard let value else { return LabelVector.absent }
        if let known = entries.firstIndex(of: value) { return UInt32(known) }
        entries.append(value)
        return UInt32(entries.count - 1)
      }
      var column = BytesColumnBuilder()
      for entry in entries { column.append(entry) }
      let dictionary = Column(.dictionary(indices: Buffer(codes), dictionary: column.column()), count: codes.count)
      return LabelVector(dictionary)!
    }
    var totals = LabelTotals()
    for values in [["b", "a", "b"], ["c", "a"]] {
      let some = LabelCounts(vector(values), rowCount: values.count, texts)
      #expect(some != nil)
      if let some { totals.add(some) }
    }
    var drained: [String: Int] = [:]
    totals.drain { text, count in drained[text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }] = count }
    #expect(drained == ["a": 2, "b": 2, "c": 1])
    totals.drain { _, _ in Issue.record("counted twice") }
    let many = (0...LabelCounts.valuesMax).map { "\($0)" }
    #expect(LabelCounts(vector(many), rowCount: many.count, texts) == nil)
  }
}
