import LakeModel
import Testing

@testable import LakeAPI

@Suite struct CORSPolicyTests {
  private let policy = CORSPolicy(
    allowedOrigins: ["https://app.example.com", "https://*.example.org"], allowedHeaders: ["X-Custom"])

  private func preflight(_ origin: String, _ method: String = "POST", _ headers: String? = nil) -> HTTPResponse? {
    var request = HTTPRequest(
      method: "OPTIONS", path: "/v1/traces", headers: ["Origin": origin, "Access-Control-Request-Method": method])
    if let headers { request.headers.set("Access-Control-Request-Headers", headers) }
    return policy.preflight(request)
  }

  @Test("an allowed origin with allowed headers gets the permission that was recorded")
  func allowed() {
    let response = preflight("https://app.example.com", "POST", "x-custom")
    #expect(response?.status == 204)
    #expect(
      response?.headers.fields.map { "\($0.name): \($0.value)" }.sorted() == [
        "Access-Control-Allow-Credentials: true", "Access-Control-Allow-Headers: x-custom",
        "Access-Control-Allow-Methods: POST", "Access-Control-Allow-Origin: https://app.example.com",
        "Access-Control-Max-Age: 7200",
        "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
      ])
    #expect(preflight("https://a.example.org")?.headers["Access-Control-Allow-Origin"] == "https://a.example.org")
  }

  @Test(
    "what is not allowed gets no permission and no error",
    arguments: [
      ("https://evil.test", "POST", nil), ("https://app.example.com", "POST", "x-other"),
      ("https://app.example.com", "DELETE", nil), ("https://.example.com", "POST", nil),
      ("http://app.example.com", "POST", nil), ("https://app.example.com", "POST", "x-custom, content-type"),
    ] as [(String, String, String?)])
  func refused(origin: String, method: String, headers: String?) {
    let response = preflight(origin, method, headers)
    #expect(response?.status == 204)
    #expect(response?.headers.fields.map(\.name) == ["Vary"])
  }

  @Test("a preflight without an origin gets no permission; without a method it is none; an empty origin is none")
  func emptyHeaders() {
    let anyone = CORSPolicy(allowedOrigins: ["*"])
    let missing = HTTPRequest(method: "OPTIONS", path: "/v1/logs", headers: ["Access-Control-Request-Method": "POST"])
    #expect(anyone.preflight(missing)?.status == 204)
    #expect(anyone.preflight(missing)?.headers["Access-Control-Allow-Origin"] == nil)
    let noMethod = HTTPRequest(
      method: "OPTIONS", path: "/v1/logs", headers: ["Origin": "https://x.test", "Access-Control-Request-Method": ""])
    #expect(anyone.preflight(noMethod) == nil)
    var response = HTTPResponse(status: 200)
    anyone.decorate(&response, for: HTTPRequest(method: "POST", path: "/", headers: ["Origin": ""]))
    #expect(response.headers["Access-Control-Allow-Origin"] == nil)
  }

  @Test("any origin may send without credentials; without origins nothing is said")
  func anyOrigin() {
    let request = HTTPRequest(method: "POST", path: "/", headers: ["Origin": "https://x.test"])
    var response = HTTPResponse(status: 200)
    CORSPolicy(allowedOrigins: ["*"]).decorate(&response, for: request)
    #expect(response.headers["Access-Control-Allow-Origin"] == "*")
    #expect(response.headers["Access-Control-Allow-Credentials"] == nil)
    var silent = HTTPResponse(status: 200)
    CORSPolicy().decorate(&silent, for: request)
    #expect(silent.headers.fields.isEmpty)
  }
}
