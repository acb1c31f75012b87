import LakeModel

@testable import LakeQuery

/// Runs the same random queries through the engine and through the slow evaluator.
struct SlowComparison {
  /// What became of the cases.
  struct Tally {
    var agreed = 0
    var refused = 0
    /// Queries whose answer nobody defines.
    var undefined = 0
    /// Answers without entries or samples, of those that agreed.
    var empty = 0
    var failures: [String] = []

    static func += (a: inout Tally, b: Tally) {
      a.agreed += b.agreed
      a.refused += b.refused
      a.undefined += b.undefined
      a.empty += b.empty
      a.failures += b.failures
    }
  }
  static let casesOfCorpus = 20

  private let rows: [TestRow]
  /// Whether rows may have the same time; which of them is the first or last of its series, nobody defines.
  private let sharesTimes: Bool
  private let engine: LogQueryEngine
  private var corpus: SlowCorpus
  private var tally = Tally()

  /// One corpus, in files and in the WAL, and the queries about it.
  static func run(seed: UInt64) async throws -> Tally {
    var corpus = SlowCorpus(seed)
    let count = 10 + corpus.random.below(120)
    let sharesTimes = corpus.random.chance(30)
    let rows = corpus.rows(count, sharesTimes: sharesTimes)
    let lake = try await LakeOracleTests.lake(rows, &corpus.random)
    var settings = QuerySettings()
    settings.parallelism = corpus.random.pick([1, 2, 4])
    settings.cacheBytesMax = corpus.random.pick([0, 20_000, 1 << 30])
    var run = SlowComparison(
      rows: rows.filter { $0.tenant == "a" }, sharesTimes: sharesTimes, engine: lake.engine(settings), corpus: corpus)
    for index in 0..<casesOfCorpus { await run.one("seed \(seed) case \(index)") }
    return run.tally
  }

  private init(rows: [TestRow], sharesTimes: Bool, engine: LogQueryEngine, corpus: SlowCorpus) {
    self.rows = rows
    self.sharesTimes = sharesTimes
    self.engine = engine
    self.corpus = corpus
  }

  private mutating func one(_ name: String) async {
    let kind = corpus.random.below(10)
    let failure = kind < 4 ? await logs() : await metric(isRange: kind < 7)
    if let failure { tally.failures.append("\(name): \(failure)") }
  }

  private func ask(_ text: String, _ span: LogQueryRequest.Span, _ change: (inout LogQueryRequest) -> Void = { _ in })
    async -> Result<LogQueryResult.Data, QueryError>
  {
    var request = LogQueryRequest(tenant: TenantID("a")!, query: text, span: span)
    change(&request)
    do throws(QueryError) { return .success(try await engine.query(request).data) } catch { return .failure(error) }
  }

  // MARK: - Log queries

  private mutating func logs() async -> String? {
    var query = corpus.logs(isMetric: false)
    var (start, end) = (Int64(0), Int64(0))
    let limit = corpus.random.pick([1, 3, 20, 1000])
    let isBackward = corpus.random.chance(60)
    let isCategorized = corpus.random.chance(40)
    var expected: [SlowRow] = []
    for attempt in 0..<SlowComparison.drawsMax {
      if attempt > 0 { query = corpus.logs(isMetric: false) }
      // Often a row stands at the very border.
      start = border ?? SlowCorpus.start + Int64(corpus.random.below(100)) * 1_000_000_000
      end = start + Int64(1 + corpus.random.pick([3, 100, 300, 600, 600])) * 1_000_000_000
      if let border, border > start { end = border }
      expected = query.run(rows, start: start, end: end, limit: limit, isBackward: isBackward)
      if !expected.isEmpty { break }
    }
    let answer = await ask(
      query.text,
      .range(
        start: .init(nanoseconds: UInt64(start)), end: .init(nanoseconds: UInt64(end)), step: .seconds(1),
        interval: .zero)
    ) { request in
      request.limit = limit
      request.direction = isBackward ? .backward : .forward
      request.isCategorized = isCategorized
    }
    guard case .success(.streams(let streams)) = answer else { return "\(query.text)\n  answered \(answer)" }
    var found: [Int64: [String]] = [:]
    for stream in streams {
      for index in 0..<stream.count {
        let time = Int64(stream.times[index])
        if index > 0 && Int64(stream.times[index - 1]) != time,
          (Int64(stream.times[index - 1]) > time) != isBackward
        {
          return "\(query.text)\n  order"
        }
        let line = String(decoding: BytesView(stream.lines)![index], as: UTF8.self)
        var kinds = [stream.labels.dictionary]
        if isCategorized {
          kinds += [stream.metadata[index].structured.dictionary, stream.metadata[index].parsed.dictionary]
        }
        found[time, default: []].append(SlowComparison.entry(line, kinds))
      }
    }
    func entries(_ rows: [SlowRow]) -> [Int64: [String]] {
      Dictionary(grouping: rows, by: \.time).mapValues { rows in
        rows.map { SlowComparison.entry($0.line, isCategorized ? SlowComparison.kinds($0) : [$0.shown]) }.sorted()
      }
    }
    var wanted = entries(expected)
    found = found.mapValues { $0.sorted() }
    // Where the limit cuts between rows of one time, any of them may be there.
    if sharesTimes, expected.count == limit, let cut = expected.last?.time, let mine = found[cut] {
      var all = entries(query.run(rows, start: start, end: end, limit: .max, isBackward: isBackward))[cut] ?? []
      let isPart = mine.allSatisfy { one in all.firstIndex(of: one).map { all.remove(at: $0) } != nil }
      if isPart && mine.count == wanted[cut]?.count { wanted[cut] = mine }
    }
    if found == wanted {
      tally.agreed += 1
      if wanted.isEmpty { tally.empty += 1 }
      return nil
    }
    let times = Set(found.keys).union(wanted.keys).filter { found[$0] != wanted[$0] }.sorted()
    return "\(query.text)\n  limit \(limit) \(isBackward ? "backward" : "forward")\n"
      + times.prefix(3).map { time in
        let line = rows.first { $0.time == time }.map { "\($0.body ?? "absent") \($0.labels)" } ?? "no row"
        return "  row \(line)\n    expected \(wanted[time] ?? [])\n    found    \(found[time] ?? [])"
      }.joined(separator: "\n")
  }

