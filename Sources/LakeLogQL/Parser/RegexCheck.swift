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
    if nesting(expression) >= nestingMax {
      return "error parsing regexp: expression nests too deeply: `\(expression)`"
    }
    do throws(RE2Pattern.Malformed) {
      let pattern = goSyntax(expression)
      _ = try RE2Pattern(pattern)
      return foreignName(pattern).map { "error parsing regexp: invalid named capture: `(?P<\($0)>`" }
    } catch {
      return "error parsing regexp: " + goMessage(error.message, expression)
    }
  }

  /// The first name of a group with other letters than Go takes (RE2 takes those of every script).
  private static func foreignName(_ pattern: String) -> String? {
    guard !pattern.utf8.allSatisfy({ $0 < 128 }) else { return nil }
    for piece in pattern.split(separator: "(?P<", omittingEmptySubsequences: false).dropFirst() {
      let name = piece.prefix { $0 != ">" }
      if !name.utf8.allSatisfy({ $0 < 128 }) { return String(name) }
    }
    return nil
  }

  /// Go's limit of a syntax tree's height; RE2 has none.
  private static let nestingMax = 1000

  /// How deep groups stand in each other.
  private static func nesting(_ expression: String) -> Int {
    var depth = 0
    var deepest = 0
    var isEscaped = false
    var isInClass = false
    for byte in expression.utf8 {
      if isEscaped {
        isEscaped = false
        continue
      }
      switch byte {
      case UInt8(ascii: "\\"): isEscaped = true
      case UInt8(ascii: "["): isInClass = true
      case UInt8(ascii: "]"): isInClass = false
      case UInt8(ascii: "(") where !isInClass:
        depth += 1
        deepest = max(deepest, depth)
      case UInt8(ascii: ")") where !isInClass: depth -= 1
      default: break
      }
    }
    return deepest
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
