import Testing

@testable import LakeLogQL

struct SyntaxTreeTests {
  private typealias Matcher = LogQL.Matcher

  private func logs(_ text: String) throws -> LogQL.LogExpression {
    guard case .logs(let logs) = try LogQL.parse(text) else { throw LogQL.SyntaxError("no log query") }
    return logs
  }
  private func metric(_ text: String) throws -> LogQL.MetricExpression {
    guard case .metric(let metric) = try LogQL.parse(text) else { throw LogQL.SyntaxError("no metric query") }
    return metric
  }

  @Test("a selector holds its matchers in order")
  func selector() throws {
    #expect(
      try logs(#"{app="x", env != "y", pod=~"a.+", ns !~ `b|c`}"#).selector
        == LogQL.Selector([
          Matcher("app", .equal, "x"), Matcher("env", .notEqual, "y"), Matcher("pod", .matches, "a.+"),
          Matcher("ns", .notMatches, "b|c"),
        ]))
  }

  @Test("line filters keep alternatives together; negated ones become filters of their own")
  func lineFilters() throws {
    #expect(
      try logs(#"{a="b"} |= "x" or ip("10.0.0.1") != "y" or "z" |~ "r" !~ "s" |> "<_>t" !> "u""#).stages == [
        .lineFilter(LogQL.LineFilter(.contains, [.text("x"), .ip("10.0.0.1")])),
        .lineFilter(LogQL.LineFilter(.notContains, [.text("y")])),
        .lineFilter(LogQL.LineFilter(.notContains, [.text("z")])),
        .lineFilter(LogQL.LineFilter(.matches, [.text("r")])),
        .lineFilter(LogQL.LineFilter(.notMatches, [.text("s")])),
        .lineFilter(LogQL.LineFilter(.pattern, [.text("<_>t")])),
        .lineFilter(LogQL.LineFilter(.notPattern, [.text("u")])),
      ])
  }

  @Test("every stage has its own case")
  func stages() throws {
    let query =
      #"{a="b"} | json | json x="y[0]", z | logfmt --strict --keep-empty k | regexp "(?P<n>.)" | pattern "<p> -""#
      + #" | unpack | line_format "{{.x}}" | label_format d=s, t="{{.u}}" | decolorize | drop v, w="1" | keep y"#
    #expect(
      try logs(query).stages == [
        .json([]),
        .json([LogQL.Extraction("x", "y[0]"), LogQL.Extraction("z", "z")]),
        .logfmt(LogQL.Logfmt(isStrict: true, keepsEmpty: true, extractions: [LogQL.Extraction("k", "k")])),
        .regexp("(?P<n>.)"), .pattern("<p> -"), .unpack, .lineFormat("{{.x}}"),
        .labelFormat([LogQL.LabelFormat("d", .label("s")), LogQL.LabelFormat("t", .template("{{.u}}"))]),
        .decolorize, .drop([.name("v"), .matching(Matcher("w", .equal, "1"))]), .keep([.name("y")]),
      ])
  }

  @Test(
    "label filters read numbers, durations, sizes, addresses and text",
    arguments: [
      (#"x="1""#, LogQL.LabelFilter.matcher(LogQL.Matcher("x", .equal, "1"))),
      ("x=1", .number(label: "x", .equal, 1)),
      ("x != -1.5", .number(label: "x", .notEqual, -1.5)),
      ("x >= 1e3", .number(label: "x", .greaterOrEqual, 1000)),
      ("x > 1h30m", .duration(label: "x", .greater, .seconds(5400))),
      ("x == 1.5s", .duration(label: "x", .equal, .milliseconds(1500))),
      ("x < 1d", .duration(label: "x", .less, .seconds(86400))),
      ("x <= 5MB", .bytes(label: "x", .lessOrEqual, 5_000_000)),
      ("x > 1.5KiB", .bytes(label: "x", .greater, 1536)),
      (#"x = ip("10.0.0.0/8")"#, .ip(label: "x", isNegated: false, "10.0.0.0/8")),
      (#"x != ip("::1")"#, .ip(label: "x", isNegated: true, "::1")),
    ])
  func labelFilter(text: String, expected: LogQL.LabelFilter) throws {
    #expect(try logs("{a=\"b\"} | \(text)").stages == [.labelFilter(expected)])
  }

  @Test(
    "and binds closer than or; what a comma or nothing joins takes all that follows",
    arguments: [
      ("a=1 and b=1 or c=1", "( ( a==1 , b==1 ) or c==1 )"),
      ("a=1 or b=1 and c=1", "( a==1 or ( b==1 , c==1 ) )"),
      ("a=1 or b=1 or c=1", "( ( a==1 or b==1 ) or c==1 )"),
      ("a=1, b=1 or c=1", "( a==1 , ( b==1 or c==1 ) )"),
      ("a=1 or b=1, c=1", "( a==1 or ( b==1 , c==1 ) )"),
      ("a=1 b=1 or c=1", "( a==1 , ( b==1 or c==1 ) )"),
      ("(a=1 or b=1) and c=1", "( ( a==1 or b==1 ) , c==1 )"),
    ])
  func labelFilterPrecedence(text: String, expected: String) throws {
    #expect(try logs("{x=\"y\"} | \(text)").stages.map(\.description) == ["| \(expected)"])
  }

  @Test("an interval may stand before or after the pipeline, inside or outside of parentheses")
  func logRanges() throws {
    let expected = LogQL.MetricExpression.range(
      LogQL.RangeAggregation(
        .sum,
        LogQL.LogRange(
          LogQL.LogExpression(selector: LogQL.Selector([Matcher("a", .equal, "b")]), stages: [.json([])]),
          interval: .seconds(300), offset: .seconds(3600),
          unwrap: LogQL.Unwrap("c", conversion: .bytes, filters: [.number(label: "d", .greater, 1)]))))
    for text in [
      #"{a="b"} | json | unwrap bytes(c) | d>1 [5m] offset 1h"#,
      #"{a="b"} [5m] offset 1h | json | unwrap bytes(c) | d>1"#,
      #"({a="b"} | json | unwrap bytes(c) | d>1)[5m] offset 1h"#,
      #"(({a="b"} | json | unwrap bytes(c) | d>1 [5m] offset 1h))"#,
    ] {
      #expect(try metric("sum_over_time(\(text))") == expected)
    }
  }

  @Test("groupings may stand before or after the operand; parameters come first")
  func aggregations() throws {
    let rate = try metric(#"rate({a="b"}[1m])"#)
    let expected = LogQL.MetricExpression.aggregation(
      LogQL.VectorAggregation(.topK, parameter: 5, rate, grouping: LogQL.Grouping(isWithout: true, ["x", "y"])))
    #expect(try metric(#"topk without (x, y) (5, rate({a="b"}[1m]))"#) == expected)
    #expect(try metric(#"topk(5, rate({a="b"}[1m])) without(x,y)"#) == expected)
    #expect(
      try metric(#"sum(rate({a="b"}[1m]))"#) == .aggregation(LogQL.VectorAggregation(.sum, rate)))
    guard case .range(let quantile) = try metric(#"quantile_over_time(0.9, {a="b"} | unwrap c [1m]) by (d)"#) else {
      Issue.record("no range aggregation")
      return
    }
    #expect(quantile.parameter == 0.9 && quantile.grouping == LogQL.Grouping(["d"]))
  }

  @Test(
    "operators have PromQL's precedence, and numbers are worked out at once",
    arguments: [
      ("vector(1) + vector(2) * vector(3)", "(vector(1.000000) + (vector(2.000000) * vector(3.000000)))"),
      ("vector(1) - vector(2) - vector(3)", "((vector(1.000000) - vector(2.000000)) - vector(3.000000))"),
      ("vector(1) ^ vector(2) ^ vector(3)", "(vector(1.000000) ^ (vector(2.000000) ^ vector(3.000000)))"),
      ("vector(1) > vector(2) or vector(3)", "((vector(1.000000) > vector(2.000000)) or vector(3.000000))"),
      (
        "vector(1) or vector(2) and vector(3) unless vector(4)",
        "(vector(1.000000) or ((vector(2.000000) and vector(3.000000)) unless vector(4.000000)))"
      ),
      ("1 + 2 * 3 ^ 2", "19"), ("-1 ^ 2", "1"), ("1 / 0", "NaN"), ("5 % 3", "2"), ("2 > 1", "1"), ("2 == 1", "0"),
      (
        "vector(1) / on (a, b) group_left (c) vector(2)",
        "(vector(1.000000) / on (a,b) group_left (c) vector(2.000000))"
      ),
      ("vector(1) >= bool ignoring (a) vector(2)", "(vector(1.000000) >= bool ignoring (a)  vector(2.000000))"),
    ])
  func operators(text: String, expected: String) throws {
    #expect(try metric(text).description == expected)
  }

  @Test("comments and blanks mean nothing, keywords have no case, functions without a parenthesis are names")
  func lexical() throws {
    let plain = try LogQL.parse(#"sum by (rate) (count_over_time({count="b"} | json [1m]))"#)
    #expect(
      try LogQL.parse("SUM BY(rate)( # rate\n Count_Over_Time ( /* x */ {count = `b`}\t|JSON\n[1m]) ) // end") == plain)
  }

  @Test("positions are byte offsets, lines and columns of the text")
  func positions() throws {
    guard case .metric(.binary(let binary)) = try LogQL.parse("vector(1)\n + rate({é=\"b\"}[1m])"),
      case .range(let range) = binary.right
    else {
      Issue.record("another tree")
      return
    }
    #expect((binary.position.offset, binary.position.line, binary.position.column) == (11, 2, 2))
    #expect((range.position.offset, range.position.line, range.position.column) == (13, 2, 4))
  }

  @Test("string literals decode Go's escapes")
  func strings() throws {
    let query = #"{a="\a\b\f\n\r\t\v\\\"\x41\101é\U0001F600"} |= `\n"`"#
    let logs = try logs(query)
    #expect(logs.selector.matchers[0].value == "\u{7}\u{8}\u{c}\n\r\t\u{b}\\\"AAé😀")
    #expect(logs.stages == [.lineFilter(LogQL.LineFilter(.contains, [.text("\\n\"")]))])
  }
}
