/// Random rows: lines of every shape that parsers know, broken ones among them, and attributes that meet their keys.
struct SlowCorpus {
  var random: Seeded
  /// The rows made so far: queries ask for what is there.
  var made: [TestRow] = []
  static let start: Int64 = 1_700_000_000_000_000_000
  static let seconds = 600

  init(_ seed: UInt64) { random = Seeded(seed) }

  static let services = ["api", "db", "front end", "x"]
  static let attributes = ["env", "http.method", "user.id", "pod", "9lives", "level", "status", "tenant_id", "clé"]
  static let values = ["prod", "dev", "GET", "POST", "u-1", "u-2", "", "a\"b", "日本", "42", "7ms", "10.0.0.3", "3KB"]
  static let words = [
    "error", "timeout", "GET", "Error", "10.0.0.1", "日本語", "a.b", "user", "done", "Éa", "x", "2001:db8::5", "kelvin",
    "\u{212A}elvin", "[1]", "50%",
  ]
  static let levels = ["info", "warn", "error", "ERROR", "é"]
  static let statuses = ["200", "404", "500", "abc", "-1", "2e2"]
  static let times = ["12ms", "1.5s", "2m", "300µs", "0", "-2s", "soon", "7"]
  static let sizes = ["10", "1KB", "1.5KiB", "2 MB", "12B", "9zz"]
  static let addresses = ["10.0.0.1", "10.0.0.77", "192.168.3.4", "2001:db8::5", "nowhere", "10.0.0.300"]
  static let paths = ["/", "/api/v1", "/x y", "/日本", "/api/v1?a=b"]
  static let amounts = ["0", "1", "2", "2.5", "-3", "17", "0.25", "1e2", "NaN?", "4"]

  /// Rows with times of their own, in no order; or some with the time of another, and some that are another row once more.
  mutating func rows(_ count: Int, sharesTimes: Bool = false) -> [TestRow] {
    var taken: Set<Int64> = []
    if sharesTimes {
      made = []
      for _ in 0..<count {
        var row = row()
        if !made.isEmpty, random.chance(40) {
          let other = random.pick(made)
          if random.chance(40) { row = other } else { row.time = other.time }
        }
        made.append(row)
      }
      return made
    }
    made = (0..<count).map { _ in
      var row = row()
      while !taken.insert(row.time).inserted { row.time += 1 }
      return row
    }
    return made
  }

  private mutating func row() -> TestRow {
    let step: Int64 = random.pick([1, 1_000_000, 1_000_000_000, 10_000_000_000])
    let time = SlowCorpus.start + Int64(random.below(Int(Int64(SlowCorpus.seconds) * 1_000_000_000 / step))) * step
    var row = TestRow(time: time)
    row.tenant = random.chance(90) ? "a" : "b"
    row.service = random.chance(85) ? random.pick(SlowCorpus.services) : nil
    row.severity = random.chance(60) ? random.pick(["INFO", "ERROR"]) : nil
    row.severityNumber = random.chance(30) ? Int32(random.below(24)) : nil
    if random.chance(20) {
      row.traceID = [UInt8](repeating: UInt8(random.below(3)), count: 15) + [171]
      row.spanID = [UInt8](repeating: UInt8(random.below(3)), count: 7) + [1]
    }
    row.body = random.chance(97) ? line() : nil
    row.resource = pairs(3)
    row.record = pairs(2)
    return row
  }

  private mutating func pairs(_ most: Int) -> [(String, String)] {
    var out: [(String, String)] = []
    for _ in 0..<random.below(most + 1) {
      let key = random.pick(SlowCorpus.attributes)
      if !out.contains(where: { $0.0 == key }) { out.append((key, random.pick(SlowCorpus.values))) }
    }
    return out
  }

  // MARK: - Lines

  private mutating func line() -> String {
    switch random.below(12) {
    case 0...2: json()
    case 3...5: logfmt()
    case 6, 7: access()
    case 8: packed()
    case 9: "\u{1B}[3\(random.below(8))m\(text())\u{1B}[0m \(text())"
    case 10: random.pick(["", "{}", "{", "[]", "\"", "=", "a", "{\"a\":1}", "null", "   ", "k=v"])
    default: text()
    }
  }

