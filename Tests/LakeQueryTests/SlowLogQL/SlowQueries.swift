/// Random queries about the rows of a `SlowCorpus`.
extension SlowCorpus {
  private static let stored = [
    "service_name", "severity_text", "trace_id", "env", "http_method", "user_id", "pod", "key_9lives", "level",
    "status",
    "nope",
  ]
  private static let hidden = ["tenant_id", "severity_number"]
  private static let parsed = [
    "level", "status", "took", "size", "addr", "path", "n", "msg", "pod", "pod_extracted", "env_extracted",
    "req_method",
    "req_id", "level_extracted", "status_extracted", "_9x", "a_b", "flag", "cut", "x", "y", "z", "method", "rest",
    "req_in__", "none",
  ]

  private mutating func name() -> String {
    if random.chance(45), let brought = random.pick(made).labels.keys.sorted().randomElement(using: &random) {
      return brought
    }
    return random.chance(35) ? random.pick(SlowCorpus.stored) : random.pick(SlowCorpus.parsed)
  }

  private mutating func value() -> String {
    random.pick(
      SlowCorpus.services + SlowCorpus.values + SlowCorpus.levels + SlowCorpus.statuses + SlowCorpus.words
        + SlowCorpus.paths + ["INFO", "ERROR", "p1", "", "a", "5", "000000000000000000000000000000ab"])
  }

  /// A value that the label may well have.
  private mutating func value(of name: String) -> String {
    if random.chance(8) { return value() }
    // A few tries: most rows lack most labels.
    for _ in 0..<4 {
      if let found = random.pick(made).usable[name] { return found }
    }
    switch name.replacing("_extracted", with: "") {
    case "service_name": return random.pick(SlowCorpus.services)
    case "severity_text": return random.pick(["INFO", "ERROR"])
    case "level": return random.pick(SlowCorpus.levels)
    case "status": return random.pick(SlowCorpus.statuses)
    case "took": return random.pick(SlowCorpus.times)
    case "size": return random.pick(SlowCorpus.sizes)
    case "addr": return random.pick(SlowCorpus.addresses)
    case "path": return random.pick(SlowCorpus.paths)
    case "n": return random.pick(SlowCorpus.amounts)
    case "tenant_id": return "a"
    case "nope", "x", "y", "z", "rest", "flag", "none": return ""
    default: return random.pick(SlowCorpus.values + ["p1", "GET"])
    }
  }

  mutating func matcher(_ name: String) -> SlowMatcher {
    let value = value(of: name)
    return SlowMatcher(
      name: name, test: random.chance(50) ? .equal(value) : .matches(valueExpression(value)),
      isNegated: value.isEmpty ? random.chance(20) : random.chance(50))
  }

  // MARK: - Regular expressions

  private mutating func valueExpression(_ value: String) -> SlowExpression {
    let tree: SlowRegex =
      switch random.below(7) {
      case 0: .choice((0..<2 + random.below(2)).map { _ in .text(random.chance(70) ? value : self.value()) })
      case 1: .repeated(.any, least: random.below(2), most: nil, isLazy: false)
      case 2:
        .sequence([.text(String(value.prefix(1))), .repeated(.any, least: random.below(2), most: nil, isLazy: false)])
      case 3: .repeated(.oneOf("abcdeprov", isNegated: random.chance(30)), least: 1, most: nil, isLazy: false)
      case 4: .sequence([.repeated(.any, least: 0, most: nil, isLazy: true), .text(String(value.suffix(1)))])
      case 5: .choice([.text(""), .text(random.chance(70) ? value : self.value())])
      default: tree(3)
      }
    return SlowExpression(tree: tree, ignoresCase: random.chance(15))
  }

  private mutating func lineExpression() -> SlowExpression {
    SlowExpression(tree: tree(4), ignoresCase: random.chance(25))
  }

