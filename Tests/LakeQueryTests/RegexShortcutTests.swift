import LakeModel
import Testing

@testable import LakeQuery

/// What Loki 3.7.6 answered to these filters over lines `level=... user=...`.
@Suite("Expressions that Loki replaces by searches for texts")
struct RegexShortcutTests {
  private static let time: Int64 = 1_700_000_000_000_000_000
  private static let users = ["alice", "bob", "carol", "dave", "frank", "grace", "heidi"]
  private static let levels = ["info", "warn", "error", "info", "info", "warn", "info"]

  private static func engine() throws -> TestEngine {
    let rows = zip(users, levels).enumerated().map { index, pair in
      var row = TestRow(time: time + Int64(index))
      row.service = "payments"
      row.body = "level=\(pair.1) user=\(pair.0)"
      return row
    }
    return TestEngine(MemorySource([rows.batch()]))
  }

  private func users(_ stages: String) async throws -> String {
    let streams = try await RegexShortcutTests.engine().logs(
      "{service_name=\"payments\"} " + stages, start: RegexShortcutTests.time, end: RegexShortcutTests.time + 100)
    return streams.merged(isBackward: false).map { String($0.line.split(separator: "=").last!) }.joined(separator: " ")
  }

  @Test(
    "in a label filter, one text with anything around it is searched wherever it stands",
    arguments: [
      ("=~\"a.*\"", "alice carol dave frank grace"), ("=~\".*e\"", "alice dave grace heidi"),
      ("!~\"a.*\"", "bob heidi"), ("!~\".*e\"", "bob carol frank"), ("=~\"(?i)A.*\"", "alice carol dave frank grace"),
      ("=~\"a(.*)\"", "alice carol dave frank grace"), ("=~\"ro.*|eid.*\"", "carol heidi"),
      ("=~\"ra(nk|ce)\"", "frank grace"), ("=~\".*ran.*\"", "frank"),
      ("=~\"[a].*\"", "alice carol dave frank grace"), ("=~\"a.*|b\"", "alice carol dave frank grace"),
      ("=~\"rank|race|rol\"", "carol frank grace"), ("=~\"ali|alic\"", "alice"), ("=~\"(?i)(?-i)ank.*\"", "frank"),
    ])
  func searches(filter: String, found: String) async throws {
    #expect(try await users("| logfmt | user" + filter) == found)
  }

  @Test(
    "in a label filter, other expressions match the whole value",
    arguments: [
      ("=~\"li\"", ""), ("=~\"alice|bob\"", "alice bob"), ("=~\"(a|b).*\"", "alice bob"), ("=~\"al.ce\"", "alice"),
      ("=~\"a.+\"", "alice"), ("=~\"^a.*\"", "alice"), ("=~\"(?i)ALICE\"", "alice"), ("=~\"(al|bo).*\"", "alice bob"),
      ("=~\"[ab].*\"", "alice bob"), ("=~\"(a)l.*\"", "alice"),
    ])
  func whole(filter: String, found: String) async throws {
    #expect(try await users("| logfmt | user" + filter) == found)
  }

  @Test(
    "an alternative that matches everything is forgotten beside others",
    arguments: [
      ("| logfmt | user=~\"alice|\"", "alice"), ("| logfmt | nosuch=~\"x|\"", ""),
      ("| logfmt | user=~\"\"", "alice bob carol dave frank grace heidi"), ("|~ \"warn|\"", "bob grace"),
      ("|~ \".*|warn\"", "bob grace"), ("|~ \"(warn|)\"", "bob grace"), ("|~ \"error||warn\"", "bob carol grace"),
      ("!~ \"info|\"", "bob carol grace"), ("|= \"\" or \"warn\"", "bob grace"), ("|~ \".*\" or \"warn\"", "bob grace"),
      ("|= \"warn\" or \"\" or \"error\"", "bob carol grace"), ("|~ \"(?i)\" or \"warn\"", "bob grace"),
      ("|~ \"warn.*|.*\" or \"error\"", "bob carol grace"),
    ])
  func forgotten(stages: String, found: String) async throws {
    #expect(try await users(stages) == found)
  }

  @Test(
    "what matches everything counts where it is alone, negated, or part of what is no search",
    arguments: [
      ("|= \"\"", 7), ("|~ \".*\"", 7), ("|= \"\" or \"\"", 7), ("!= \"\"", 0), ("!~ \".*\" or \"warn\"", 0),
      ("!= \"\" or \"warn\"", 0), ("|~ \"warn|.*.*\"", 7), ("|~ \"(warn|).*\"", 7), ("|~ \"level=(warn|)\"", 7),
      ("|~ \"a*\" or \"warn\"", 7), ("|~ \"^\" or \"warn\"", 7), ("|~ \"(warn)?\" or \"error\"", 7),
      ("|~ \"(?s).*\" or \"warn\"", 7),
    ])
  func everything(stages: String, count: Int) async throws {
    let found = try await users(stages)
    #expect(found.split(separator: " ").count == count)
  }

  @Test("a selector knows no such replacements")
  func selector() async throws {
    let engine = try RegexShortcutTests.engine()
    for matcher in ["=~\"ay.*\"", "=~\".*ment\""] {
      let streams = try await engine.logs(
        "{service_name\(matcher)}", start: RegexShortcutTests.time, end: RegexShortcutTests.time + 100)
      #expect(streams.isEmpty)
    }
  }

  @Test("what alternatives have in common stands before them once, as Go's parser builds it")
  func factored() {
    func contains(_ texts: String...) -> RegexShortcut {
      RegexShortcut(pieces: texts.map { .contains($0, isFolded: false) })
    }
    #expect(RegexShortcut.read("info|infra", isLabel: true) == contains("info", "infra"))
    #expect(
      RegexShortcut.read("info|warn", isLabel: true)
        == RegexShortcut(pieces: [.equals("info", isFolded: false), .equals("warn", isFolded: false)]))
    #expect(RegexShortcut.read("abc|abd", isLabel: true) == nil)
    #expect(RegexShortcut.read("a|b", isLabel: true) == nil)
    #expect(RegexShortcut.read("a{2}", isLabel: true) == nil)
    #expect(RegexShortcut.read("x.y", isLabel: true) == nil)
  }
}
