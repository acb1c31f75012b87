/// A line cut into words and punctuation.
struct PatternTokens {
  struct Token {
    var start: Int32
    var end: Int32
    /// White space comes before.
    var isSpaced: Bool
    /// No punctuation mark.
    var isWord: Bool
    /// Numbers, ids and times differ from line to line.
    var hasDigit: Bool
  }

  /// Used again for every line.
  private(set) var tokens: [Token] = []

  /// Further text of a line is one word.
  static let countMax = 160
  /// Further bytes of a line are left out.
  static let bytesMax = 4096

  mutating func read(_ line: UnsafeRawBufferPointer) {
    tokens.removeAll(keepingCapacity: true)
    let count = min(line.count, PatternTokens.bytesMax)
    var at = 0
    var isSpaced = false
    while at < count {
      let byte = line[at]
      if byte <= 32 {
        isSpaced = true
        at += 1
        continue
      }
      let start = at
      var hasDigit = false
      let isLast = tokens.count == PatternTokens.countMax - 1
      let isWord = isLast || !PatternTokens.isMark(line, at)
      at += 1
      hasDigit = isWord && PatternTokens.isDigit(byte)
      if isLast {
        at = count
      } else if isWord {
        while at < count, line[at] > 32, !PatternTokens.isMark(line, at) {
          if PatternTokens.isDigit(line[at]) { hasDigit = true }
          at += 1
        }
      }
      tokens.append(
        Token(start: Int32(start), end: Int32(at), isSpaced: isSpaced, isWord: isWord, hasDigit: hasDigit))
      isSpaced = false
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }

  /// Marks that stand between words. A colon between digits is part of a time or an address.
  private static func isMark(_ line: UnsafeRawBufferPointer, _ at: Int) -> Bool {
    switch line[at] {
    case UInt8(ascii: ":"): !(at > 0 && isDigit(line[at - 1]) && at + 1 < line.count && isDigit(line[at + 1]))
    case UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\""),
      UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"),
      UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "/"),
      UInt8(ascii: "|"), UInt8(ascii: "?"), UInt8(ascii: "&"):
      true
    default: false
    }
  }
}
