import Glibc
import LakeClient
import LakeLogQL
import LakeModel

/// The words of `icegate logs`, understood.
struct LogsOptions {
  enum Subject {
    case query(String)
    case labelNames
    case labelValues(String)
    case series(String)

    /// What the server reads as LogQL.
    var queryText: String? {
      switch self {
      case .query(let text), .series(let text): text
      case .labelNames, .labelValues: nil
      }
    }
  }

  var subject: Subject
  var address: ServerAddress
  var headers: [(name: String, value: String)]
  /// Nanoseconds since the epoch; the end is not included.
  var start: UInt64
  var end: UInt64
  /// nil: everything.
  var limit: Int?
  var direction: EntryPager.Direction
  var follows: Bool
  var delaySeconds: Int
  var step: String?
  var isInstant: Bool
  var isQuiet: Bool
  var showsStatistics: Bool
  var printer: EntryPrinter

  /// ` between 2026-01-15 09:40:00.000 and 2026-01-15 10:40:00.000`
  var rangeText: String {
    let time = printer.isUTC ? ClockText.utc : ClockText.local
    return " between \(time(start)) and \(time(end))"
  }

  static let usage = """
    usage: icegate logs 'QUERY' [OPTIONS]          lines or series of a LogQL query
           icegate logs labels [NAME] [OPTIONS]    label names, or the values of one
           icegate logs series 'SELECTOR' [OPTIONS]

      --since DURATION        how far back: 30m, 1h (default), 2d
      --from TIME, --to TIME  instead: RFC 3339 or Unix seconds
      -n, --limit N           the newest N lines (default 100); 0: all
      --direction forward     the oldest N instead
      -f, --follow            goes on with what comes
      --delay-for N           with --follow: waits N seconds (at most 5), so that late lines come in order
      --step DURATION         of a metric query; --instant asks for its value at the end only
      -o, --output MODE       default, raw (lines only) or jsonl
      --labels LIST           varying (default), all, none or names: env,pod
      --utc                   times in UTC
      --color WHEN            auto, always or never
      --addr URL              default http://127.0.0.1:3100, or ICEGATE_ADDR
      --tenant ID             X-Scope-OrgID, or ICEGATE_TENANT
      --header 'NAME: VALUE'  sent with each request; may be repeated
      --stats                 what the query read
      -q, --quiet             no progress, no remarks

    Exit status: 0 answered, 1 the server cannot answer, 2 the request is wrong.
    """

  init(_ words: [String], now: UInt64) throws(Arguments.Wrong) {
    var arguments = Arguments(words)
    let sinceText = try arguments.option("--since")
    let from = try arguments.option("--from", "--start").map { (text) throws(Arguments.Wrong) in
      try LogsOptions.time("--from", text)
    }
    let to = try arguments.option("--to", "--end").map { (text) throws(Arguments.Wrong) in
      try LogsOptions.time("--to", text)
    }
    if sinceText != nil, from != nil { throw Arguments.Wrong(description: "--since and --from exclude each other") }
    let long = try arguments.int("--limit", in: 0...10_000_000)
    let count = try arguments.int("-n", in: 0...10_000_000) ?? long ?? 100
    limit = count == 0 ? nil : count
    let directionText = try arguments.option("--direction")
    direction =
      try LogsOptions.choice("--direction", directionText, EntryPager.Direction.init, "forward, backward")
      ?? (limit == nil ? .forward : .backward)
    follows = arguments.flag("--follow") || arguments.flag("-f")
    delaySeconds = try arguments.int("--delay-for", in: 0...5) ?? 0
    step = try arguments.option("--step")
    isInstant = arguments.flag("--instant")
    isQuiet = arguments.flag("--quiet") || arguments.flag("-q")
    showsStatistics = arguments.flag("--stats")
    printer = try LogsOptions.printer(&arguments)
    let addressText =
      try arguments.option("--addr") ?? LogsOptions.environment("ICEGATE_ADDR") ?? "http://127.0.0.1:3100"
    guard let address = ServerAddress(addressText) else {
      throw Arguments.Wrong(description: "--addr: found `\(addressText)`, allowed: an address with http or https")
    }
    self.address = address
    headers = try LogsOptions.headers(&arguments)
    end = to ?? now
    start = from ?? end
    if from == nil {
      let text = sinceText ?? "1h"
      guard case .success(let since) = GoDuration.parsePrometheus(text), since > .zero else {
        throw Arguments.Wrong(description: "--since: found `\(text)`, allowed: a duration such as 30m, 1h or 2d")
      }
      start = end - min(end, UInt64(since.nanoseconds))
    }
    if start > end { throw Arguments.Wrong(description: "the time range ends before it begins") }
    if follows, to != nil { throw Arguments.Wrong(description: "--follow and --to exclude each other") }
    subject = try LogsOptions.subject(&arguments)
    try arguments.finish()
  }

