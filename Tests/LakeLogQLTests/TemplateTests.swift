import Testing

@testable import LakeLogQL

struct TemplateTests {
  private typealias Template = LogQL.Template

  private func field(_ names: String...) -> Template.Node {
    .action(pipeline([[.field(names)]]))
  }
  private func pipeline(_ commands: [[Template.Argument]], _ variables: [String] = []) -> Template.Pipeline {
    Template.Pipeline(variables: variables, isAssignment: false, commands: commands.map(Template.Command.init))
  }

  @Test("texts, fields and pipelines")
  func simple() throws {
    #expect(
      try Template("a {{.b}} {{ .c.d | ToUpper }}{{/* x */}} e", name: "line").nodes == [
        .text("a "), field("b"), .text(" "),
        .action(pipeline([[.field(["c", "d"])], [.function("ToUpper")]])), .text(" e"),
      ])
  }

  @Test("trim markers take the blanks on their side")
  func trims() throws {
    #expect(try Template("a \n{{- .b -}}\t c", name: "line").nodes == [.text("a"), field("b"), .text("c")])
    #expect(try Template("a {{- /* x */ -}} b", name: "line").nodes == [.text("a"), .text("b")])
  }

  @Test("branches nest, and else if is a branch of its own")
  func branches() throws {
    let template = try Template("{{if .a}}1{{else if .b}}2{{else}}3{{end}}", name: "line")
    let inner = Template.Branch(
      kind: .if, pipeline: pipeline([[.field(["b"])]]), body: [.text("2")], otherwise: [.text("3")])
    let outer = Template.Branch(
      kind: .if, pipeline: pipeline([[.field(["a"])]]), body: [.text("1")], otherwise: [.branch(inner)])
    #expect(template.nodes == [.branch(outer)])
  }

  @Test("variables, numbers and parentheses")
  func values() throws {
    let template = try Template(
      #"{{$x := add 1 0x10 -2.5}}{{range $i, $e := (index .a $x).b}}{{$e.c}}{{end}}"#, name: "line")
    let sum = Template.Node.action(
      pipeline(
        [
          [
            .function("add"), .number(Template.Number(text: "1", int: 1, unsigned: 1, float: 1)),
            .number(Template.Number(text: "0x10", int: 16, unsigned: 16, float: 16)),
            .number(Template.Number(text: "-2.5", int: nil, unsigned: nil, float: -2.5)),
          ]
        ], ["$x"]))
    let index = Template.Argument.pipeline(pipeline([[.function("index"), .field(["a"]), .variable("$x", [])]]))
    let loop = Template.Node.branch(
      Template.Branch(
        kind: .range, pipeline: pipeline([[.chain(index, ["b"])]], ["$i", "$e"]),
        body: [.action(pipeline([[.variable("$e", ["c"])]]))], otherwise: []))
    #expect(template.nodes == [sum, loop])
  }

  @Test("definitions are kept apart")
  func definitions() throws {
    let template = try Template(#"{{define "t"}}x{{end}}{{template "t" .a}}{{block "u" .}}y{{end}}"#, name: "line")
    #expect(template.definitions == ["t": [.text("x")], "u": [.text("y")]])
    #expect(
      template.nodes == [
        .call(name: "t", pipeline([[.field(["a"])]])), .call(name: "u", pipeline([[.dot]])),
      ])
  }

  @Test(
    "messages are Go's",
    arguments: [
      ("{{", "1: unclosed action"), ("{{.a", "1: unclosed action"),
      ("\n{{ .a \n", "3: unclosed action started at line:2"),
      ("{{nosuch}}", "1: function \"nosuch\" not defined"), ("{{$x}}", "1: undefined variable \"$x\""),
      ("{{}}", "1: missing value for command"), ("{{if}}{{end}}", "1: missing value for if"),
      ("{{end}}", "1: unexpected {{end}}"), ("{{else}}", "1: unexpected {{else}}"), ("{{if .x}}", "1: unexpected EOF"),
      ("{{if .x}}{{else}}{{else}}{{end}}", "1: expected end; found {{else}}"),
      ("{{break}}", "1: {{break}} outside {{range}}"), ("{{(.a}}", "1: unclosed left paren"),
      ("{{.a)}}", "1: unexpected right paren"), ("{{\"a}}", "1: unterminated quoted string"),
      ("{{/* a}}", "1: unclosed comment"), ("{{1x}}", "1: bad number syntax: \"1x\""),
      ("{{.a | 1}}", "1: non executable command in pipeline stage 2"),
      ("{{\"a\".b}}", "1: unexpected . after term \"\\\"a\\\"\""), ("{{.a!}}", "1: bad character U+0021 '!'"),
      ("{{template .x}}", "1: unexpected \".x\" in template clause"),
    ])
  func messages(text: String, expected: String) {
    #expect(Template.problem(text, name: "line") == "template: line:\(expected)")
  }
}
