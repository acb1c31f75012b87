@testable import LakeQuery

/// Random rows and queries about them.
struct RandomCorpus {
  var random: Seeded
  /// Nanoseconds; rows lie within `span` behind it.
  static let start: Int64 = 1_700_000_000_000_000_000
  static let span: Int64 = 600_000_000_000

  init(_ seed: UInt64) { random = Seeded(seed) }

  private static let services = ["api", "db", "front end", "x"]
  private static let keys = [
    "env", "http.method", "http_method", "user.id", "pod", "9lives", "severity_text", "trace_id", "tenant_id",
  ]
  private static let values = ["prod", "dev", "GET", "POST", "u-1", "u-2", "", "a\"b", "日本"]
  static let words = [
    "error", "timeout", "GET /x", "Error", "10.0.0.1", "level=info", "status=500", "日本語", "a.b", "\n",
  ]

  mutating func rows(_ count: Int) -> [TestRow] {
    (0..<count).map { _ in row() }
  }

  private mutating func row() -> TestRow {
    // Times often lie exactly on a second, and often repeat.
    let step: Int64 = random.pick([1, 1000, 1_000_000, 1_000_000_000, 10_000_000_000])
    let time = RandomCorpus.start + Int64(random.below(Int(RandomCorpus.span / step))) * step
    var row = TestRow(time: time)
    row.tenant = random.chance(90) ? "a" : "b"
    row.service = random.chance(85) ? random.pick(RandomCorpus.services) : nil
    row.severity = random.chance(70) ? random.pick(["INFO", "ERROR", "WARN"]) : nil
    row.severityNumber = random.chance(50) ? Int32(random.below(24)) : nil
    if random.chance(40) {
      row.traceID = [UInt8](repeating: UInt8(random.below(3)), count: 15) + [171]
      row.spanID = [UInt8](repeating: UInt8(random.below(3)), count: 7) + [1]
    }
    row.body = random.chance(95) ? line() : nil
    row.resource = pairs(3)
    row.record = pairs(3)
    return row
  }

  private mutating func line() -> String {
    (0..<random.below(5)).map { _ in random.pick(RandomCorpus.words) }.joined(separator: random.pick([" ", "", "|"]))
  }

  private mutating func pairs(_ most: Int) -> [(String, String)] {
    var out: [(String, String)] = []
    for _ in 0..<random.below(most + 1) {
      let key = random.pick(RandomCorpus.keys)
      if !out.contains(where: { $0.0 == key }) { out.append((key, random.pick(RandomCorpus.values))) }
    }
    return out
  }

  // MARK: - Queries

  private static let labels = [
    "service_name", "severity_text", "trace_id", "env", "http_method", "user_id", "pod", "key_9lives", "tenant_id",
    "severity_number", "nope",
  ]
  private static let labelValues = [
    "api", "db", "INFO", "ERROR", "prod", "dev", "GET", "u-1", "", "000000000000000000000000000000ab", "5", "a",
  ]
  private static let expressions = [
    "api|db", "a.*", ".+", ".*", "(prod|dev)", "[a-z]+", "I.FO", "u-[0-9]", "0+ab", "G?ET|",
  ]
  private static let lineExpressions = [
    "error|timeout", "(?i)error", "err.r", "status=5[0-9]+", "[0-9]+", "^error", "x$", "time(out)?", "(?i)time", "日本.",
    #"a\.b"#,
  ]

  mutating func matcher() -> OracleMatcher {
    let name = random.pick(RandomCorpus.labels)
    if random.chance(50) {
      return OracleMatcher(
        name: name, operation: random.chance(70) ? .equal : .notEqual, value: random.pick(RandomCorpus.labelValues))
    }
    return OracleMatcher(
      name: name, operation: random.chance(70) ? .matches : .notMatches, value: random.pick(RandomCorpus.expressions))
  }

  mutating func logs() -> OracleLogs {
    // A selector must demand something of some label.
    var matchers = [
      random.chance(60)
        ? OracleMatcher(name: "service_name", operation: .matches, value: ".+")
        : OracleMatcher(name: "tenant_id", operation: .equal, value: "a")
    ]
    for _ in 0..<random.below(3) { matchers.append(matcher()) }
    var stages: [OracleStage] = []
    for _ in 0..<random.below(4) {
      if random.chance(60) {
        let isPlain = random.chance(60)
        let texts = (0..<1 + random.below(2)).map { _ in
          isPlain
            ? random.pick(["error", "timeout", "GET", "", "o", "日", "=5", "level=info"])
            : random.pick(RandomCorpus.lineExpressions)
        }
        let isNegated = random.chance(35)
        stages.append(
          .line(
            OracleLineFilter(
              operation: isPlain ? (isNegated ? .notContains : .contains) : (isNegated ? .notMatches : .matches),
              texts: texts)))
      } else {
        stages.append(.label(matcher()))
      }
    }
    return OracleLogs(matchers: matchers, stages: stages)
  }

  mutating func metric() -> OracleMetric {
    let range = OracleMetric.range(
      operation: random.pick(["count_over_time", "rate", "bytes_over_time", "bytes_rate"]), logs(),
      seconds: random.pick([1, 7, 10, 30, 60, 300, 900]), offset: random.chance(20) ? random.pick([-20, 5, 60]) : 0)
    var metric = range
    for _ in 0..<random.below(3) {
      let operation = random.pick(["sum", "sum", "count", "min", "max", "avg"])
      metric = .aggregate(operation: operation, parameter: 0, grouping(), metric)
    }
    if random.chance(20) { metric = .scaled(metric, operation: random.pick(["*", "+", ">"]), Double(random.below(4))) }
    return metric
  }

  private mutating func grouping() -> OracleMetric.Grouping? {
    if random.chance(30) { return nil }
    let names = (0..<random.below(3)).map { _ in
      random.pick(RandomCorpus.labels.filter { $0 != "tenant_id" && $0 != "severity_number" })
    }
    return random.chance(70) ? .by(names) : .without(names)
  }
}