  private mutating func tree(_ most: Int) -> SlowRegex {
    func atom(_ corpus: inout SlowCorpus) -> SlowRegex {
      switch corpus.random.below(12) {
      case 0...3: .text(corpus.random.pick(SlowCorpus.words + ["err", "=5", "\"", "level=", "ms", "G"]))
      case 4: .any
      case 5: .digit
      case 6: .word
      case 7: .oneOf(corpus.random.pick(["0123", "aeiou", "]x-", "日é"]), isNegated: corpus.random.chance(25))
      case 8: .space
      case 9: .choice([.text(corpus.random.pick(SlowCorpus.words)), .text(corpus.random.pick(SlowCorpus.levels))])
      case 10: .group(name: nil, .text(corpus.random.pick(SlowCorpus.words)))
      default: .text(corpus.random.pick(["e", "1", "0", ".", " "]))
      }
    }
    var parts: [SlowRegex] = []
    for _ in 0..<1 + random.below(most) {
      let one = atom(&self)
      parts.append(
        random.chance(30)
          ? .repeated(
            one, least: random.below(2), most: random.pick([nil, nil, 1, 3]), isLazy: random.chance(30)) : one)
    }
    if random.chance(10) { parts.insert(.start, at: 0) }
    if random.chance(10) { parts.append(.end) }
    if random.chance(8) { parts.insert(.wordEdge, at: random.below(parts.count)) }
    return .sequence(parts)
  }

  // MARK: - Pipelines

  mutating func logs(isMetric: Bool) -> SlowLogs {
    // A selector must demand something of some label.
    var matchers = [
      random.chance(70)
        ? SlowMatcher(
          name: "service_name",
          test: .matches(SlowExpression(tree: .repeated(.any, least: 1, most: nil, isLazy: false))))
        : SlowMatcher(name: "tenant_id", test: .equal("a"))
    ]
    for _ in 0..<random.pick([0, 0, 0, 1, 2]) {
      matchers.append(matcher(random.pick(SlowCorpus.stored + SlowCorpus.hidden)))
    }
    var stages: [SlowStage] = []
    if random.chance(25) { stages.append(.line(lineFilter())) }
    if random.chance(10) {
      stages.append(.filter(.matcher(matcher(random.pick(SlowCorpus.stored + SlowCorpus.hidden)))))
    }
    for _ in 0..<random.pick(isMetric ? [0, 1, 1, 1, 2, 3] : [0, 1, 1, 2, 2, 3, 4, 5]) {
      var next = stage()
      // `drop a != "b"` is one stage.
      if case .line(var filter) = next, stages.last?.endsWithName == true {
        filter.isNegated = false
        next = .line(filter)
      }
      stages.append(next)
    }
    return SlowLogs(matchers: matchers, stages: stages)
  }

  private mutating func lineFilter() -> SlowLineFilter {
    let count = random.pick([1, 1, 1, 2, 3])
    let operands: [SlowLineFilter.Operand]
    switch random.below(10) {
    case 0...4:
      operands = (0..<count).map { _ in .text(piece()) }
    case 5: operands = (0..<count).map { _ in .ip(address()) }
    case 6, 7: operands = (0..<count).map { _ in .regex(lineExpression()) }
    default:
      operands = (0..<count).map { _ in
        let words = SlowCorpus.words + ["level=", " - ", "{\"", "status", "GET /"]
        var parts: [SlowPatternPart] = random.chance(60) ? [.skip] : []
        for _ in 0..<1 + random.below(2) { parts += [.literal(random.pick(words.filter { !$0.isEmpty })), .skip] }
        if random.chance(40) { parts.removeLast() }
        return .pattern(parts)
      }
    }
    return SlowLineFilter(operands: operands, isNegated: random.chance(30))
  }

  /// Mostly a part of some line.
  private mutating func piece() -> String {
    let line = Array(random.pick(made).body ?? "")
    if line.isEmpty || random.chance(35) {
      return random.pick([
        "error", "timeout", "GET", "", "o", "日", "=5", "level", "status=", "\"n\":", "zzz", "Éa", "E", "10.0.0.1",
      ])
    }
    let start = random.below(line.count)
    return String(line[start..<min(line.count, start + 1 + random.below(5))])
  }

  private mutating func address() -> String {
    random.pick([
      "10.0.0.1", "10.0.0.0/24", "10.0.0.0-10.0.0.50", "192.168.0.0/16", "2001:db8::/32", "2001:db8::5", "0.0.0.0/0",
    ])
  }

