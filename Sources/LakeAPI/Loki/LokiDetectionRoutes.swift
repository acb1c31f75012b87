import LakeJSON
import LakeLogQL
import LakeModel
import LakePorts
import LakeQuery

/// `detected_fields`, `detected_field/{name}/values` and `detected_labels`: what Grafana's log views offer to click.
struct LokiDetectionRoutes: Sendable {
  let ports: Ports
  let engine: LogQueryEngine

  static let fieldsDefault = 1000

  func register(in router: inout Router) {
    router.read("/loki/api/v1/detected_fields") { request, _ throws(LokiRefusal) in
      let (fields, limit) = try await detect(request)
      return LokiDetectionRoutes.answer(fields.fields, limit)
    }
    router.read("/loki/api/v1/detected_field/{name}/values") { request, arguments throws(LokiRefusal) in
      let (fields, limit) = try await detect(request)
      return LokiDetectionRoutes.answer(fields.values(of: arguments[0], limit: limit), limit)
    }
    router.read("/loki/api/v1/detected_labels") { request, _ throws(LokiRefusal) in try await labels(request) }
  }

  /// The fields of the newest lines that the query gives.
  private func detect(_ request: HTTPRequest) async throws(LokiRefusal) -> (DetectedFields, limit: Int) {
    let read = try LokiRead(request, ports)
    let parameters = read.parameters
    let bounds = try parameters.orderedBounds()
    let lines = try parameters.limit("line_limit")
    let name = parameters["limit"] == nil ? "field_limit" : "limit"
    let limit = try parameters.limit(name, default: LokiDetectionRoutes.fieldsDefault)
    let step = try parameters.step(bounds)
    let parsed: LogQL.Query
    do throws(LogQL.SyntaxError) { parsed = try LogQL.parse(parameters.query) } catch { throw LokiRefusal(error) }
    guard case .logs = parsed else { throw .badRequest("only log selector is supported") }
    try bounds.check(lengthMax: engine.settings.rangeMax)
    let query = LogQueryRequest(
      tenant: read.tenant, query: parameters.query,
      span: .range(start: bounds.start, end: bounds.end, step: step, interval: .zero), limit: lines,
      isCategorized: true)
    var fields = DetectedFields(fieldsMax: limit)
    do throws(QueryError) {
      if case .streams(let streams) = try await engine.query(query).data { fields.add(streams) }
    } catch {
      throw LokiRefusal(error)
    }
    return (fields, limit)
  }

  private static func answer(_ fields: [DetectedFields.Field], _ limit: Int) -> HTTPResponse {
    var json = JSONWriter()
    json.object { json in
      guard !fields.isEmpty else { return }
      json.key("fields")
      json.array { json in
        for field in fields {
          json.object { json in
            json.member("label", field.name)
            json.member("type", field.type)
            json.member("cardinality", field.values.count)
            json.key("parsers")
            if field.parsers.isEmpty {
              json.null()
            } else {
              json.array { json in for parser in field.parsers { json.value(parser) } }
            }
            if let path = field.path {
              json.key("jsonPath")
              json.array { json in for name in path { json.value(name) } }
            }
          }
        }
      }
      json.member("limit", limit)
    }
    return .json(200, json.finish())
  }

  private static func answer(_ values: [String], _ limit: Int) -> HTTPResponse {
    var json = JSONWriter()
    json.object { json in
      guard !values.isEmpty else { return }
      json.key("values")
      json.array { json in for value in values { json.value(value) } }
      json.member("limit", limit)
    }
    return .json(200, json.finish())
  }

  /// Stream labels with more than numbers and ids for values, and a few that always count.
  private func labels(_ request: HTTPRequest) async throws(LokiRefusal) -> HTTPResponse {
    let read = try LokiRead(request, ports)
    let bounds = try read.parameters.orderedBounds()
    var ask = LabelsRequest(tenant: read.tenant, start: bounds.start, end: bounds.end)
    if let query = read.parameters["query"] {
      do throws(LogQL.SyntaxError) { _ = try LogQL.parseSelector(query) } catch { throw LokiRefusal(selector: error) }
      ask.selectors = [query]
    }
    try bounds.check(lengthMax: engine.settings.rangeMax)
    var found: [(name: String, count: Int)] = []
    do throws(QueryError) {
      var all: [String: Set<String>] = [:]
      for set in try await engine.series(ask) {
        for pair in set.pairs { all[pair.name, default: []].insert(pair.value) }
      }
      for (name, values) in all.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        let isStatic = ["cluster", "namespace", "instance", "pod"].contains(name)
        let isFlag = values.count <= 2 && values.allSatisfy { $0 == "0" || $0 == "1" }
        if !values.isEmpty && (isStatic || isFlag || !values.allSatisfy(LokiDetectionRoutes.isID)) {
          found.append((name, values.count))
        }
      }
    } catch {
      throw LokiRefusal(error)
    }
    var json = JSONWriter()
    json.object { json in
      json.key("detectedLabels")
      json.array { json in
        for (name, count) in found {
          json.object { json in
            json.member("label", name)
            json.member("cardinality", count)
          }
        }
      }
    }
    return .json(200, json.finish())
  }

  /// A number or a UUID.
  private static func isID(_ value: String) -> Bool {
    if FloatText.parse(value).value != nil { return true }
    let groups = value.split(separator: "-", omittingEmptySubsequences: false)
    return groups.map(\.utf8.count) == [8, 4, 4, 4, 12]
      && groups.allSatisfy { $0.utf8.allSatisfy { Hex.value(of: $0) != nil } }
  }
}