  private mutating func text() -> String {
    (0..<1 + random.below(4)).map { _ in random.pick(SlowCorpus.words) }.joined(separator: " ")
  }

  private mutating func fields() -> [(String, String)] {
    var out: [(String, String)] = []
    func add(_ key: String, _ values: [String]) { if random.chance(55) { out.append((key, random.pick(values))) } }
    add("level", SlowCorpus.levels)
    add("status", SlowCorpus.statuses)
    add("took", SlowCorpus.times)
    add("size", SlowCorpus.sizes)
    add("addr", SlowCorpus.addresses)
    add("path", SlowCorpus.paths)
    add("n", SlowCorpus.amounts)
    add("msg", [text()])
    add("pod", ["p1", "p2"])
    if random.chance(10) { out.append(("trace_id", "abc")) }
    if random.chance(10) { out.append(("9x", "odd")) }
    if random.chance(10) { out.append(("a b", "spaced")) }
    if random.chance(10) { out.append(("n", "3")) }
    return out
  }

  private mutating func quoted(_ text: String) -> String {
    var out = "\""
    for character in text {
      switch character {
      case "\"", "\\": out += "\\\(character)"
      case "é" where random.chance(50): out += "\\u00e9"
      default: out.append(character)
      }
    }
    return out + "\""
  }

  private mutating func json() -> String {
    var members = fields().map { key, value in
      let isNumber = value.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 } && !value.isEmpty
      return quoted(key) + ":" + (isNumber && random.chance(60) ? value : quoted(value))
    }
    if random.chance(40) {
      members.append(
        #""req":{"method":"\#(random.pick(["GET", "POST"]))","id":\#(random.below(9)),"tags":["a",{"b":"c"}],"in":{"é":"deep"}}"#
      )
    }
    if random.chance(15) { members.append(#""env":"inner""#) }
    if random.chance(15) { members.append(#""ok":\#(random.pick(["true", "false", "null"]))"#) }
    if random.chance(10) { members.append(#""list":[1,"two",[3],{"four":4}]"#) }
    members.shuffle(using: &random)
    let whole = "{" + members.joined(separator: random.pick([",", ", "])) + "}"
    switch random.below(12) {
    case 0: return whole + " and more"
    case 1: return "{" + members.joined(separator: ",")
    case 2: return "{" + members.joined(separator: ",") + ",\"cut\":\"of"
    case 3: return "x" + whole
    default: return whole
    }
  }

  private mutating func logfmt() -> String {
    var pairs = fields().filter { $0.0 != "a b" }.map { key, value in
      let needsQuotes = value.contains { " =\"".contains($0) } || value.isEmpty
      return "\(key)=" + (needsQuotes || random.chance(15) ? quoted(value) : value)
    }
    if random.chance(20) { pairs.append("flag") }
    if random.chance(10) { pairs.append("none=") }
    if random.chance(8) { pairs.append(random.pick(["a=b=c", "=x", "q\"r", "u=v\"w"])) }
    pairs.shuffle(using: &random)
    return pairs.joined(separator: random.pick([" ", "  "])) + (random.chance(5) ? " cut=\"of" : "")
  }

  private mutating func access() -> String {
    "\(random.pick(SlowCorpus.addresses)) - \(random.pick(["GET", "POST", "PUT"])) \(random.pick(SlowCorpus.paths)) "
      + "\(random.pick(SlowCorpus.statuses)) \(random.pick(SlowCorpus.times)) n=\(random.pick(SlowCorpus.amounts)) \(text())"
  }

  private mutating func packed() -> String {
    var members = fields().filter { !$0.0.contains(" ") }.map { "\(quoted($0.0)):\(quoted($0.1))" }
    members.append("\"count\":5")
    if random.chance(75) { members.append("\"_entry\":\(quoted(random.chance(50) ? logfmt() : text()))") }
    members.shuffle(using: &random)
    return "{" + members.joined(separator: ",") + "}"
  }
}
