import Foundation
import LakeModel
import LakeQuery
import Testing

@testable import LakeAPI

struct LokiRouteTests {
  private func ask(
    _ method: String, _ path: String, _ query: String = "", headers: HTTPHeaders = HTTPHeaders(),
    flush: (@Sendable () async throws -> Void)? = nil, isReady: Bool = true
  ) async -> HTTPResponse {
    let ports = TestPorts.make()
    let handler = LokiHandler(
      ports: ports,
      services: LokiHandler.Services(query: LogQueryEngine(ports: ports), flush: flush, isReady: { isReady }))
    return await handler.handle(HTTPRequest(method: method, path: path, query: query, headers: headers))
  }

  private func error(_ response: HTTPResponse) -> [String: String] { response.json as? [String: String] ?? [:] }

  @Test("unknown paths are 404 and other methods 405, in the manual's JSON")
  func refusals() async {
    let unknown = await ask("GET", "/loki/api/v1/nosuch")
    #expect(unknown.status == 404 && unknown.headers["Content-Type"] == "application/json")
    #expect(unknown.text == #"{"status":"error","errorType":"not_found","error":"404 page not found"}"#)
    let wrong = await ask("DELETE", "/loki/api/v1/labels")
    #expect(wrong.status == 405 && wrong.headers["Allow"] == "GET, POST")
    #expect(await ask("HEAD", "/loki/api/v1/labels").status == 405)
    #expect(await ask("HEAD", "/loki/api/v1/status/buildinfo").status == 405)
    #expect(await ask("HEAD", "/ready").status == 200)
    #expect(await ask("POST", "/flush").status == 404)
    #expect(await ask("POST", "/loki/api/v1/push").status == 404)
  }

  @Test("deletion of lines is refused with where to delete", arguments: ["GET", "POST", "PUT", "DELETE"])
  func deletion(method: String) async {
    let refused = await ask(method, "/loki/api/v1/delete", "query=%7Bapp%3D%22a%22%7D&start=1")
    #expect(refused.status == 403)
    #expect(
      refused.text
        == #"{"status":"error","errorType":"bad_data","error":"deletion is not available here: delete rows of the table with "#
        + #"`icegate iceberg delete` or any Iceberg engine, or configure a retention"}"#)
  }

  @Test("rules and alerts are those of a Loki without any")
  func ruler() async {
    #expect(
      await ask("GET", "/prometheus/api/v1/rules").text
        == #"{"status":"success","data":{"groups":[]},"errorType":"","error":""}"#)
    #expect(
      await ask("GET", "/prometheus/api/v1/alerts").text
        == #"{"status":"success","data":{"alerts":[]},"errorType":"","error":""}"#)
    for path in ["/loki/api/v1/rules", "/api/prom/rules", "/loki/api/v1/rules/some"] {
      let none = await ask("GET", path)
      #expect(none.status == 404 && error(none)["error"] == "no rule groups found")
    }
    let group = await ask("GET", "/loki/api/v1/rules/some/group")
    #expect(group.status == 400 && error(group)["error"] == "GetRuleGroup unsupported in rule local store")
    #expect(await ask("POST", "/loki/api/v1/rules/some").status == 405)
  }

  @Test("a tenant's limits are the same in JSON and YAML, and services are told")
  func limits() async throws {
    let yaml = await ask("GET", "/config/tenant/v1/limits").text
    #expect(yaml.contains("max_entries_limit_per_query: 5000\n") && yaml.contains("query_timeout: 1m\n"))
    let drilldown = try #require(await ask("GET", "/loki/api/v1/drilldown-limits").json as? [String: Any])
    let limits = try #require(drilldown["limits"] as? [String: Any])
    #expect(limits.keys.sorted() == yaml.split(separator: "\n").map { String($0.prefix { $0 != ":" }) })
    #expect(await ask("GET", "/services").text == "server => Running\nquerier => Running\nquery-frontend => Running\n")
  }

