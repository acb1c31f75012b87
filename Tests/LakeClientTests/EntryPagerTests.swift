import Testing

@testable import LakeClient

/// Paging against a server that gives the first `limit` entries of a range.
@Suite struct EntryPagerTests {
  private struct Server {
    let entries: [LogEntry]

    func answer(_ batch: EntryPager.Batch, _ direction: EntryPager.Direction) -> [LogEntry] {
      let inside = entries.filter { $0.time >= batch.start && $0.time < batch.end }
      let sorted = inside.enumerated().sorted { a, b in
        let isEarlier = (a.element.time, a.offset) < (b.element.time, b.offset)
        return direction == .forward ? isEarlier : !isEarlier
      }
      return sorted.prefix(batch.limit).map(\.element)
    }
  }

  private static func entry(_ time: UInt64, _ line: String) -> LogEntry {
    LogEntry(time: time, labels: ["a": "b"], line: line)
  }

  private static func all(
    _ server: Server, _ direction: EntryPager.Direction, limit: Int?, batchMax: Int, end: UInt64 = 1000
  ) throws -> [LogEntry] {
    var pager = EntryPager(start: 0, end: end, direction: direction, limit: limit, batchMax: batchMax)
    var found: [LogEntry] = []
    var batchCount = 0
    while let batch = pager.next() {
      batchCount += 1
      try #require(batchCount < 1000)
      found += try pager.take(server.answer(batch, direction))
    }
    return found
  }

  @Test(
    "batches give every entry once, equal ones as often as they are",
    arguments: [EntryPager.Direction.forward, .backward], [3, 4, 7, 100])
  func everything(direction: EntryPager.Direction, batchMax: Int) throws {
    let times: [UInt64] = [1, 1, 2, 3, 3, 4, 9, 9, 10, 11, 12, 12]
    let entries = times.enumerated().map { Self.entry($1, $0 % 3 == 0 ? "same" : "line \($0)") }
    let server = Server(entries: entries)
    for limit in [nil, 1, 2, 3, 5, 11, 12, 50] {
      let found = try Self.all(server, direction, limit: limit, batchMax: batchMax)
      let sorted = server.answer(.init(start: 0, end: 1000, limit: limit ?? 1000), direction)
      #expect(found.map(\.time) == sorted.map(\.time))
      #expect(found.map(\.line).sorted() == sorted.map(\.line).sorted())
    }
  }

  @Test("an empty range asks nothing; an empty answer ends") func empty() throws {
    let server = Server(entries: [])
    #expect(try Self.all(server, .forward, limit: nil, batchMax: 5, end: 0) == [])
    #expect(try Self.all(server, .backward, limit: nil, batchMax: 5) == [])
    var pager = EntryPager(start: 5, end: 5, direction: .forward, limit: 10)
    #expect(pager.next() == nil)
  }

  @Test("more entries at one time than a batch holds are an error, not a gap") func stuck() {
    let server = Server(entries: (0..<10).map { Self.entry(5, "line \($0)") })
    #expect(throws: EntryPager.Stuck.self) { try Self.all(server, .forward, limit: nil, batchMax: 4) }
    #expect(throws: EntryPager.Stuck.self) { try Self.all(server, .backward, limit: 9, batchMax: 4) }
  }
}
