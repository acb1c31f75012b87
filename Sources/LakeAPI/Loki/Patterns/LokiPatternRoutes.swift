import LakeJSON
import LakeModel
import LakePorts
import LakeQuery

/// `patterns`: what lines of a selection look like, and how often over time.
struct LokiPatternRoutes: Sendable {
  let ports: Ports
  let engine: LogQueryEngine

  /// Lines that are looked at: the newest.
  static let linesMax = 100_000
  /// Shortest span of counts; as in Loki.
  static let stepMin = Duration.seconds(10)
  private static let levelNames = ["detected_level", "severity_text", "level"]

  func register(in router: inout Router) {
    router.read("/loki/api/v1/patterns") { request, _ throws(LokiRefusal) in try await patterns(request) }
  }

  private func patterns(_ request: HTTPRequest) async throws(LokiRefusal) -> HTTPResponse {
    let read = try LokiRead(request, ports)
    let bounds = try read.parameters.orderedBounds()
    let step = max(try read.parameters.step(bounds), LokiPatternRoutes.stepMin)
    let query = LogQueryRequest(
      tenant: read.tenant, query: read.parameters.query,
      span: .range(start: bounds.start, end: bounds.end, step: step, interval: .zero))
    var miners: [String: PatternMiner] = [:]
    var isCut = false
    do throws(QueryError) {
      let streams = try await engine.lines(query, limit: LokiPatternRoutes.linesMax)
      isCut = streams.reduce(0) { $0 + $1.count } >= LokiPatternRoutes.linesMax
      for stream in streams {
        let level = LokiPatternRoutes.levelNames.lazy.compactMap { stream.labels[$0] }.first ?? ""
        miners[level, default: PatternMiner()].add(stream, step: step)
      }
    } catch {
      throw LokiRefusal(error)
    }
    return LokiPatternRoutes.answer(miners, step: step, isCut: isCut)
  }

  private static func answer(_ miners: [String: PatternMiner], step: Duration, isCut: Bool) -> HTTPResponse {
    var found: [(level: String, cluster: PatternMiner.Cluster)] = []
    for (level, miner) in miners.sorted(by: { $0.key < $1.key }) {
      for cluster in miner.finish() { found.append((level, cluster)) }
    }
    let order = found.indices.sorted { a, b in
      found[a].cluster.total == found[b].cluster.total ? a < b : found[a].cluster.total > found[b].cluster.total
    }
    var json = JSONWriter()
    json.object { json in
      json.member("status", "success")
      if isCut {
        json.key("warnings")
        json.array { json in json.value("patterns are those of the newest \(linesMax) lines") }
      }
      json.key("data")
      json.array { json in
        for index in order {
          json.object { json in
            json.member("pattern", found[index].cluster.text)
            json.member("level", found[index].level)
            json.key("samples")
            json.array { json in
              for (span, count) in found[index].cluster.counts.sorted(by: { $0.key < $1.key }) {
                json.array { json in
                  json.value(span &* step.nanoseconds / 1_000_000_000)
                  json.value(count)
                }
              }
            }
          }
        }
      }
    }
    return .json(200, json.finish())
  }
}

extension PatternMiner {
  fileprivate mutating func add(_ stream: LogStream, step: Duration) {
    stream.forEachLine { index, line in
      add(line, span: Int64(clamping: stream.times[index]) / step.nanoseconds)
    }
  }
}