  private mutating func stage() -> SlowStage {
    switch random.below(22) {
    case 0...2: return .json
    case 3...5:
      return .logfmt(isStrict: random.chance(20), keepsEmpty: random.chance(20), [])
    case 6:
      var taken: Set<String> = []
      let extractions = (0..<1 + random.below(2)).map { _ in
        let key = random.pick(["level", "status", "n", "msg", "pod", "flag", "_9x", "nokey"])
        return (label: random.chance(50) ? key : random.pick(["x", "y", "z", "env"]), key: key)
      }.filter { taken.insert($0.label).inserted && taken.insert("key \($0.key)").inserted }
      return .logfmt(isStrict: random.chance(20), keepsEmpty: false, extractions)
    case 7: return .jsonPaths(paths())
    case 8: return .regexp(namedExpression())
    case 9: return .pattern(capturePattern())
    case 10: return .unpack
    case 11...13: return .filter(filter(2))
    case 14: return .lineFormat(template())
    case 15: return .labelFormat(formats())
    case 16: return .decolorize
    case 17: return .drop(choices(errors: true))
    case 18: return .keep(choices(errors: false))
    default: return .line(lineFilter())
    }
  }

  private mutating func paths() -> [(label: String, steps: [SlowPathStep])] {
    var taken: Set<String> = []
    return (0..<1 + random.below(2)).map { _ in
      let steps: [SlowPathStep] = random.pick([
        [.member("level")], [.member("n")], [.member("req"), .member("method")],
        [.member("req"), .member("tags"), .index(0)],
        [.member("req")], [.member("list")], [.member("list"), .index(1)], [.member("nokey")], [.member("a b")],
        [.member("ok")], [.member("req"), .member("in"), .member("é")], [.member("list"), .index(9)],
        [.member("req"), .member("tags"), .index(1), .member("b")],
      ])
      return (label: random.pick(["x", "y", "z", "env", "pod", "level"]), steps: steps)
    }.filter { taken.insert($0.label).inserted }
  }

  private mutating func namedExpression() -> SlowExpression {
    let tree: SlowRegex = random.pick([
      .sequence([
        .group(name: "method", .choice([.text("GET"), .text("POST")])), .text(" "),
        .group(name: "path", .repeated(.oneOf(" ", isNegated: true), least: 1, most: nil, isLazy: false)),
      ]),
      .sequence([
        .text("n="), .group(name: "n", .repeated(.oneOf(" \"", isNegated: true), least: 1, most: nil, isLazy: false)),
      ]),
      .sequence([
        .group(name: "x", .repeated(.word, least: 1, most: nil, isLazy: true)),
        .repeated(.space, least: 1, most: nil, isLazy: false),
        .group(name: "y", .repeated(.any, least: 0, most: nil, isLazy: false)),
      ]),
      .sequence([.start, .group(name: "env", .repeated(.any, least: 1, most: 4, isLazy: true)), .text("e")]),
      .choice([
        .group(name: "x", .text("error")), .group(name: "y", .repeated(.digit, least: 2, most: nil, isLazy: false)),
      ]),
      .sequence([
        .text("status"), .repeated(.oneOf("\":= ", isNegated: false), least: 1, most: nil, isLazy: false),
        .group(name: "status", .repeated(.digit, least: 1, most: 2, isLazy: true)),
        .repeated(.group(name: "z", .digit), least: 0, most: 1, isLazy: false),
      ]),
    ])
    return SlowExpression(tree: tree, ignoresCase: random.chance(10))
  }

  private mutating func capturePattern() -> [SlowPatternPart] {
    random.pick([
      [
        .capture("addr"), .literal(" - "), .capture("method"), .literal(" "), .capture("path"), .literal(" "),
        .capture("status"), .literal(" "), .capture("took"), .literal(" "), .skip,
      ],
      [.skip, .literal("n="), .capture("n"), .literal(" "), .capture("rest")],
      [.literal("level="), .capture("level"), .literal(" "), .skip],
      [.capture("x"), .literal(" "), .capture("env")],
      [.skip, .literal("\""), .capture("x"), .literal("\":"), .capture("y"), .literal(",")],
      [.literal("{"), .capture("z"), .literal("}")],
    ])
  }

