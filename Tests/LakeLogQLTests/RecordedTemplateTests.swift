import Foundation
import LakeModel
import Testing

@testable import LakeLogQL

struct EntryInput: LogQL.TemplateInput {
  var values: [String: String] = [:]
  var line = ""
  var timestamp = Timestamp(nanoseconds: 0)
  var now = Timestamp(nanoseconds: 1_768_473_600_000_000_000)

  func label(_ name: String) -> String? { values[name] }
  var labels: [(name: String, value: String)] { values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
}

struct RecordedTemplateTests {
  @Test("every recorded template makes Loki's line, or fails as Loki says")
  func recorded() throws {
    let file = RecordedParserTests.folder.appendingPathComponent("templates.json")
    let raw = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as! [String: Any]
    let input = EntryInput(
      values: raw["labels"] as! [String: String], line: raw["line"] as! String,
      timestamp: Timestamp(nanoseconds: UInt64(raw["timestamp"] as! String)!))
    let cases = raw["cases"] as! [[String: String]]
    #expect(cases.count == 945)
    for item in cases {
      let template = try LogQL.Template(item["template"]!, name: "line")
      do throws(LogQL.Template.Failure) {
        let text = try template.run(input)
        #expect(text == item["text"], "\(item["template"]!)")
      } catch {
        let found = template.explanation(of: error, name: "line", input)
        #expect(item["error"] == found, "\(item["template"]!)")
      }
    }
  }

  private func run(_ text: String, _ input: EntryInput = EntryInput()) -> String {
    do { return try LogQL.Template(text, name: "line").run(input) } catch { return "\(error)" }
  }

  @Test(
    "a template that fails says where, as Go does",
    arguments: [
      (
        "p {{ duration .a }}",
        #"line:1:5: executing "line" at <duration .a>: error calling duration: time: invalid duration """#
      ),
      ("é\n{{ .a | trunc \"x\" }}", #"line:2:14: executing "line" at <"x">: expected integer; found "x""#),
      ("x{{ .a.b.c }}", #"line:1:6: executing "line" at <.a.b.c>: can't evaluate field b in type string"#),
      ("{{ lower 5 }}", #"line:1:9: executing "line" at <5>: expected string; found 5"#),
      ("{{ nil }}", #"line:1:3: executing "line" at <nil>: nil is not a command"#),
      (
        "{{define \"d\"}}{{ slice .a 0 1 }}{{end}}{{template \"d\" .}}",
        #"line:1:17: executing "d" at <slice .a 0 1>: error calling slice: index out of range: 1"#
      ),
      (
        "{{ range $k, $v := fromJson __line__ }}{{ end }}",
        #"line:1:28: executing "line" at <__line__>: range can't iterate over 7"#
      ),
    ])
  func places(template: String, message: String) throws {
    let input = EntryInput(values: ["a": ""], line: "7")
    let template = try LogQL.Template(template, name: "line")
    do throws(LogQL.Template.Failure) {
      Issue.record("made \(try template.run(input))")
    } catch {
      #expect(template.explanation(of: error, name: "line", input) == "template: " + message)
    }
  }

  @Test("all labels can be walked through, a missing one is empty")
  func labels() {
    let input = EntryInput(values: ["b": "2", "a": "1"])
    #expect(run("{{range $k, $v := .}}{{$k}}={{$v}} {{end}}", input) == "a=1 b=2 ")
    #expect(run("[{{.nosuch}}]{{if .nosuch}}x{{end}}", input) == "[]")
    #expect(run("{{.}}", input) == "map[a:1 b:2]")
  }

  @Test("templates can neither run for ever nor make texts without bound")
  func bounds() {
    for text in [
      "{{range $i, $e := .}}{{end}}{{range 100000000}}x{{end}}", "{{repeat 2000000000 \"x\"}}",
      "{{define \"t\"}}{{template \"t\" .}}{{end}}{{template \"t\" .}}", "{{indent 9000000 \"x\"}}",
      "{{printf \"%9000000d\" 1}}", "{{alignLeft 9000000 \"x\"}}",
      "{{$x := repeat 1000 \"x\"}}{{Replace $x \"x\" $x -1 | replace \"x\" $x | replace \"x\" $x}}",
      "{{regexReplaceAll \"x\" (repeat 10000 \"x\") (repeat 10000 \"y\")}}",
    ] {
      #expect(run(text).hasPrefix("Failure("), "\(text)")
    }
  }

  @Test("a template that only copies a label is known as such")
  func copies() throws {
    #expect(try LogQL.Template("{{ .message }}", name: "line").copiedLabel == "message")
    for text in ["{{.a.b}}", "x{{.a}}", "{{.a | lower}}", "{{$x := .a}}", "{{.}}"] {
      #expect(try LogQL.Template(text, name: "line").copiedLabel == nil)
    }
  }

  @Test(
    "layouts print and read times",
    arguments: [
      ("2006-01-02T15:04:05.000Z07:00", "2026-01-15T10:40:00.123Z"), ("Jan _2 06 03:04PM", "Jan 15 26 10:40AM"),
      ("Monday, 02-Jan-06 15:04:05 MST", "Thursday, 15-Jan-26 10:40:00 UTC"), ("2006-002", "2026-015"),
      ("15h04 .99 1/2", "10h40 .12 1/15"),
    ])
  func layouts(layout: String, text: String) {
    let time = GoTime(seconds: 1_768_473_600, nanoseconds: 123_000_000)
    #expect(time.format(layout) == text)
    #expect(GoTime(text, layout: layout)?.format(layout) == text)
  }

  @Test("days and dates are each other's inverse")
  func calendar() {
    for day in stride(from: -800_000, through: 800_000, by: 97) {
      let (year, month, dayOfMonth) = CivilDate.date(daysSinceEpoch: day)
      #expect(CivilDate.daysSinceEpoch(year, month, dayOfMonth) == day)
    }
    #expect(CivilDate.date(daysSinceEpoch: 19_782) == (2024, 2, 29))
    #expect(GoTime.zero.description == "0001-01-01 00:00:00 +0000 UTC")
  }
}
