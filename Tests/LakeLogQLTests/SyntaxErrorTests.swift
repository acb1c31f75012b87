import Testing

@testable import LakeLogQL

struct SyntaxErrorTests {
  @Test(
    "messages and places are Loki's",
    arguments: [
      (#"{ service_name = "checkout" , }"#, "at line 1, col 31: syntax error: unexpected }, expecting IDENTIFIER"),
      ("", ": syntax error: unexpected $end"),
      ("{bad", "at line 1, col 5: syntax error: unexpected $end, expecting = or =~ or !~ or !="),
      (#"{a="b"} |"#, "at line 1, col 10: syntax error: unexpected $end"),
      (#"{a='b'}"#, "at line 1, col 4: syntax error: unexpected IDENTIFIER, expecting STRING"),
      (#"{a="b""#, "at line 1, col 7: syntax error: unexpected $end, expecting } or ,"),
      ("{a=\n\"b\" x}", "at line 2, col 5: syntax error: unexpected IDENTIFIER, expecting } or ,"),
      (#"{a="b"} |= |= "x""#, "at line 0, col 12: syntax error: unexpected |=, expecting STRING or ip"),
      (#"rate({a="b"})"#, "at line 1, col 13: syntax error: unexpected )"),
      (#"rate({a="b"}[5m]"#, "at line 1, col 17: syntax error: unexpected $end, expecting )"),
      (#"rate({a="b"}[5x])"#, #"at line 0, col 13: unknown unit "x" in duration "5x""#),
      (
        #"rate({a="b"} | unwrap x | json [5m])"#,
        "at line 1, col 27: syntax error: unexpected json, expecting IDENTIFIER or ("
      ),
      (#"{a="b"} | x>0B"#, "at line 1, col 13: binary literal has no digits"),
      (#"sum({a="b"})"#, "at line 1, col 12: syntax error: unexpected )"),
      (#"{a=~"("}"#, ": error parsing regexp: missing closing ): `(`"),
      (#"{a="b"} |~ "a(""#, #": stage '|~ "a("' : error parsing regexp: missing closing ): `a(`"#),
      (#"{a="b"} |= "x" | json |~ "[""#, #": stage '|= "x" |~ "["' : error parsing regexp: missing closing ]: `[`"#),
      (#"{a="b"} | regexp "x""#, ": invalid regexp parser: at least one named capture must be supplied"),
      (
        #"{a="b"} | pattern "<a><b>""#,
        ": invalid pattern parser: found consecutive capture '<a><b>': invalid expression"
      ),
      (
        #"{a="b"} | line_format "{{""#,
        #": stage '| line_format "{{"' : invalid line template: template: line:1: unclosed action"#
      ),
      (#"{a="b"} | x = ip("1.2.3")"#, #": stage '| x=ip("1.2.3")' : ip: invalid pattern: "1.2.3""#),
      (
        #"{a="b"} | json x="a..b""#,
        #": stage '| json x="a..b"' : cannot parse expression [a..b]: syntax error: unexpected DOT, expecting FIELD"#
      ),
      (#"topk(sum(rate({a="b"}[5m])))"#, ": parameter required for operation topk"),
      (#"topk(0, rate({a="b"}[5m]))"#, ": invalid parameter (must be greater than 0) topk(0"),
      (#"sum(1, rate({a="b"}[5m]))"#, ": unsupported parameter for operation sum(1,"),
      (#"sum_over_time({a="b"}[5m])"#, ": invalid aggregation sum_over_time without unwrap"),
      (#"count_over_time({a="b"} | unwrap x [5m])"#, ": invalid aggregation count_over_time with unwrap"),
      (#"rate({a="b"} | unwrap x [5m]) by (y)"#, ": grouping not allowed for rate aggregation"),
      (#"sort by (x) (rate({a="b"}[5m]))"#, ": sort and sort_desc doesn't allow grouping by "),
      (#"1 + {a="b"}"#, ": unexpected type for right leg of binary operation (+): *syntax.MatchersExpr"),
      (#"rate({a="b"}[5m]) or 1"#, ": unexpected literal for right leg of logical/set binary operation (or): 1.000000"),
      ("1e400", #": unable to parse literal as a float: strconv.ParseFloat: parsing "1e400": value out of range"#),
    ])
  func message(query: String, expected: String) {
    #expect { try LogQL.parse(query) } throws: { error in
      let text = "\(error)"
      if text != "parse error \(expected)" { Issue.record("\(query): \(text)") }
      return true
    }
  }

  @Test("a query must select something that a stream without the label does not have")
  func emptySelectors() {
    let message =
      "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible "
      + "value. For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will"
    for query in ["{}", #"{a=~".*"}"#, #"{a!="b"}"#, #"{a=""}"#, #"{a!~"b"}"#, #"{a=~"x?"}"#, "rate({}[1m])"] {
      #expect(throws: Never.self) { try LogQL.parseSelector("{}", allowsEverything: true) }
      #expect("\(problem(query))" == message)
    }
    for query in [#"{a=~".+"}"#, #"{a!~".*"}"#, #"{a!=""}"#, #"{a="", b="c"}"#] {
      #expect(throws: Never.self) { try LogQL.parse(query) }
    }
  }

  private func problem(_ query: String) -> String {
    do throws(LogQL.SyntaxError) {
      _ = try LogQL.parse(query)
      return "none"
    } catch {
      return error.description
    }
  }

  @Test("names of groups are letters, digits and underscores of ASCII, as Go has them")
  func groupNames() {
    #expect(
      problem("{a=\"b\"} | regexp \"(?P<é>x)\"")
        == "parse error : invalid regexp parser: error parsing regexp: invalid named capture: `(?P<é>`")
    #expect(problem("{a=\"b\"} | regexp \"(?P<a>é)\"") == "none")
  }

  @Test("numbers may have underscores; what is no number counts as 0 in a label filter, and nowhere else")
  func numbers() throws {
    #expect(try LogQL.parse("{a=\"b\"} | x > 1_000").description == "{a=\"b\"} | x>1000")
    #expect(try LogQL.parse("{a=\"b\"} | x > 0x10").description == "{a=\"b\"} | x>0")
    #expect(
      problem("vector(0x10)")
        == "parse error : unable to parse vectorExpr as a float: strconv.ParseFloat: parsing \"0x10\": invalid syntax")
  }

  @Test("length and depth are bounded")
  func bounds() {
    let long = "{a=\"" + String(repeating: "x", count: 131_072) + "\"}"
    #expect(problem(long) == "parse error : input size too long (131078 > 131072)")
    let depth = 100_000
    for query in [
      String(repeating: "(", count: depth), String(repeating: "sum(", count: depth / 4),
      "{a=\"b\"} | " + String(repeating: "(", count: depth),
      "{a=\"b\"} | " + String(repeating: "x=1,", count: depth / 4),
      "rate(" + String(repeating: "(", count: depth), String(repeating: "vector(1)+", count: depth / 10) + "vector(1)",
      String(repeating: "vector(1)^", count: depth / 10) + "vector(1)",
      "{a=\"b\"} | " + String(repeating: "x=1 or ", count: depth / 7) + "x=1",
      "{a=\"b\"} | line_format \"" + String(repeating: "{{if .x}}", count: depth / 9) + "\"",
      "{a=\"b\"} | line_format \"{{" + String(repeating: "(", count: depth) + "\"",
    ] {
      #expect(problem(query).contains("too deeply"), "\(query.prefix(40))")
    }
    let groups = String(repeating: "(", count: 1000) + "a" + String(repeating: ")", count: 1000)
    #expect(problem("{a=\"b\"} |~ \"\(groups)\"").contains("error parsing regexp: expression nests too deeply: `((("))
    #expect(problem("{a=\"b\"} |~ \"\(groups.dropFirst().dropLast())\"") == "none")
    #expect(problem("{a=\"b\"} |= \"x\"" + String(repeating: " or \"x\"", count: 10_000)) == "none")
    #expect(problem("{a=\"b\"} | x=1" + String(repeating: " or x=1", count: 1000)) == "none")
  }
}