  mutating func filter(_ depth: Int) -> SlowFilter {
    switch random.below(depth > 0 ? 12 : 9) {
    case 0...3:
      if random.chance(12) {
        return .matcher(
          random.chance(60)
            ? SlowMatcher(name: "__error__", test: .equal(""), isNegated: random.chance(30))
            : SlowMatcher(
              name: "__error__",
              test: .matches(
                SlowExpression(tree: .sequence([.text("J"), .repeated(.any, least: 0, most: nil, isLazy: false)]))),
              isNegated: random.chance(50)))
      }
      return .matcher(matcher(name()))
    case 4, 5:
      return quantity(
        .number, [("200", 200), ("2.5", 2.5), ("-1", -1), ("0", 0), ("5", 5), ("400", 400)],
        ["n", "status", "req_id", "x", "rest"])
    case 6:
      return quantity(.duration, [("10ms", 1e7), ("1.5s", 15e8), ("1m", 6e10), ("1h", 36e11)], ["took", "n", "env"])
    // Loki hands the query on as text, where 1KiB is 1.0kB. Recorded: logfmt-5b09e38d8d.
    case 7: return quantity(.bytes, [("1KB", 1000), ("1KiB", 1000), ("12B", 12)], ["size", "n", "status"])
    case 8: return .ip(random.pick(["addr", "env", "x", "msg", "rest"]), isNegated: random.chance(30), address())
    case 9, 10: return .and(filter(depth - 1), filter(depth - 1), sign: random.pick([" and ", ", ", " "]))
    default: return .or(filter(depth - 1), filter(depth - 1))
    }
  }

  private mutating func quantity(
    _ kind: SlowFilter.Quantity, _ values: [(String, Double)], _ names: [String]
  ) -> SlowFilter {
    let (text, value) = random.pick(values)
    return .quantity(
      random.chance(85) ? random.pick(names) : name(), kind, random.pick(["=", "==", "!=", ">", ">=", "<", "<="]),
      text: text, value)
  }

  private mutating func template() -> [SlowTemplate] {
    (0..<1 + random.below(3)).map { _ in
      let field = random.chance(92) ? name() : "nosuch"
      let part = random.pick(["a", "e", "1", "日", "0.0", "/"])
      return switch random.below(32) {
      case 14: .cut(random.pick([0, 2, 5, -1, -3]), field)
      case 15: .seconds
      case 16: .withoutPrefix(part, field)
      case 17: .withoutSuffix(part, field)
      case 18: .without(random.pick(["a1", "s", "日0", "/. "]), field)
      case 19: .repeated(random.below(4), field)
      case 20: .length(field)
      case 21: .rightAligned(random.below(6), field)
      case 22: .holds(part, field)
      case 23: random.chance(50) ? .begins(part, field) : .ends(part, field)
      case 24: .sum(random.below(100) - 50, random.below(9))
      case 25: .product(random.below(100) - 50, random.below(9))
      case 26: random.chance(50) ? .quotient(random.below(100) - 50, 7) : .rest(random.below(100) - 50, 7)
      case 27: random.chance(50) ? .base64(field) : .escaped(field)
      case 28: .occurrences(random.pick(["a", "1", "日", "/"]), field)
      case 29: .quoted(field)
      case 30: .longer(field, name())
      case 31:
        switch random.below(3) {
        case 0: .both(field, name())
        case 1: .one(field, name())
        default: .milliseconds
        }
      case 0, 1: .text(random.pick([" ", "n=", "level=info ", "日本", "{\"a\":"]))
      case 2...4: .field(field)
      case 5: .upper(field)
      case 6: .lower(field)
      case 7: .truncated(random.pick([0, 1, 3, -2]), field)
      case 8: .replaced(random.pick(["a", "e", " ", "日"]), by: random.pick(["", "xx", "é"]), field)
      case 9: .either(field, "yes ", else: "no")
      case 10: .ifEqual(field, random.pick(SlowCorpus.levels), then: "same")
      case 11: .fallback("none", field)
      case 12: random.chance(50) ? .joined(field, name()) : .nanoseconds
      default: .line
      }
    }
  }

  private mutating func formats() -> [(label: String, SlowStage.Format)] {
    var taken: Set<String> = []
    return (0..<1 + random.below(2)).map { _ in
      (
        label: random.chance(60) ? random.pick(["x", "y", "z"]) : name(),
        random.chance(50) ? .rename(name()) : .template(template())
      )
    }.filter { taken.insert($0.label).inserted }
  }

