/// A query as the oracle understands it: a small tree of its own, printed as LogQL for the engine.
///
/// The oracle shares nothing with the engine: no parser, no matching, no number code.
struct OracleMatcher {
  enum Operation: String { case equal = "=", notEqual = "!=", matches = "=~", notMatches = "!~" }
  var name: String
  var operation: Operation
  var value: String

  var text: String { "\(name)\(operation.rawValue)\(OracleText.quoted(value))" }

  func holds(_ labels: [String: String]) -> Bool {
    let actual = labels[name] ?? ""
    switch operation {
    case .equal: return actual == value
    case .notEqual: return actual != value
    case .matches: return OracleText.wholeMatch(value, actual)
    case .notMatches: return !OracleText.wholeMatch(value, actual)
    }
  }
}

struct OracleLineFilter {
  enum Operation: String {
    case contains = "|=", notContains = "!=", matches = "|~", notMatches = "!~"
  }
  var operation: Operation
  var texts: [String]

  var text: String { "\(operation.rawValue) " + texts.map(OracleText.quoted).joined(separator: " or ") }

  func keeps(_ line: String) -> Bool {
    switch operation {
    case .contains:
      // As in Loki, an empty text is forgotten beside others.
      texts.contains { OracleText.contains($0, line) && (!$0.isEmpty || texts.allSatisfy(\.isEmpty)) }
    case .notContains: !texts.contains { OracleText.contains($0, line) }
    case .matches: texts.contains { OracleText.anyMatch($0, line) }
    case .notMatches: !texts.contains { OracleText.anyMatch($0, line) }
    }
  }
}

enum OracleStage {
  case line(OracleLineFilter)
  case label(OracleMatcher)

  var text: String {
    switch self {
    case .line(let filter): filter.text
    case .label(let matcher): "| \(matcher.text)"
    }
  }
}

struct OracleLogs {
  var matchers: [OracleMatcher]
  var stages: [OracleStage]

  var text: String {
    (["{" + matchers.map(\.text).joined(separator: ", ") + "}"] + stages.map(\.text)).joined(separator: " ")
  }

  func keeps(_ row: TestRow) -> Bool {
    let labels = row.usable
    guard matchers.allSatisfy({ $0.holds(labels) }) else { return false }
    return stages.allSatisfy { stage in
      switch stage {
      case .line(let filter): filter.keeps(row.body ?? "")
      case .label(let matcher): matcher.holds(labels)
      }
    }
  }

  /// The first rows in the direction, equal times in the order given (backward: the other way round).
  func run(_ rows: [TestRow], start: Int64, end: Int64, limit: Int, isBackward: Bool) -> [TestRow] {
    let kept = rows.filter { $0.time >= start && $0.time < end && keeps($0) }
    let ascending = kept.enumerated().sorted { a, b in
      a.element.time == b.element.time ? a.offset < b.offset : a.element.time < b.element.time
    }.map(\.element)
    return Array((isBackward ? ascending.reversed() : ascending).prefix(limit))
  }
}

indirect enum OracleMetric {
  enum Grouping {
    case by([String])
    case without([String])

    var text: String {
      switch self {
      case .by(let names): "by (\(names.joined(separator: ",")))"
      case .without(let names): "without (\(names.joined(separator: ",")))"
      }
    }

    func apply(_ labels: [String: String]) -> [String: String] {
      switch self {
      case .by(let names): labels.filter { names.contains($0.key) }
      case .without(let names): labels.filter { !names.contains($0.key) }
      }
    }
  }
  case range(operation: String, OracleLogs, seconds: Int, offset: Int)
  case aggregate(operation: String, parameter: Int, Grouping?, OracleMetric)
  /// With a number on the right.
  case scaled(OracleMetric, operation: String, Double)

  var text: String {
    switch self {
    case .range(let operation, let logs, let seconds, let offset):
      "\(operation)(\(logs.text) [\(seconds)s]" + (offset == 0 ? "" : " offset \(offset)s") + ")"
    case .aggregate(let operation, let parameter, let grouping, let operand):
      "\(operation) \(grouping?.text ?? "") (" + (parameter > 0 ? "\(parameter), " : "") + operand.text + ")"
    case .scaled(let operand, let operation, let value): "(\(operand.text)) \(operation) \(value)"
    }
  }

  /// Samples at one instant (nanoseconds).
  func run(_ rows: [TestRow], at time: Int64) -> [[String: String]: Double] {
    switch self {
    case .range(let operation, let logs, let seconds, let offset):
      let end = time - Int64(offset) * 1_000_000_000
      let start = end - Int64(seconds) * 1_000_000_000
      var out: [[String: String]: Double] = [:]
      for row in rows where row.time > start && row.time <= end && logs.keeps(row) {
        let amount = operation.hasPrefix("bytes") ? Double((row.body ?? "").utf8.count) : 1
        out[row.labels, default: 0] += amount
      }
      if operation.hasSuffix("rate") { out = out.mapValues { $0 / Double(seconds) } }
      return out
    case .aggregate(let operation, let parameter, let grouping, let operand):
      var groups: [[String: String]: [([String: String], Double)]] = [:]
      for (labels, value) in operand.run(rows, at: time) {
        groups[grouping?.apply(labels) ?? [:], default: []].append((labels, value))
      }
      var out: [[String: String]: Double] = [:]
      for (labels, members) in groups {
        let values = members.map(\.1)
        switch operation {
        case "sum": out[labels] = values.reduce(0, +)
        case "count": out[labels] = Double(values.count)
        case "min": out[labels] = values.min()!
        case "max": out[labels] = values.max()!
        case "avg": out[labels] = values.reduce(0, +) / Double(values.count)
        case "topk":
          // Which of equal samples are taken is free, so callers compare values only.
          for (index, member) in members.sorted(by: { $0.1 > $1.1 }).enumerated() where index < parameter {
            out[member.0] = member.1
          }
        default: fatalError("unknown \(operation)")
        }
      }
      return out
    case .scaled(let operand, let operation, let value):
      var out: [[String: String]: Double] = [:]
      for (labels, sample) in operand.run(rows, at: time) {
        switch operation {
        case "*": out[labels] = sample * value
        case "+": out[labels] = sample + value
        case ">": if sample > value { out[labels] = sample }
        default: fatalError("unknown \(operation)")
        }
      }
      return out
    }
  }
}

/// Text matching the slow way. Regular expressions use a part of the syntax that Swift and RE2 share.
enum OracleText {
  static func quoted(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
  }

  static func contains(_ needle: String, _ text: String) -> Bool {
    let (needle, text) = (Array(needle.utf8), Array(text.utf8))
    if needle.isEmpty { return true }
    guard text.count >= needle.count else { return false }
    return (0...text.count - needle.count).contains { Array(text[$0..<$0 + needle.count]) == needle }
  }

  static func wholeMatch(_ expression: String, _ text: String) -> Bool {
    guard let regex = try? Regex(expression) else { fatalError("not a regex: \(expression)") }
    return (try? regex.dotMatchesNewlines().wholeMatch(in: text)) != nil
  }

  static func anyMatch(_ expression: String, _ text: String) -> Bool {
    guard let regex = try? Regex(expression) else { fatalError("not a regex: \(expression)") }
    return (try? regex.firstMatch(in: text)) != nil
  }
}
