/// One key of the effective configuration: as read, with variables replaced, or the default.
package struct ConfigEntry: Sendable, Hashable {
  package enum Value: Sendable, Hashable {
    case text(String)
    /// A number, `true`, `false` or `null`.
    case literal(String)
    /// `!rest`, with settings of its own below.
    case choice(String)
  }

  /// The sections around the key and the key itself.
  package var path: [String]
  package var value: Value
  /// 1-based line in the file; nil: a default.
  package var line: Int?

  package var key: String { path.joined(separator: ".") }

  /// Whether the value must not be shown.
  package var isSecret: Bool {
    let words = ["secret", "token", "password", "credential", "access_key", "access-key", "authorization", "api_key"]
    // Properties of a catalog are keys with dots: `s3.secret-access-key`.
    let name = path.last?.lowercased() ?? ""
    let exceptions = ["oauth2-server-uri", "token-exchange-enabled", "token-refresh-enabled"]
    return !exceptions.contains(name) && words.contains { name.contains($0) }
  }
}

/// The effective configuration as YAML, secrets masked.
package enum EffectiveConfiguration {
  package static let mask = "********"

  package static func text(_ entries: [ConfigEntry]) -> String {
    var out = ""
    var open: [String] = []
    for entry in entries {
      let sections = entry.path.dropLast()
      let shared = zip(open, sections).prefix { $0 == $1 }.count
      for (depth, name) in sections.enumerated().dropFirst(shared) where depth >= shared {
        out += "\(indent(depth))\(quoted(name)):\n"
      }
      open = Array(sections)
      let name = "\(indent(sections.count))\(quoted(entry.path[entry.path.count - 1])):"
      switch entry.value {
      case .choice(let choice):
        out += "\(name) !\(choice)\n"
        open.append(entry.path[entry.path.count - 1])
      case .literal(let text): out += "\(name) \(text)\n"
      case .text(let text): out += "\(name) \(entry.isSecret ? quoted(mask) : quoted(withoutUserInfo(text)))\n"
      }
    }
    return out
  }

  private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

  /// `http://user:password@host` names a secret too.
  private static func withoutUserInfo(_ text: String) -> String {
    guard let start = text.firstRange(of: "://")?.upperBound else { return text }
    let authority = text[start...].prefix { $0 != "/" }
    guard let at = authority.lastIndex(of: "@") else { return text }
    return text[..<start] + mask + text[at...]
  }

  /// Plain where YAML takes it for the same text.
  private static func quoted(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122: true
      default: "_./:@+-".utf8.contains(byte)
      }
    }
    let isWord = text.utf8.first.map { (65...90).contains($0) || (97...122).contains($0) || $0 == 47 } ?? false
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
    if isPlain && isWord && !text.hasSuffix(":") && !reserved.contains(text.lowercased()) { return text }
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\t": out += "\\t"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
