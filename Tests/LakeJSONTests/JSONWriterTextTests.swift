import LakeJSON
import LakeModel
import Testing

/// Text is looked at eight bytes at a time: what needs an escape must be found wherever it stands.
@Suite("Text that is written")
struct JSONWriterTextTests {
  private static func written(_ bytes: [UInt8]) -> String {
    var json = JSONWriter()
    bytes.withUnsafeBufferPointer { json.value($0) }
    return json.finish().text
  }

  private static let escapes: [(byte: UInt8, text: String)] = [
    (0, "\\u0000"), (1, "\\u0001"), (8, "\\u0008"), (9, "\\t"), (10, "\\n"), (13, "\\r"), (0x1F, "\\u001f"),
    (0x20, " "),
    (0x21, "!"), (0x22, "\\\""), (0x23, "#"), (0x5B, "["), (0x5C, "\\\\"), (0x5D, "]"), (0x7F, "\u{7F}"),
  ]

  @Test("every kind of byte at every place, alone and beside another")
  func escapesEverywhere() {
    for length in 1...19 {
      for place in 0..<length {
        for (byte, text) in Self.escapes {
          var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: length)
          bytes[place] = byte
          let before = String(repeating: "a", count: place)
          #expect(
            Self.written(bytes) == "\"\(before)\(text)\(String(repeating: "a", count: length - place - 1))\"")
          if place + 1 < length {
            bytes[place + 1] = UInt8(ascii: "\"")
            let after = String(repeating: "a", count: length - place - 2)
            #expect(Self.written(bytes) == "\"\(before)\(text)\\\"\(after)\"")
          }
        }
      }
    }
  }

  @Test(
    "each byte of a character cut in two is U+FFFD, as Loki 3.7.6 shows it",
    arguments: [
      ([0x61, 0xE6, 0x97], "a\u{FFFD}\u{FFFD}"), ([0xF0, 0x9F, 0x98, 0x20], "\u{FFFD}\u{FFFD}\u{FFFD} "),
      ([0xFF, 0xFE], "\u{FFFD}\u{FFFD}"), ([0xE6, 0x97, 0xA5], "日"), ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"),
      ([0xC0, 0x80], "\u{FFFD}\u{FFFD}"), ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"), ([], ""),
    ] as [([UInt8], String)])
  func cutCharacters(bytes: [UInt8], text: String) {
    #expect(Self.written(bytes) == "\"" + text + "\"")
    #expect(bytes.withUnsafeBufferPointer { String(repairing: $0) } == text)
  }

  @Test("letters beyond ASCII stand as they are, broken ones are replaced")
  func beyondASCII() {
    #expect(Self.written(Array("größer \u{80}\u{FFFF} 𝄞\n".utf8)) == "\"größer \u{80}\u{FFFF} 𝄞\\n\"")
    #expect(Self.written([0x61, 0xFF, 0x22]) == "\"a\u{FFFD}\\\"\"")
  }

  @Test("numbers as text")
  func quotedNumbers() {
    var json = JSONWriter()
    json.array { json in
      for number: UInt64 in [0, 7, 10, 1_793_498_399_999_999_999, .max] { json.quoted(number) }
    }
    #expect(json.finish().text == #"["0","7","10","1793498399999999999","18446744073709551615"]"#)
  }
}