  private static func subject(_ arguments: inout Arguments) throws(Arguments.Wrong) -> Subject {
    guard let first = arguments.word() else {
      try arguments.finish()
      throw Arguments.Wrong(description: "a query is wanted\n\n\(usage)")
    }
    switch first {
    case "labels": return arguments.word().map { .labelValues($0) } ?? .labelNames
    case "series": return .series(arguments.word() ?? "{}")
    default: return .query(first)
    }
  }

  private static func printer(_ arguments: inout Arguments) throws(Arguments.Wrong) -> EntryPrinter {
    let isTerminal = isatty(1) == 1
    let modeText = try arguments.option("--output", "-o")
    let mode = try choice("--output", modeText, EntryPrinter.Mode.init, "default, raw, jsonl") ?? .default
    let labels: EntryPrinter.Labels
    switch try arguments.option("--labels") {
    case nil, "varying": labels = .varying
    case "all": labels = .all
    case "none": labels = .none
    case let names?: labels = .only(names.split(separator: ",").map(String.init))
    }
    let hasColours: Bool
    switch try arguments.option("--color", "--colour") ?? "auto" {
    case "auto": hasColours = isTerminal && environment("NO_COLOR") == nil && environment("TERM") != "dumb"
    case "always": hasColours = true
    case "never": hasColours = false
    case let text: throw Arguments.Wrong(description: "--color: found `\(text)`, allowed: auto, always, never")
    }
    return EntryPrinter(
      mode: mode, labels: labels, hasColours: hasColours, isTerminal: isTerminal, isUTC: arguments.flag("--utc"))
  }

  private static func headers(_ arguments: inout Arguments) throws(Arguments.Wrong) -> [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = []
    if let tenant = try arguments.option("--tenant") ?? environment("ICEGATE_TENANT") {
      guard TenantID(tenant) != nil else {
        throw Arguments.Wrong(description: "--tenant: found `\(tenant)`, allowed: letters, digits, - and _")
      }
      headers.append(("X-Scope-OrgID", tenant))
    }
    while let text = try arguments.option("--header", "-H") {
      guard let colon = text.firstIndex(of: ":"), colon != text.startIndex,
        text.utf8.allSatisfy({ $0 >= 32 && $0 != 127 })
      else { throw Arguments.Wrong(description: "--header: found `\(text)`, allowed: NAME: VALUE") }
      headers.append((String(text[..<colon]), String(text[text.index(after: colon)...].drop { $0 == " " })))
    }
    return headers
  }

  private static func choice<Value>(
    _ name: String, _ text: String?, _ make: (String) -> Value?, _ allowed: String
  ) throws(Arguments.Wrong) -> Value? {
    guard let text else { return nil }
    guard let value = make(text) else {
      throw Arguments.Wrong(description: "\(name): found `\(text)`, allowed: \(allowed)")
    }
    return value
  }

  private static func time(_ name: String, _ text: String) throws(Arguments.Wrong) -> UInt64 {
    guard let time = ClockText.parse(text) else {
      throw Arguments.Wrong(description: "\(name): found `\(text)`, allowed: RFC 3339 or Unix seconds")
    }
    return time
  }

  private static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }
}
