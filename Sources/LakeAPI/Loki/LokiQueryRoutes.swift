import LakeJSON
import LakeLogQL
import LakeModel
import LakePorts
import LakeQuery

/// `query_range`, `query`, `explain` and `format_query`.
struct LokiQueryRoutes: Sendable {
  let ports: Ports
  let engine: LogQueryEngine

  func register(in router: inout Router) {
    router.read("/loki/api/v1/query_range") { request, _ throws(LokiRefusal) in
      try await run(try range(request))
    }
    router.read("/loki/api/v1/query") { request, _ throws(LokiRefusal) in
      try await run(try instant(request))
    }
    router.read("/loki/api/v1/explain") { request, _ throws(LokiRefusal) in try await explain(request) }
    router.read("/loki/api/v1/format_query") { request, _ throws(LokiRefusal) in try format(request) }
  }

  func range(_ request: HTTPRequest) throws(LokiRefusal) -> LogQueryRequest {
    let read = try LokiRead(request, ports)
    let parameters = read.parameters
    let bounds = try parameters.orderedBounds()
    let limit = try parameters.limit()
    let direction = try parameters.direction()
    let step = try parameters.step(bounds)
    let interval = try parameters.interval()
    try bounds.check(lengthMax: engine.settings.rangeMax)
    return LogQueryRequest(
      tenant: read.tenant, query: parameters.query,
      span: .range(start: bounds.start, end: bounds.end, step: step, interval: interval), direction: direction,
      limit: limit, isCategorized: LokiQueryRoutes.isCategorized(request))
  }

  func instant(_ request: HTTPRequest) throws(LokiRefusal) -> LogQueryRequest {
    let read = try LokiRead(request, ports)
    let limit = try read.parameters.limit()
    let time = try read.parameters.time()
    let direction = try read.parameters.direction()
    return LogQueryRequest(
      tenant: read.tenant, query: read.parameters.query, span: .instant(at: time), direction: direction, limit: limit,
      isCategorized: LokiQueryRoutes.isCategorized(request))
  }

  /// `X-Loki-Response-Encoding-Flags: categorize-labels`
  static func isCategorized(_ request: HTTPRequest) -> Bool {
    request.headers.all("X-Loki-Response-Encoding-Flags").contains { flags in
      flags.split(separator: ",").contains { $0.filter { $0 != " " } == "categorize-labels" }
    }
  }

  private func run(_ query: LogQueryRequest) async throws(LokiRefusal) -> HTTPResponse {
    do throws(QueryError) {
      let result = try await engine.query(query)
      var time: Timestamp?
      if case .instant(let at) = query.span { time = at }
      return .json(200, LokiResultWriter.write(result, isCategorized: query.isCategorized, at: time))
    } catch {
      throw LokiRefusal(error)
    }
  }

  /// The plan as text lines. A `time` asks for the plan of an instant query, anything else for a range query's.
  private func explain(_ request: HTTPRequest) async throws(LokiRefusal) -> HTTPResponse {
    let isInstant = try LokiRead(request, ports).parameters["time"] != nil
    let query = isInstant ? try instant(request) : try range(request)
    let lines: [String]
    do throws(QueryError) { lines = try await engine.explain(query) } catch { throw LokiRefusal(error) }
    var json = JSONWriter()
    json.object { json in
      json.member("status", "success")
      json.key("data")
      json.object { json in
        json.key("plan")
        json.array { json in for line in lines { json.value(line) } }
      }
    }
    return .json(200, json.finish())
  }

  private func format(_ request: HTTPRequest) throws(LokiRefusal) -> HTTPResponse {
    let text = try LokiRead(request, ports).parameters.query
    let pretty: String
    do throws(LogQL.SyntaxError) { pretty = try LogQL.parseUnbuilt(text).pretty } catch { throw LokiRefusal(error) }
    var json = JSONWriter()
    json.object { json in
      json.member("status", "success")
      json.member("data", pretty)
    }
    return .json(200, json.finish())
  }
}