  @Test("readiness is the manual's")
  func ready() async {
    #expect(await ask("GET", "/ready").text == #"{"status": "ready"}"#)
    #expect(await ask("GET", "/ready", isReady: false).status == 503)
  }

  @Test("flush answers when everything is flushed, and 503 when that failed")
  func flush() async {
    struct Broken: Error {}
    #expect(await ask("POST", "/flush", flush: {}).status == 200)
    let failed = await ask("POST", "/flush", flush: { throw Broken() })
    #expect(failed.status == 503 && failed.headers["Retry-After"] == "1")
    #expect(!failed.text.contains("Broken"))
    #expect(await ask("GET", "/flush", flush: {}).status == 405)
  }

  @Test("a bad query is 400 with Loki's message wherever it is asked")
  func badQueries() async {
    for path in ["query_range", "query", "explain", "format_query"] {
      let response = await ask("GET", "/loki/api/v1/\(path)", "query=%7Bbad")
      #expect(response.status == 400)
      #expect(
        error(response) == [
          "status": "error", "errorType": "bad_data",
          "error": "parse error at line 1, col 5: syntax error: unexpected $end, expecting = or =~ or !~ or !=",
        ])
    }
    for query in ["match=%7Bbad", "match[]=%7Ba%3D%22b%22%7D&match[]=%7Bbad"] {
      #expect(error(await ask("GET", "/loki/api/v1/series", query))["error"]?.hasPrefix("parse error at") == true)
    }
    #expect(
      error(await ask("GET", "/loki/api/v1/labels", "query=%7Ba%3D%22b%22%7D%7C%3D%22c%22"))["error"]
        == "only label matchers are supported")
  }

  @Test("a selector that every stream passes is refused where Loki refuses it, and {} taken where Loki takes it")
  func everything() async {
    let range = "&start=1768471200&end=1768471500"
    let open =
      "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible value. "
      + #"For instance, app=~".*" does not meet this requirement, but app=~".+" will"#
    let routes = [
      ("series", "match"), ("index/stats", "query"), ("index/volume", "query"), ("index/volume_range", "query"),
      ("labels", "query"), ("label/env/values", "query"), ("detected_labels", "query"),
    ]
    for (path, name) in routes {
      // {env=~".*"}, {env!="x"}, {env=""}
      for selector in ["%7Benv%3D~%22.*%22%7D", "%7Benv%21%3D%22x%22%7D", "%7Benv%3D%22%22%7D"] {
        let answer = await ask("GET", "/loki/api/v1/" + path, "\(name)=\(selector)\(range)")
        #expect(answer.status == 400 && error(answer)["error"] == open, "\(path) \(selector): \(answer.text)")
      }
      let filtered = await ask("GET", "/loki/api/v1/" + path, "\(name)=%7Benv%3D%22a%22%7D|%3D%22x%22\(range)")
      #expect(
        filtered.status == 400 && error(filtered)["error"] == "only label matchers are supported",
        "\(path): \(filtered.text)")
    }
    for path in ["series?match", "index/volume?query", "index/volume_range?query"] {
      // There is no table to ask here: what counts is that the request is good.
      let parts = path.split(separator: "?")
      let answer = await ask("GET", "/loki/api/v1/\(parts[0])", "\(parts[1])=%7B%7D\(range)")
      #expect(answer.status == 503, "\(path): \(answer.text)")
    }
    let statistics = await ask("GET", "/loki/api/v1/index/stats", "query=%7B%7D\(range)")
    #expect(statistics.status == 400 && error(statistics)["error"] == open)
    let group = await ask("GET", "/loki/api/v1/series", "match=%7B%7D&match=%7Benv%3D%22a%22%7D\(range)")
    #expect(group.status == 400 && error(group)["error"] == "0 matchers in group: {}")
  }

  @Test("a tenant that breaks the rules is refused on every read")
  func tenants() async {
    for (tenant, message) in [
      ("a|b", "multiple org IDs present"), ("", "tenant ID is empty"),
      ("a b", "tenant ID 'a b' contains unsupported character ' '"),
    ] {
      let response = await ask("GET", "/loki/api/v1/labels", headers: ["X-Scope-OrgID": tenant])
      #expect(response.status == 400 && error(response)["error"] == message)
    }
  }

  @Test("format_query splits what is long")
  func format() async throws {
    let response = await ask("GET", "/loki/api/v1/format_query", "query=sum(rate(%7Ba%3D%22b%22%7D%5B5m%5D))")
    #expect(response.text == #"{"status":"success","data":"sum(rate({a=\"b\"}[5m]))"}"#)
  }

  @Test("buildinfo names the Loki whose answers these are")
  func buildInformation() async {
    let json = await ask("GET", "/loki/api/v1/status/buildinfo").json as? [String: String]
    #expect(json?["version"] == "3.7.6" && json?["revision"] == "icegate")
  }

  @Test(
    "reads of labels and sizes over more than 721 hours are refused as queries are, counted in milliseconds",
    arguments: [
      "labels", "label/env/values", "series", "index/stats", "index/volume", "detected_labels", "detected_fields",
      "detected_field/level/values", "query_range",
    ])
  func rangeLimit(path: String) async {
    let query = "match%5B%5D=%7Ba%3D%22b%22%7D&query=%7Ba%3D%22b%22%7D&start=12345678901&end=1768473600000000000"
    let response = await ask("GET", "/loki/api/v1/" + path, query)
    #expect(response.status == 400)
    #expect(
      error(response)["error"]
        == "the query time range exceeds the limit (query length: 491242h39m47.655s, limit: 30d1h)")
  }

  @Test("sizes in steps and patterns may span more", arguments: ["index/volume_range", "patterns"])
  func rangeUnlimited(path: String) async throws {
    try await TestStack.with { stack in
      try await stack.push([(1_768_471_200_000_000_000, "a")])
      let answer = await stack.get(
        "/loki/api/v1/" + path,
        ["query": "{service_name=\"web\"}", "start": "1700000000", "end": "1768473600", "step": "1d"])
      #expect(answer.status == 200)
    }
  }

  @Test("sizes are cut at the multiples of the step; one sample alone makes a vector")
  func volumeTimes() async throws {
    try await TestStack.with { stack in
      let start: UInt64 = 1_768_471_200
      try await stack.push([
        (start * 1_000_000_000, "a"), ((start + 599) * 1_000_000_000, "bb"), ((start + 600) * 1_000_000_000, "ccc"),
        ((start + 2400) * 1_000_000_000, "dddd"),
      ])
      func ask(_ step: String, _ from: String = "1768471200") async -> String {
        let answer = await stack.get(
          "/loki/api/v1/index/volume_range",
          ["query": "{service_name=\"web\"}", "start": from, "end": "1768473600", "step": step])
        let data = (answer.json as? [String: Any])?["data"] as? [String: Any]
        let one = (data?["result"] as? [[String: Any]])?.first
        let pairs = one?["values"] as? [[Any]] ?? (one?["value"] as? [Any]).map { [$0] } ?? []
        return "\(data?["resultType"] ?? "none") " + pairs.map { "\($0[0])=\($0[1])" }.joined(separator: " ")
      }
      #expect(await ask("600") == "matrix 1768471799.999=3 1768472399.999=3 1768473600=4")
      #expect(await ask("7m") == "matrix 1768471319.999=1 1768472159.999=5 1768473600=4")
      #expect(await ask("1200", "1768471300") == "matrix 1768472399.999=5 1768473600=4")
      #expect(await ask("1h") == "vector 1768473600=10")
      #expect(await ask("2400") == "vector 1768473600=10")
    }
  }
}
