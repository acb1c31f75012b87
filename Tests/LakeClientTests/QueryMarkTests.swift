import Testing

@testable import LakeClient

@Suite struct QueryMarkTests {
  @Test("a caret stands under the place that the message names") func caret() {
    #expect(
      QueryMark.text("parse error at line 1, col 11: syntax error: unexpected $end", in: #"{app="api""#)
        == "  {app=\"api\"\n            ^")
    #expect(
      QueryMark.text("parse error at line 0, col 9: syntax error: unexpected |=", in: "{a=\"b\"} |= |= `x`")
        == "  {a=\"b\"} |= |= `x`\n          ^")
    #expect(
      QueryMark.text("parse error at line 3, col 4: syntax error", in: "{a=\"b\"}\n  | json\n\t| wörld")
        == "  \t| wörld\n  \t  ^")
  }

  @Test("long lines are cut around the place") func long() {
    let query = String(repeating: "a", count: 100) + "!" + String(repeating: "b", count: 100)
    #expect(
      QueryMark.text("at line 1, col 101:", in: query)
        == "  …" + String(repeating: "a", count: 60) + "!" + String(repeating: "b", count: 29) + "…\n"
        + String(repeating: " ", count: 63) + "^")
  }

  @Test(
    "no place, no mark",
    arguments: [
      "parse error : stage '| json' : bad", "at line 2, col 1", "at line 1, col 0", "at line 1, col 9",
      "at line 1, col ",
      "at line 99999999999999999999, col 1", "at line 0, col 1", "",
    ])
  func nothing(message: String) {
    #expect(QueryMark.text(message, in: message.hasPrefix("at line 0") ? "a\nb" : "1234567") == nil)
  }
}
