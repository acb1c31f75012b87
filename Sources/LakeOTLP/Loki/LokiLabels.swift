import LakeModel

/// The labels of a stream, sorted by name, without empty values (an empty label is an absent one).
struct LokiLabels {
  struct Pair {
    let name: String
    let value: String
  }
  let pairs: [Pair]

  init() { pairs = [] }

  /// Of a repeated name the last counts.
  init(_ members: [(name: String, value: String)]) throws(LokiPushError) {
    var last: [String: String] = [:]
    for member in members { last[member.name] = member.value }
    let sorted = last.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    try LokiLabels.checkNames(sorted.map { ($0.key, $0.value) })
    pairs = sorted.filter { !$0.value.isEmpty }.map { Pair(name: $0.key, value: $0.value) }
  }

  func value(of name: String) -> String? { pairs.first { $0.name == name }?.value }

  /// As Loki shows a stream: `{app="x", env="prod"}`.
  var text: String { LokiLabels.text(pairs.map { ($0.name, $0.value) }) }

  private static func text(_ pairs: [(String, String)]) -> String {
    "{" + pairs.map { "\($0.0)=\(quote($0.1))" }.joined(separator: ", ") + "}"
  }

  /// Names are letters, digits and underscores, not starting with a digit. The message is that of Loki's label parser, which reads
  /// the labels as `text` shows them.
  private static func checkNames(_ pairs: [(String, String)]) throws(LokiPushError) {
    for (index, pair) in pairs.enumerated() {
      let start = text(Array(pairs[..<index])).unicodeScalars.count - 1 + (index == 0 ? 0 : 2)
      for (offset, scalar) in pair.0.unicodeScalars.enumerated() {
        let isLetter = scalar == "_" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
        if isLetter || (offset > 0 && ("0"..."9").contains(scalar)) { continue }
        throw LokiPushError(
          "couldn't parse labels: 1:\(start + offset + 1): parse error: unexpected character inside braces: '\(scalar)'"
        )
      }
      if pair.0.isEmpty {
        throw LokiPushError(
          "couldn't parse labels: 1:\(start + 1): parse error: unexpected \"=\" in label set, expected identifier or \"}\""
        )
      }
    }
  }

  /// A text in double quotes as Go writes it.
  static func quote(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\u{0}"..<"\u{20}", "\u{7F}":
        out += "\\x" + Hex.text([UInt8(scalar.value)])
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

/// Instants in Loki's messages.
enum LokiTime {
  /// RFC 3339 in UTC. Source of the calendar arithmetic: days from 0000-03-01 in eras of 400 years.
  static func text(seconds: Int64) -> String {
    var (days, rest) = (seconds / 86400, seconds % 86400)
    if rest < 0 {
      days -= 1
      rest += 86400
    }
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    let calendarMonth = month < 10 ? month + 3 : month - 9
    let year = yearOfEra + era * 400 + (calendarMonth <= 2 ? 1 : 0)
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    let yearText = String(repeating: "0", count: max(0, 4 - "\(year)".count)) + "\(year)"
    return "\(yearText)-\(two(calendarMonth))-\(two(day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
  }
}
