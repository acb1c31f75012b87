import LakeModel
import Testing

@testable import LakeClient

@Suite struct EntryPrinterTests {
  static let entry = LogEntry(
    time: 1_768_473_600_123_456_789,
    labels: ["service_name": "web", "severity_text": "error", "env": "prod", "pod": "web-1"],
    metadata: ["trace_id": "abc"], parsed: ["status": "500"], line: "it broke")

  @Test("raw is the line, jsonl is everything") func plainModes() {
    #expect(EntryPrinter(mode: .raw).text(Self.entry) == "it broke\n")
    #expect(
      EntryPrinter(mode: .jsonl).text(Self.entry)
        == #"{"timestamp":"2026-01-15T10:40:00.123456789Z","labels":{"env":"prod","pod":"web-1","service_name":"web","severity_text":"error"},"metadata":{"trace_id":"abc"},"parsed":{"status":"500"},"line":"it broke"}"#
        + "\n")
  }

  @Test("default shows time, level, service and what differs") func defaultMode() {
    var printer = EntryPrinter(isUTC: true)
    #expect(
      printer.text(Self.entry) == #"2026-01-15 10:40:00.123Z ERROR web {env="prod", pod="web-1"} it broke"# + "\n")
    var other = Self.entry
    other.labels["pod"] = "web-2"
    printer.learn([Self.entry, other])
    #expect(printer.commonText == #"{env="prod", service_name="web", severity_text="error"}"#)
    #expect(printer.text(other) == #"2026-01-15 10:40:00.123Z ERROR {pod="web-2"} it broke"# + "\n")
    printer.labels = .none
    #expect(printer.text(other) == "2026-01-15 10:40:00.123Z ERROR it broke\n")
    printer.labels = .only(["trace_id", "status", "missing"])
    #expect(printer.text(other) == #"2026-01-15 10:40:00.123Z ERROR {status="500", trace_id="abc"} it broke"# + "\n")
    printer.labels = .all
    #expect(printer.text(other).contains(#"{env="prod", pod="web-2", status="500", trace_id="abc"}"#))
  }

  @Test("colours end where they should, and the same name has the same one") func colours() {
    let printer = EntryPrinter(labels: .none, hasColours: true, isTerminal: true, isUTC: true)
    #expect(
      printer.text(Self.entry)
        == "\u{1B}[2m2026-01-15 10:40:00.123Z\u{1B}[0m \u{1B}[31mERROR\u{1B}[0m it broke\u{1B}[0m\n")
    #expect(Colour.ofName("web") == Colour.ofName("web"))
  }

  @Test("a line cannot steer the terminal") func controls() {
    var entry = Self.entry
    entry.labels = [:]
    entry.line = "\u{1B}[31mred\u{1B}[0m \u{1B}]0;title\u{07} a\tb\r\u{9B}2J\nsecond"
    let coloured = EntryPrinter(labels: .none, hasColours: true, isTerminal: true, isUTC: true).text(entry)
    #expect(
      coloured.hasSuffix("\u{1B}[31mred\u{1B}[0m \\x1b]0;title\\x07 a\tb\\x0d\\x9b2J\n  second\u{1B}[0m\n"))
    let plain = EntryPrinter(labels: .none, isTerminal: true, isUTC: true).text(entry)
    #expect(plain == "2026-01-15 10:40:00.123Z red \\x1b]0;title\\x07 a\tb\\x0d\\x9b2J\n  second\n")
  }

  @Test("series have a line for each sample") func series() {
    let series = MetricSeries(labels: ["a": "b"], samples: [(1_768_473_600, "1.5"), (1_768_473_660.5, "20")])
    #expect(
      EntryPrinter(isUTC: true).text(series)
        == "2026-01-15 10:40:00.000Z          1.5 {a=\"b\"}\n2026-01-15 10:41:00.500Z           20 {a=\"b\"}\n")
    var wide = EntryPrinter(isUTC: true)
    wide.learn([series, MetricSeries(labels: [:], samples: [(1, "0.18333333333333332")])])
    #expect(
      wide.text(series)
        == "2026-01-15 10:40:00.000Z                 1.5 {a=\"b\"}\n2026-01-15 10:41:00.500Z                  20 {a=\"b\"}\n"
    )
    #expect(
      EntryPrinter(mode: .jsonl).text(series)
        == #"{"labels":{"a":"b"},"samples":[[1768473600,"1.5"],[1768473660.5,"20"]]}"# + "\n")
  }
}
