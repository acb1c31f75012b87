import LakeRegex

/// Judges regular expressions with RE2 and words what is wrong with them as Go does, whose syntax is the same.
package enum RegexCheck {
  /// RE2's words for an error and Go's.
  private static let wordings: [(re2: String, go: String)] = [
    ("missing ): ", "missing closing )"),
    ("unexpected ): ", "unexpected )"),
    ("missing ]: ", "missing closing ]"),
    ("no argument for repetition operator: ", "missing argument to repetition operator"),
    ("bad repetition operator: ", "invalid nested repetition operator"),
    ("invalid repetition size: ", "invalid repeat count"),
    ("invalid character class range: ", "invalid character class range"),
    ("invalid character class: ", "invalid character class"),
    ("invalid escape sequence: ", "invalid escape sequence"),
    ("invalid perl operator: ", "invalid or unsupported Perl syntax"),
    ("invalid named capture group: ", "invalid named capture"),
    ("invalid UTF-8: ", "invalid UTF-8"),
  ]

  /// `error parsing regexp: missing closing ): ...`, or nil when the expression is well formed.
  package static func problem(_ expression: String) -> String? {
    do throws(RE2Pattern.Malformed) {
      _ = try RE2Pattern(goSyntax(expression))
      return nil
    } catch {
      return "error parsing regexp: " + goMessage(error.message, expression)
    }
  }

  /// RE2 knows `(?P<name>` only; Go also takes `(?<name>`.
  package static func goSyntax(_ expression: String) -> String {
    guard expression.contains("(?<") else { return expression }
    var out: [UInt8] = []
    var isEscaped = false
    let bytes = Array(expression.utf8)
    for (index, byte) in bytes.enumerated() {
      out.append(byte)
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == UInt8(ascii: "?"), index > 0, bytes[index - 1] == UInt8(ascii: "("),
        index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "<")
      {
        out.append(UInt8(ascii: "P"))
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static func goMessage(_ message: String, _ expression: String) -> String {
    for (re2, go) in wordings where message.hasPrefix(re2) {
      return "\(go): `\(message.dropFirst(re2.count))`"
    }
    if message.hasPrefix("trailing \\") { return "trailing backslash at end of expression: ``" }
    if message.hasPrefix("pattern too large") { return "expression too large: `\(expression)`" }
    return message
  }

  /// Whether the whole-text match of the expression accepts the empty text.
  static func matchesEmpty(_ expression: String) -> Bool {
    (try? RE2Pattern("(?s:\(goSyntax(expression)))"))?.matchesWhole("") ?? false
  }
}
