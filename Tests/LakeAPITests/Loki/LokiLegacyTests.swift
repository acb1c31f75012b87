import Foundation
import LakeModel
import LakeOTLP
import LakeQuery
import Testing

@testable import LakeAPI

@Suite("The paths of the first Loki, and OTLP on Loki's port")
struct LokiLegacyTests {
  private static let start: UInt64 = 1_768_471_200_000_000_000
  private static let range: KeyValuePairs = ["start": "1768471200", "end": "1768473600"]

  private func object(_ response: HTTPResponse) throws -> [String: Any] {
    try #require(response.json as? [String: Any], "\(response.text)")
  }

  @Test("/api/prom/query gives streams with labels as text and times in RFC 3339")
  func query() async throws {
    try await TestStack.with { stack in
      try await stack.push(
        [(LokiLegacyTests.start + 1_500_000_000, "one"), (LokiLegacyTests.start + 2_000_000_000, "two \"2\"")],
        stream: ["service_name": "web", "env": "p\"r"])
      let ask: KeyValuePairs = [
        "query": "{service_name=\"web\"}", "start": "1768471200", "end": "1768473600", "direction": "forward",
      ]
      let answer = await stack.get("/api/prom/query", ask)
      #expect(answer.status == 200)
      #expect(
        answer.text.hasPrefix(
          #"{"streams":[{"labels":"{env=\"p\\\"r\", service_name=\"web\"}","entries":["#
            + #"{"ts":"2026-01-15T10:00:01.5Z","line":"one"},{"ts":"2026-01-15T10:00:02Z","line":"two \"2\""}]}],"stats":{"#
        ), "\(answer.text)")
      let metric = await stack.get(
        "/api/prom/query",
        ["query": "rate({service_name=\"web\"}[1m])", "start": "1768471200", "end": "1768473600", "step": "60"])
      #expect(metric.status == 400 && metric.text.contains("legacy endpoints only support streams result type"))
      #expect(await stack.get("/api/prom/query", ["query": "{bad"]).status == 400)
    }
  }

  @Test("/api/prom/label, its values and /api/prom/series")
  func labels() async throws {
    try await TestStack.with { stack in
      try await stack.push([(LokiLegacyTests.start, "one")], stream: ["service_name": "web", "env": "prod"])
      #expect(
        await stack.get("/api/prom/label", LokiLegacyTests.range).text == #"{"values":["env","service_name"]}"#)
      #expect(await stack.get("/api/prom/label/env/values", LokiLegacyTests.range).text == #"{"values":["prod"]}"#)
      let series = await stack.get(
        "/api/prom/series", ["match[]": "{env=\"prod\"}", "start": "1768471200", "end": "1768473600"])
      #expect(series.text == #"{"status":"success","data":[{"env":"prod","service_name":"web"}]}"#)
      #expect(await stack.get("/api/prom/labels").status == 404)
    }
  }

  @Test("a push by /api/prom/push and one by /otlp/v1/logs are both read back")
  func pushes() async throws {
    try await TestStack.with { stack in
      func post(_ path: String, _ body: String, type: String = "application/json") async -> HTTPResponse {
        await stack.handler.handle(
          HTTPRequest(
            method: "POST", path: path, headers: ["Content-Type": type, "X-Scope-OrgID": "t"], body: Bytes(body)))
      }
      let pushed = await post(
        "/api/prom/push",
        #"{"streams":[{"stream":{"service_name":"web"},"values":[["1768471200000000000","loki"]]}]}"#)
      #expect(pushed.status == 204)
      let old =
        #"{"streams":[{"labels":"{service_name=\"web\"}","entries":[{"ts":"2026-01-15T10:00:02Z","line":"old"}]}]}"#
      #expect(await post("/api/prom/push", old).status == 204)
      // The newer path does not know the form: as with Loki, there is nothing to take in.
      #expect(await post("/loki/api/v1/push", old).status == 204)
      let exported = await post(
        "/otlp/v1/logs",
        #"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"web"}}]},"#
          + #""scopeLogs":[{"logRecords":[{"timeUnixNano":"1768471201000000000","body":{"stringValue":"otlp"}}]}]}]}"#)
      #expect(exported.status == 204 && exported.bytes.isEmpty, "\(exported.text)")
      let answer = try object(
        await stack.get(
          "/loki/api/v1/query_range",
          ["query": "{service_name=\"web\"}", "start": "1768471200", "end": "1768473600"]))
      let data = answer["data"] as? [String: Any]
      let streams = data?["result"] as? [[String: Any]] ?? []
      let lines = streams.flatMap { ($0["values"] as? [[String]] ?? []).map { $0[1] } }
      #expect(lines.sorted() == ["loki", "old", "otlp"])
      #expect(await post("/otlp/v1/logs", "{bad").status == 400)
      #expect(await post("/otlp/v1/logs", "x", type: "text/plain").status == 415)
      #expect(await stack.get("/otlp/v1/logs").status == 405)
    }
  }

  @Test(
    "instants as RFC 3339",
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
      (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999999Z"),
      (1_735_689_600_000_000_001, "2025-01-01T00:00:00.000000001Z"),
      (18_446_744_073_709_551_615, "2554-07-21T23:34:33.709551615Z"),
    ] as [(UInt64, String)])
  func times(nanoseconds: UInt64, text: String) {
    #expect(RFC3339.text(nanoseconds: nanoseconds) == text)
  }
}
