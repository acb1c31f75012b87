import LakeJSON
import LakeLogQL
import LakeModel
import LakeOTLP
import LakePorts
import LakeQuery

/// `/api/prom/...`: the paths of the first Loki, which the present one still answers in their form. Pushes and tails are the same as at
/// their newer paths.
struct LokiLegacyRoutes: Sendable {
  let ports: Ports
  let engine: LogQueryEngine

  static let prefix = "/api/prom/"

  func register(in router: inout Router) {
    let labels = LokiLabelRoutes(ports: ports, engine: engine)
    router.read("/api/prom/query") { request, _ throws(LokiRefusal) in try await query(request) }
    router.read("/api/prom/series") { request, _ throws(LokiRefusal) in try await labels.series(request) }
    router.read("/api/prom/label") { request, _ throws(LokiRefusal) in
      LokiLegacyRoutes.values(
        try await labels.list(request) { labels throws(QueryError) in try await engine.labels(labels) })
    }
    // Loki 3.7 answers with the names of labels here, whatever the name.
    router.read("/api/prom/label/{name}/values") { request, arguments throws(LokiRefusal) in
      LokiLegacyRoutes.values(
        try await labels.list(request) { labels throws(QueryError) in
          try await engine.labelValues(arguments[0], labels)
        })
    }
  }

  private static func values(_ names: [String]) -> HTTPResponse {
    var json = JSONWriter()
    json.object { json in
      json.key("values")
      json.array { json in for name in names { json.value(name) } }
    }
    return .json(200, json.finish())
  }

  private func query(_ request: HTTPRequest) async throws(LokiRefusal) -> HTTPResponse {
    let query = try LokiQueryRoutes(ports: ports, engine: engine).range(request)
    let result: LogQueryResult
    do throws(QueryError) { result = try await engine.query(query) } catch { throw LokiRefusal(error) }
    guard case .streams(let streams) = result.data else {
      throw .badRequest("legacy endpoints only support streams result type")
    }
    return .json(200, LokiResultWriter.writeLegacy(streams, result.statistics))
  }
}

extension LokiResultWriter {
  /// `{"streams":[{"labels":"{a=\"b\"}","entries":[{"ts":"2026-01-15T10:00:00.5Z","line":"..."}]}],"stats":{...}}`
  static func writeLegacy(_ streams: [LogStream], _ statistics: QueryStatistics) -> Bytes {
    var json = JSONWriter(capacity: 64 << 10)
    json.object { json in
      json.key("streams")
      json.array { json in
        for stream in streams {
          json.object { json in
            json.member("labels", text(stream.labels))
            json.key("entries")
            json.array { json in
              let lines = LineColumn(stream.lines)
              for (index, time) in stream.times.enumerated() {
                json.object { json in
                  json.member("ts", RFC3339.text(nanoseconds: time))
                  json.key("line")
                  lines.with(index) { json.value($0) }
                }
              }
            }
          }
        }
      }
      json.key("stats")
      LokiStatistics.write(statistics, &json)
    }
    return json.finish()
  }

  /// `{env="prod", level="info"}`
  private static func text(_ labels: LabelSet) -> String {
    "{"
      + labels.pairs.map { "\($0.name)=\(GoString.quote($0.value))" }
      .joined(separator: ", ") + "}"
  }
}

extension RFC3339 {
  /// In UTC; of the fraction no more digits than it has.
  static func text(nanoseconds: UInt64) -> String {
    let (seconds, fraction) = (Int(nanoseconds / 1_000_000_000), Int(nanoseconds % 1_000_000_000))
    // The civil calendar, counted in eras of 400 years that begin in March.
    let days = seconds / 86400 + 719_468
    let (era, dayOfEra) = (days / 146_097, days % 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfYear - (153 * shifted + 2) / 5 + 1, 2))"
    let clock = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
    guard fraction > 0 else { return "\(date)T\(clock)Z" }
    var digits = padded(fraction, 9)
    while digits.hasSuffix("0") { digits.removeLast() }
    return "\(date)T\(clock).\(digits)Z"
  }
}
