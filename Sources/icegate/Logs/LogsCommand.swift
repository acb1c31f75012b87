import Glibc
import LakeClient
import LakeModel
import LakeNet
import LakeSystem

/// `icegate logs`: asks a Loki port and prints what it says.
struct LogsCommand {
  private let options: LogsOptions
  private let client: LokiClient
  private let progress: Progress

  /// - Returns: the exit status.
  static func run(_ words: [String]) async throws(Arguments.Wrong) -> Int32 {
    if words.contains("--help") || words.contains("-h") {
      Console.say(LogsOptions.usage)
      return 0
    }
    let options = try LogsOptions(words, now: SystemWallClock().now.nanoseconds)
    do {
      try await LogsCommand(options).run()
      return 0
    } catch let failure as LokiClient.Failure {
      Program.complain("logs: \(failure)")
      if failure.isOurs, let mark = options.subject.queryText.flatMap({ QueryMark.text(failure.message, in: $0) }) {
        Program.remark(mark)
      }
      return failure.isOurs ? 2 : 1
    } catch {
      Program.complain("logs: \(error)")
      return 1
    }
  }

  private init(_ options: LogsOptions) {
    self.options = options
    client = LokiClient(address: options.address, headers: options.headers, transport: CurlTransport())
    progress = Progress(isShown: !options.isQuiet && isatty(2) == 1)
  }

  private func run() async throws {
    switch options.subject {
    case .labelNames: try await list("/loki/api/v1/labels")
    case .labelValues(let name): try await list("/loki/api/v1/label/\(ServerAddress.escaped(name))/values")
    case .series(let selector):
      let bytes = try await ask("/loki/api/v1/series", [("match[]", selector)] + range)
      for labels in try LokiAnswer.labelSets(bytes) { Console.say(EntryPrinter.text(labels)) }
    case .query(let query) where options.follows: try FollowedLogs(options).run(query)
    case .query(let query): try await printAnswer(of: query)
    }
  }

  private var range: [(name: String, value: String)] {
    [("start", String(options.start)), ("end", String(options.end))]
  }

  private func list(_ path: String) async throws {
    for name in try LokiAnswer.names(try await ask(path, range)) { Console.say(name) }
  }

  private func ask(_ path: String, _ parameters: [(name: String, value: String)]) async throws -> Bytes {
    try await progress.during { try await client.get(path, parameters) }
  }

  // MARK: - Queries

  /// The first batch tells what kind of query it is.
  private func printAnswer(of query: String) async throws {
    var printer = options.printer
    var total = LokiAnswer.Statistics()
    var pager = EntryPager(
      start: options.start, end: options.end, direction: options.direction, limit: options.limit)
    var found: [LogEntry] = []
    var count = 0
    var isFirst = true
    while let batch = pager.next() {
      let answer = try LokiAnswer(
        try await ask(
          isFirst && options.isInstant ? "/loki/api/v1/query" : "/loki/api/v1/query_range", parameters(query, batch)))
      total += answer.statistics
      if isFirst { for warning in answer.warnings { remark("warning: \(warning)") } }
      guard case .entries(let entries) = answer.data else {
        write(answer.data, &printer)
        return statistics(total)
      }
      let fresh = try pager.take(entries)
      count += fresh.count
      progress.note("\(count) lines")
      if options.direction == .forward {
        if isFirst { learn(fresh, &printer) }
        Console.write(fresh.map { printer.text($0) }.joined())
      } else {
        found += fresh
      }
      isFirst = false
    }
    if options.direction == .backward {
      learn(found, &printer)
      for part in stride(from: found.count, to: 0, by: -1000) {
        Console.write(found[max(0, part - 1000)..<part].reversed().map { printer.text($0) }.joined())
      }
    }
    if count == 0 { remark("no lines\(options.rangeText)") }
    statistics(total)
  }

  private func parameters(_ query: String, _ batch: EntryPager.Batch) -> [(name: String, value: String)] {
    if options.isInstant { return [("query", query), ("time", String(options.end)), ("limit", String(batch.limit))] }
    var parameters = [("query", query), ("start", String(batch.start)), ("end", String(batch.end))]
    parameters += [("limit", String(batch.limit)), ("direction", options.direction.rawValue)]
    if let step = options.step { parameters.append(("step", step)) }
    return parameters.map { (name: $0.0, value: $0.1) }
  }

  private func write(_ data: LokiAnswer.Data, _ printer: inout EntryPrinter) {
    switch data {
    case .entries: break
    case .series(let series):
      if series.isEmpty { remark("no series\(options.isInstant ? "" : options.rangeText)") }
      printer.learn(series)
      for one in series { Console.write(printer.text(one)) }
    case .scalar(_, let value): Console.say(value)
    }
  }

  private func learn(_ entries: [LogEntry], _ printer: inout EntryPrinter) {
    printer.learn(entries)
    if let common = printer.commonText { remark("all have \(common)") }
  }

  private func statistics(_ total: LokiAnswer.Statistics) {
    guard options.showsStatistics else { return }
    let seconds = String((total.seconds * 1000).rounded() / 1000)
    Program.remark("looked at \(total.lines) rows, \(ByteCount.text(total.bytes)), in \(seconds) s")
  }

  private func remark(_ text: String) { if !options.isQuiet { Program.remark(text) } }
}

/// Bytes for people.
enum ByteCount {
  static func text(_ bytes: Int64) -> String {
    var value = Double(bytes)
    for unit in ["bytes", "KB", "MB", "GB"] {
      if value < 1000 { return unit == "bytes" ? "\(bytes) bytes" : "\((value * 10).rounded() / 10) \(unit)" }
      value /= 1000
    }
    return "\((value * 10).rounded() / 10) TB"
  }
}
