import Glibc
import LakeModel
import LakePorts
import LakeSystem
import Testing

@Suite struct StdoutJournalTests {
  struct FixedWall: WallClock {
    var now: Timestamp { Timestamp(nanoseconds: 1_763_632_800_000_012_999) }
  }

  @Test("a line has time, level, event and facts, quoted where needed") func line() {
    let facts: [(StaticString, String)] = [("rows", "12"), ("reason", "a \"b\"\n=\u{1}é"), ("empty", "")]
    #expect(
      LogLine.render(FixedWall().now, .warning, "shift.committed", facts)
        == #"ts=2025-11-20T10:00:00.000012Z level=warn event=shift.committed rows=12 reason="a \"b\"\n=\u0001é" empty="""#
        + "\n")
  }

  @Test(
    "dates are right at the ends of months and in leap years",
    arguments: [
      (0, "1970-01-01T00:00:00.000000Z"), (951_782_400, "2000-02-29T00:00:00.000000Z"),
      (951_868_800, "2000-03-01T00:00:00.000000Z"), (1_735_689_599, "2024-12-31T23:59:59.000000Z"),
      (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
    ] as [(UInt64, String)])
  func dates(seconds: UInt64, text: String) {
    let line = LogLine.render(Timestamp(nanoseconds: seconds * 1_000_000_000), .info, "a", [])
    #expect(line == "ts=\(text) level=info event=a\n")
  }

  @Test("lines come out whole and in order; a stalled reader costs lines, which are counted, and never time")
  func stalledReader() throws {
    var ends: [Int32] = [0, 0]
    #expect(pipe(&ends) == 0)
    let journal = StdoutJournal(filter: try LogFilter("info"), wall: FixedWall(), output: ends[1])
    let filler = String(repeating: "x", count: 1000)
    for index in 0..<3000 { journal.note(.info, "test.line", [("index", "\(index)"), ("filler", filler)]) }
    journal.note(.debug, "test.hidden", [])
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    var afterwards = false
    while true {
      let count = read(ends[0], &chunk, chunk.count)
      #expect(count > 0)
      text += chunk[0..<max(0, count)]
      if !afterwards && text.count > 1 << 20 {
        afterwards = true
        journal.note(.info, "test.last", [])
      }
      if text.suffix(200).split(separator: 10).contains(where: {
        String(decoding: $0, as: UTF8.self).hasSuffix("test.last")
      }) {
        break
      }
    }
    let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
    let dropped = lines.compactMap { line in
      line.split(separator: "event=journal.dropped lines=").dropFirst().first.flatMap { Int($0) }
    }
    let written = lines.filter { $0.contains("event=test.line") }
    #expect(dropped.count == 1)
    #expect(written.count + dropped.reduce(0, +) == 3000)
    let indices = written.compactMap {
      $0.split(separator: "index=")[1].split(separator: " ").first.flatMap { Int($0) }
    }
    #expect(indices == Array(0..<written.count))
  }
}