  private mutating func choices(errors: Bool) -> [SlowStage.Choice] {
    (0..<1 + random.below(3)).map { _ in
      let name = errors && random.chance(15) ? "__error__" : name()
      return random.chance(65) ? .name(name) : .matching(matcher(name))
    }
  }

  // MARK: - Metrics

  private mutating func grouping() -> SlowGrouping {
    let names = (0..<random.pick([0, 1, 1, 2])).map { _ in random.chance(6) ? "__error__" : name() }
    return SlowGrouping(names: Array(Set(names)).sorted(), isWithout: random.chance(25))
  }

  private mutating func range() -> SlowRange {
    var range = SlowRange(
      operation: "", logs: logs(isMetric: true),
      interval: random.pick([1000, 7500, 30_000, 60_000, 300_000, 300_000, 900_000, 900_000]) * 1_000_000)
    range.offset = random.chance(15) ? random.pick([-20_000, 5000, 60_000]) * 1_000_000 : 0
    if random.chance(45) {
      range.operation = random.pick(["count_over_time", "rate", "bytes_over_time", "bytes_rate", "absent_over_time"])
      return cleaned(range)
    }
    if !range.logs.stages.contains(where: \.isParser) {
      range.logs.stages.append(random.chance(50) ? .json : .logfmt(isStrict: false, keepsEmpty: false, []))
    }
    var unwrap = random.pick([
      SlowUnwrap(label: "n"), SlowUnwrap(label: "n"), SlowUnwrap(label: "status"), SlowUnwrap(label: "req_id"),
      SlowUnwrap(label: "took", conversion: "duration"), SlowUnwrap(label: "took", conversion: "duration_seconds"),
      SlowUnwrap(label: "size", conversion: "bytes"), SlowUnwrap(label: "x"),
    ])
    if random.chance(80) { unwrap.filters.append(.matcher(SlowMatcher(name: "__error__", test: .equal("")))) }
    if random.chance(15) { unwrap.filters.append(filter(1)) }
    range.unwrap = unwrap
    range.operation = random.pick([
      "sum_over_time", "avg_over_time", "max_over_time", "min_over_time", "stdvar_over_time", "stddev_over_time",
      "quantile_over_time", "first_over_time", "last_over_time", "rate", "rate_counter", "absent_over_time",
    ])
    if range.operation == "quantile_over_time" { range.parameter = random.pick([0, 0.5, 0.9, 1, 0.25, 1.5]) }
    let mayGroup = [
      "avg_over_time", "max_over_time", "min_over_time", "stdvar_over_time", "stddev_over_time", "quantile_over_time",
      "first_over_time", "last_over_time",
    ]
    if mayGroup.contains(range.operation) && random.chance(45) { range.grouping = grouping() }
    return cleaned(range)
  }

  /// Mostly without the errors that make queries fail.
  private mutating func cleaned(_ range: SlowRange) -> SlowRange {
    var range = range
    if random.chance(85) {
      range.logs.stages.append(.filter(.matcher(SlowMatcher(name: "__error__", test: .equal("")))))
    }
    return range
  }

  mutating func metric(_ depth: Int = 3, isOutermost: Bool = true) -> SlowMetric {
    if depth == 0 || random.chance(25) {
      return random.chance(4) && !isOutermost ? .vector(Double(random.below(4))) : .range(range())
    }
    switch random.below(isOutermost ? 12 : 9) {
    case 0...4:
      let operation = random.pick(["sum", "sum", "sum", "count", "min", "max", "avg", "stddev", "stdvar"])
      return .aggregation(
        operation, parameter: nil, random.chance(75) ? grouping() : nil, metric(depth - 1, isOutermost: false))
    case 5: return scaled(metric(depth - 1, isOutermost: false))
    case 6, 7: return binary(depth)
    case 8: return replace(metric(depth - 1, isOutermost: false))
    case 9, 10:
      let operation = random.pick(["topk", "bottomk", "sort", "sort_desc", "approx_topk"])
      let isCounted = operation.hasSuffix("k")
      let grouping = isCounted && operation != "approx_topk" && random.chance(40) ? grouping() : nil
      return .aggregation(
        operation, parameter: isCounted ? 1 + random.below(3) : nil, grouping, metric(depth - 1, isOutermost: false))
    default: return scaled(binary(depth))
    }
  }