  private static func kinds(_ row: SlowRow) -> [[String: String]] {
    let shown = row.shown
    return [SlowRow.Kind.stream, .structured, .parsed].map { kind in
      shown.filter { name, _ in row.labels[name].map { $0.kind == kind } ?? (kind == .parsed) }
    }
  }

  private static func entry(_ line: String, _ kinds: [[String: String]]) -> String {
    "\(line) | " + kinds.map { SlowComparison.text(canonical($0)) }.joined(separator: " ")
  }

  private static func text(_ labels: [String: String]) -> String {
    "{" + labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ") + "}"
  }

  /// Without the words in which parsers complain.
  private static func canonical(_ labels: [String: String]) -> [String: String] {
    var labels = labels
    if let details = labels["__error_details__"],
      !["strconv.", "time: ", "unhandled "].contains(where: details.hasPrefix)
    {
      labels["__error_details__"] = "?"
    }
    return labels
  }

  /// Queries with an empty answer are drawn anew, so many times at most.
  private static let drawsMax = 6

  private var border: Int64? {
    mutating get { corpus.random.chance(25) ? rows.isEmpty ? nil : corpus.random.pick(rows).time : nil }
  }

  // MARK: - Metric queries

  /// When a metric query is asked, and what the slow evaluator says.
  private struct MetricCase {
    var query: SlowMetric
    var start: Int64
    var end: Int64
    var step: Int64
    var expected: Result<[Int64: SlowMetric.Samples], SlowMetric.Failure>
    var choices: [Int64: SlowMetric.Samples]

    var isTelling: Bool {
      switch expected {
      case .success(let samples): !samples.values.allSatisfy(\.isEmpty)
      case .failure(.refused): true
      case .failure(.undefined): false
      }
    }
  }

  private mutating func draw(isRange: Bool) -> MetricCase {
    let query = corpus.metric()
    let start = border ?? SlowCorpus.start + Int64(100_000 + corpus.random.below(600_000)) * 1_000_000
    let step = Int64(corpus.random.pick([1000, 2500, 7000, 30_000, 60_000, 400_000])) * 1_000_000
    let end =
      isRange ? start + step * Int64(corpus.random.below(12)) + Int64(corpus.random.below(900)) * 1_000_000 : start
    var expected: [Int64: SlowMetric.Samples] = [:]
    var choices: [Int64: SlowMetric.Samples] = [:]
    let samples = query.prepared(rows)
    var result: Result<[Int64: SlowMetric.Samples], SlowMetric.Failure>
    do throws(SlowMetric.Failure) {
      for time in stride(from: start, through: end, by: Int(step)) {
        var left = samples[...]
        expected[time] = SlowComparison.canonical(try query.at(time, &left))
        guard let choice = query.choice else { continue }
        left = samples[...]
        choices[time] = SlowComparison.canonical(try choice.operand.at(time, &left))
      }
      result = .success(expected)
    } catch {
      result = .failure(error)
    }
    return MetricCase(query: query, start: start, end: end, step: step, expected: result, choices: choices)
  }

  private mutating func metric(isRange: Bool) async -> String? {
    var drawn = draw(isRange: isRange)
    for _ in 1..<SlowComparison.drawsMax where !drawn.isTelling { drawn = draw(isRange: isRange) }
    let (query, start, end, step, choices) = (drawn.query, drawn.start, drawn.end, drawn.step, drawn.choices)
    func stamp(_ time: Int64) -> Timestamp { Timestamp(nanoseconds: UInt64(time)) }
    let answer = await ask(
      query.text,
      isRange
        ? .range(start: stamp(start), end: stamp(end), step: .nanoseconds(step), interval: .zero)
        : .instant(at: stamp(start)))
    if sharesTimes, ["first_over_time", "last_over_time", "rate_counter"].contains(where: query.text.contains) {
      tally.undefined += 1
      return nil
    }
    let expected: [Int64: SlowMetric.Samples]
    switch drawn.expected {
    case .success(let samples): expected = samples
    case .failure(.undefined):
      tally.undefined += 1
      return nil
    case .failure(.refused):
      guard case .failure(.invalid) = answer else { return "\(query.text)\n  should be refused, answered \(answer)" }
      tally.refused += 1
      return nil
    }
    guard case .success(let data) = answer else {
      return "\(query.text)\n  at \(start) answered \(answer)\n  expected \(expected)"
    }
    guard let found = SlowComparison.samples(data) else {
      tally.undefined += 1
      return nil
    }
    for (time, wanted) in expected.sorted(by: { $0.key < $1.key }) {
      let mine = found[time] ?? [:]
      if let difference = SlowComparison.difference(wanted, mine, query.choice?.operation, choices[time]) {
        return
          "\(query.text)\n  at \(time - SlowCorpus.start) of \(start - SlowCorpus.start)...\(end - SlowCorpus.start) by \(step): \(difference)"
      }
    }
    if let extra = found.keys.first(where: { expected[$0] == nil }) { return "\(query.text)\n  sample at \(extra)" }
    tally.agreed += 1
    if expected.values.allSatisfy(\.isEmpty) { tally.empty += 1 }
    return SlowComparison.misordered(data, query.choice?.operation).map { "\(query.text)\n  \($0)" }
  }

  private static func canonical(_ samples: SlowMetric.Samples) -> SlowMetric.Samples {
    Dictionary(samples.map { (canonical($0.key), $0.value) }, uniquingKeysWith: +)
  }

  /// nil: two series have the same labels but for the words of an error.
  private static func samples(_ data: LogQueryResult.Data) -> [Int64: SlowMetric.Samples]? {
    var out: [Int64: SlowMetric.Samples] = [:]
    var isUnique = true
    func add(_ time: Timestamp, _ labels: LabelSet, _ value: Double) {
      let old = out[Int64(time.nanoseconds), default: [:]].updateValue(value, forKey: canonical(labels.dictionary))
      if old != nil { isUnique = false }
    }
    switch data {
    case .vector(let samples): for sample in samples { add(sample.time, sample.labels, sample.value) }
    case .matrix(let series):
      for one in series { for (time, value) in zip(one.times, one.values) { add(time, one.labels, value) } }
    case .scalar, .streams: return nil
    }
    return isUnique ? out : nil
  }

  private static func difference(
    _ wanted: SlowMetric.Samples, _ found: SlowMetric.Samples, _ choice: String?, _ choices: SlowMetric.Samples?
  ) -> String? {
    if choice != nil, let choices {
      for (labels, value) in found where !isNear(choices[labels], value) {
        return "\(text(labels)) \(value) was not there to choose"
      }
      let (a, b) = (ascending(wanted), ascending(found))
      return a.count == b.count && zip(a, b).allSatisfy({ isNear($0, $1) }) ? nil : "chose \(b), expected \(a)"
    }
    for labels in Set(wanted.keys).union(found.keys) where !isNear(wanted[labels], found[labels]) {
      return "\(text(labels)) is \(found[labels].map { "\($0)" } ?? "absent"), expected "
        + "\(wanted[labels].map { "\($0)" } ?? "nothing")"
    }
    return nil
  }

  /// What is no number comes last.
  private static func ascending(_ samples: SlowMetric.Samples) -> [Double] {
    samples.values.sorted { !$0.isNaN && ($1.isNaN || $0 < $1) }
  }

  /// Sums are added up in other orders, so the last digits may differ.
  private static func isNear(_ a: Double?, _ b: Double?) -> Bool {
    guard let a, let b else { return a == nil && b == nil }
    return a == b || (a.isNaN && b.isNaN) || abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))
  }

  private static func misordered(_ data: LogQueryResult.Data, _ choice: String?) -> String? {
    guard case .vector(let samples) = data, let choice, choice.hasPrefix("sort") else { return nil }
    let values = samples.map(\.value)
    let isRight = zip(values, values.dropFirst()).allSatisfy { $1.isNaN || (choice == "sort" ? $0 <= $1 : $0 >= $1) }
    return isRight ? nil : "order \(values)"
  }
}
