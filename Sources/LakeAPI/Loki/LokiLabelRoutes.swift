import LakeJSON
import LakeLogQL
import LakeModel
import LakePorts
import LakeQuery

/// `labels`, `label/{name}/values`, `series`, `index/stats` and `index/volume`.
struct LokiLabelRoutes: Sendable {
  let ports: Ports
  let engine: LogQueryEngine

  func register(in router: inout Router) {
    for path in ["/loki/api/v1/labels", "/loki/api/v1/label"] {
      router.read(path) { request, _ throws(LokiRefusal) in
        try await names(request) { labels throws(QueryError) in try await engine.labels(labels) }
      }
    }
    router.read("/loki/api/v1/label/{name}/values") { request, arguments throws(LokiRefusal) in
      try await names(request) { labels throws(QueryError) in try await engine.labelValues(arguments[0], labels) }
    }
    router.read("/loki/api/v1/series") { request, _ throws(LokiRefusal) in try await series(request) }
    router.read("/loki/api/v1/index/stats") { request, _ throws(LokiRefusal) in try await statistics(request) }
    router.read("/loki/api/v1/index/volume") { request, _ throws(LokiRefusal) in
      try await volume(request, isRange: false)
    }
    router.read("/loki/api/v1/index/volume_range") { request, _ throws(LokiRefusal) in
      try await volume(request, isRange: true)
    }
  }

  private func names(
    _ request: HTTPRequest, _ ask: (LabelsRequest) async throws(QueryError) -> [String]
  ) async throws(LokiRefusal) -> HTTPResponse {
    let names = try await list(request, ask)
    var json = JSONWriter()
    json.object { json in
      json.member("status", "success")
      json.key("data")
      json.array { json in for name in names { json.value(name) } }
    }
    return .json(200, json.finish())
  }

  func list(
    _ request: HTTPRequest, _ ask: (LabelsRequest) async throws(QueryError) -> [String]
  ) async throws(LokiRefusal) -> [String] {
    let read = try LokiRead(request, ports)
    let bounds = try read.parameters.bounds()
    try bounds.check(lengthMax: engine.settings.rangeMax)
    var labels = LabelsRequest(tenant: read.tenant, start: bounds.start, end: bounds.end)
    if let query = read.parameters["query"] {
      try check(query)
      labels.selectors = [query]
    }
    do throws(QueryError) { return try await ask(labels) } catch { throw LokiRefusal(error) }
  }

  func series(_ request: HTTPRequest) async throws(LokiRefusal) -> HTTPResponse {
    let read = try LokiRead(request, ports)
    let bounds = try read.parameters.bounds()
    var selectors = Array(Set(read.parameters.all("match") + read.parameters.all("match[]"))).sorted()
    // A lone `{}` asks for everything, as no selector at all does.
    if selectors.count == 1, LokiLabelRoutes.isEverything(selectors[0]) { selectors = [] }
    for selector in selectors {
      if LokiLabelRoutes.isEverything(selector) { throw .badRequest("0 matchers in group: \(selector)") }
      try check(selector)
    }
    try bounds.check(lengthMax: engine.settings.rangeMax)
    let labels = LabelsRequest(tenant: read.tenant, start: bounds.start, end: bounds.end, selectors: selectors)
    let sets: [LabelSet]
    do throws(QueryError) { sets = try await engine.series(labels) } catch { throw LokiRefusal(error) }
    var json = JSONWriter()
    json.object { json in
      json.member("status", "success")
      json.key("data")
      json.array { json in for set in sets { LokiResultWriter.write(set, &json) } }
    }
    return .json(200, json.finish())
  }

  private static func isEverything(_ selector: String) -> Bool { selector.filter { $0 != " " } == "{}" }

  /// Refuses what is no selector, and one that every stream passes.
  private func check(_ selector: String) throws(LokiRefusal) {
    do throws(LogQL.SyntaxError) { _ = try LogQL.parseSelector(selector) } catch { throw LokiRefusal(selector: error) }
  }

  private func statistics(_ request: HTTPRequest) async throws(LokiRefusal) -> HTTPResponse {
    let read = try LokiRead(request, ports)
    let bounds = try read.parameters.orderedBounds()
    try check(read.parameters.query)
    try bounds.check(lengthMax: engine.settings.rangeMax)
    let labels = LabelsRequest(
      tenant: read.tenant, start: bounds.start, end: bounds.end, selectors: [read.parameters.query])
    let totals: LogIndexStatistics
    do throws(QueryError) { totals = try await engine.statistics(labels) } catch { throw LokiRefusal(error) }
    var json = JSONWriter()
    json.object { json in
      json.member("streams", totals.streams)
      json.member("chunks", totals.chunks)
      json.member("bytes", totals.bytes)
      json.member("entries", totals.entries)
    }
    return .json(200, json.finish())
  }

  private func volume(_ request: HTTPRequest, isRange: Bool) async throws(LokiRefusal) -> HTTPResponse {
    let read = try LokiRead(request, ports)
    let parameters = read.parameters
    let isZero = parameters["limit"].flatMap { Int64($0) } == 0
    let limit = isZero ? LokiParameters.entriesDefault : try parameters.limit()
    let bounds = try parameters.orderedBounds()
    let step = isRange ? try parameters.step(bounds) : nil
    let grouping: VolumeRequest.Grouping
    switch parameters["aggregateBy"] {
    case nil, "series": grouping = .series
    case "labels": grouping = .labels
    default: throw .badRequest("invalid aggregation option")
    }
    // What Loki answers in steps it does not hold against the limit.
    if !isRange { try bounds.check(lengthMax: engine.settings.rangeMax) }
    if !LokiLabelRoutes.isEverything(parameters.query) { try check(parameters.query) }
    let targets = parameters["targetLabels"].map { $0.split(separator: ",").map(String.init) } ?? []
    let volume = VolumeRequest(
      tenant: read.tenant, query: parameters.query, start: bounds.start, end: bounds.end, step: step, limit: limit,
      targetLabels: targets, grouping: grouping)
    do throws(QueryError) {
      return .json(200, LokiResultWriter.write(try await engine.volume(volume)))
    } catch {
      throw LokiRefusal(error)
    }
  }
}