  private mutating func scaled(_ operand: SlowMetric) -> SlowMetric {
    let operation = random.pick(["+", "-", "*", "/", "%", "^", ">", "<=", "==", "!=", ">=", "<"])
    let isComparison = SlowCorpus.isComparison(operation)
    // Results of divisions are compared with numbers that they do not come near.
    let value = isComparison && !operand.isWhole ? 1.37 : Double(random.below(4))
    let isBool = isComparison && random.chance(40)
    return operation != "^" && random.chance(40)
      ? .binary(operation, isBool: isBool, nil, .number(value), operand)
      : .binary(operation, isBool: isBool, nil, operand, .number(value))
  }

  private static func isComparison(_ operation: String) -> Bool {
    ["==", "!=", ">", ">=", "<", "<="].contains(operation)
  }

  private mutating func binary(_ depth: Int) -> SlowMetric {
    let names = (0..<1 + random.below(2)).map { _ in name() }
    func side(_ corpus: inout SlowCorpus) -> SlowMetric {
      .aggregation(
        corpus.random.pick(["sum", "count", "max"]), parameter: nil,
        SlowGrouping(names: corpus.random.chance(80) ? names : names + [corpus.name()]),
        corpus.metric(max(0, depth - 2), isOutermost: false))
    }
    let left = side(&self)
    let right = random.chance(15) ? .vector(Double(random.below(3))) : side(&self)
    var operation = random.pick(["+", "-", "*", "/", "and", "or", "unless", ">", "==", "!=", "<="])
    if SlowCorpus.isComparison(operation) && !(left.isWhole && right.isWhole) { operation = "+" }
    var matching: SlowMetric.Matching?
    if random.chance(60) {
      var made = SlowMetric.Matching(isOn: random.chance(60), names: random.chance(85) ? [names[0]] : [])
      if !["and", "or", "unless"].contains(operation) && random.chance(40) {
        made.group = random.pick(["group_left", "group_right"])
        if random.chance(50) {
          made.include = [random.pick(names + ["x"])].filter { !made.isOn || !made.names.contains($0) }
        }
      }
      matching = made
    }
    return .binary(operation, isBool: SlowCorpus.isComparison(operation) && random.chance(40), matching, left, right)
  }

  private mutating func replace(_ operand: SlowMetric) -> SlowMetric {
    .replace(
      operand, to: random.pick(["x", "env", "to"]), before: random.pick(["", "b-"]), after: random.pick(["", "-é"]),
      from: name(),
      SlowExpression(
        tree: .sequence([
          .repeated(.oneOf("u-", isNegated: false), least: 0, most: nil, isLazy: false),
          .group(name: "part", .repeated(.any, least: random.below(2), most: nil, isLazy: random.chance(50))),
          random.chance(30) ? .text("d") : .text(""),
        ])))
  }
}

extension SlowStage {
  /// Whether a comparison behind its text would be read as part of it.
  var endsWithName: Bool {
    switch self {
    case .drop, .keep, .logfmt: true
    default: false
    }
  }

  var isParser: Bool {
    switch self {
    case .json, .jsonPaths, .logfmt, .regexp, .pattern, .unpack: true
    default: false
    }
  }
}

extension SlowMetric {
  /// Whether its values are exact, so that they may be compared.
  var isWhole: Bool {
    switch self {
    case .number, .vector: true
    case .range(let range): ["count_over_time", "bytes_over_time", "absent_over_time"].contains(range.operation)
    case .aggregation(let operation, _, _, let operand):
      operand.isWhole && !["avg", "stddev", "stdvar"].contains(operation)
    case .binary(let operation, _, _, let left, let right): left.isWhole && right.isWhole && operation != "/"
    case .replace(let operand, _, _, _, _, _): operand.isWhole
    }
  }

  /// `topk` and its like choose among samples; the order of these is looked at too.
  var choice: (operation: String, operand: SlowMetric)? {
    if case .aggregation(let operation, _, _, let operand) = self,
      ["topk", "bottomk", "sort", "sort_desc", "approx_topk"].contains(operation)
    {
      return (operation, operand)
    }
    return nil
  }
}
