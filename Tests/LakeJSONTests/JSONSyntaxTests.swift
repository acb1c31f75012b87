import LakeJSON
import LakeModel
import Testing

@Suite struct JSONSyntaxTests {
  private func scan(_ text: String, depthMax: Int = 100) -> JSONSyntax.Finding {
    JSONSyntax.scan(Bytes(Array(text.utf8)), depthMax: depthMax)
  }

  @Test("the first value ends where it ends, whatever follows")
  func ends() {
    #expect(scan("{\"a\":[1,-2.5e3,true,null,\"\\u00e9\\n\"]} garbage") == .value(end: 38))
    #expect(scan(" 7 ") == .value(end: 3))
    #expect(scan("[]") == .value(end: 2))
  }

  @Test(
    "a fault is told with its offset",
    arguments: [
      ("", 0), ("   ", 3), ("{", 1), ("{a:1}", 1), ("{\"a\" 1}", 5), ("{\"a\":1,}", 7), ("[1,]", 3), ("[1 2]", 3),
      ("01", 0), ("1.", 0), ("-", 0), ("\"abc", 0), ("\"a\nb\"", 2), ("\"\\x\"", 1), ("\"\\u12g4\"", 1), ("tru", 0),
      ("[[[", 2),
    ])
  func faults(text: String, offset: Int) {
    guard case .fault(let found, _) = scan(text, depthMax: 2) else {
      Issue.record("\(text) was taken")
      return
    }
    #expect(found == offset, "\(text)")
  }

  @Test("only whole numbers that 64 bits cannot hold become doubles")
  func widening() {
    let text =
      "[18446744073709551615,18446744073709551616,-9223372036854775808,-9223372036854775809,1768471200000000001,1e30,\"99999999999999999999\\\"1\"]"
    let widened = JSONSyntax.wideningLongIntegers(Bytes(Array(text.utf8))).text
    #expect(
      widened
        == "[18446744073709551615,18446744073709551616e0,-9223372036854775808,-9223372036854775809e0,1768471200000000001,1e30,\"99999999999999999999\\\"1\"]"
    )
  }

  @Test(
    "what is no Unicode becomes U+FFFD, and nothing else changes",
    arguments: [
      (#""\ud83d\ude00 \u00e9 \\ud83d \"x""#, nil), (#""cut \ud83d""#, #""cut \ufffd""#),
      (#""\uDE00\uD83D""#, #""\ufffd\ufffd""#), (#""\ud83dA""#, #""\ufffdA""#),
      (#""\ud83d\ud83d\ude00""#, #""\ufffd\ud83d\ude00""#), (#""\\\ud83d""#, #""\\\ufffd""#),
    ] as [(String, String?)])
  func repairing(text: String, repaired: String?) {
    #expect(JSONSyntax.repairingText(Bytes(Array(text.utf8)))?.text == repaired)
  }

  @Test("bytes that are not UTF-8 become U+FFFD, also where an escape is cut off")
  func repairingBytes() {
    #expect(JSONSyntax.repairingText(Bytes([0x22, 0xFF, 0x61, 0xC3, 0x22]))?.text == "\"\u{FFFD}a\u{FFFD}\"")
    for tail in [#"\"#, #"\u"#, #"\ud8"#, #"\ud83d\"#, #"\ud83d\ude0"#] {
      _ = JSONSyntax.repairingText(Bytes(Array(tail.utf8)))
    }
  }
}
