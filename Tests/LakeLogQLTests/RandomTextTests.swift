import Testing

@testable import LakeLogQL

/// Anything may come in as a query: it is read or refused, and what is read prints as something that reads the same.
struct RandomTextTests {
  private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  private static let pieces = [
    "{", "}", "(", ")", "[5m]", "[", "]", ",", "|", "=", "=~", "!=", "!~", "|=", "|~", "|>", "!>", "or", "and",
    "unless", "by", "without", "on", "ignoring", "bool", "group_left", "group_right", "json", "logfmt", "regexp",
    "pattern", "unpack", "unwrap", "offset", "5m", "1", "-1.5", "0x", "1e", "\"x\"", "`y`", "\"\\q\"", "\"", "`",
    "foo", "sum", "rate", "count_over_time", "topk", "quantile_over_time", "ip", "--strict", "--", "+", "-", "*", "/",
    "%", "^", "==", ">", "variants", "of", "vector", "label_replace", "5MB", "drop", "keep", "line_format",
    "label_format", "decolorize", "# c\n", "//", "/*", "\n", "'", ".", "!", "&", "\0", "é", "😀", "\u{FEFF}", "{{",
    "}}", "{a=\"b\"}", "{a=~\"(\"}", "rate({a=\"b\"}[1m])", "\"{{ .x | \"", "\"(?P<n>.)\"", "\"<a> <_>\"",
  ]

  @Test("random texts never trap", arguments: [1, 2, 3, 4] as [UInt64])
  func random(seed: UInt64) throws {
    var random = Seeded(state: seed)
    var read = 0
    for _ in 0..<4000 {
      let count = Int.random(in: 1...14, using: &random)
      var text = ""
      for _ in 0..<count {
        text += Self.pieces.randomElement(using: &random)!
        if Bool.random(using: &random) { text += " " }
      }
      guard let query = try? LogQL.parse(text) else { continue }
      read += 1
      #expect(try LogQL.parseUnbuilt(query.description).description == query.description, "\(text)")
      _ = query.pretty
    }
    #expect(read > 0)
  }

  @Test("a query cut at every place is read or refused")
  func truncation() {
    let query =
      #"sum by (a, b) (rate({c=~"d.+"} |= "e" or ip("10.0.0.0/8") | json f="g[0]" | h > 5MB and i="j" "#
      + #"| line_format "{{ .k | ToUpper }}" | unwrap duration(l) | m<1h [5m] offset -24h)) / on (n) group_left 2"#
    var refused = 0
    let scalars = Array(query.unicodeScalars)
    for end in 0...scalars.count {
      let text = String(String.UnicodeScalarView(scalars[..<end]))
      if (try? LogQL.parse(text)) == nil { refused += 1 }
    }
    // What is read ends before the division, after it with a blank, or at the end.
    #expect(refused == scalars.count + 1 - 3)
  }
}
