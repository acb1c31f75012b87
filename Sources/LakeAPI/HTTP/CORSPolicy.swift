/// Which pages of other origins may send. Without allowed origins nothing is said and nothing changes.
package struct CORSPolicy: Sendable {
  private let allowedOrigins: [String]
  private static let headers =
    "Content-Type, Content-Encoding, X-Scope-OrgID, X-Account-ID, Idempotency-Key, traceparent, tracestate"

  package init(allowedOrigins: [String]) { self.allowedOrigins = allowedOrigins }

  private func isAllowed(_ origin: String) -> Bool { allowedOrigins.contains("*") || allowedOrigins.contains(origin) }

  /// The answer to a preflight request; nil for any other.
  package func preflight(_ request: HTTPRequest) -> HTTPResponse? {
    guard request.method == "OPTIONS", !allowedOrigins.isEmpty, let origin = request.headers["Origin"],
      let method = request.headers["Access-Control-Request-Method"]
    else { return nil }
    var response = HTTPResponse(status: 204)
    response.headers.set("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
    if isAllowed(origin), method == "POST" || method == "GET" || method == "HEAD" {
      response.headers.set("Access-Control-Allow-Origin", origin)
      response.headers.set("Access-Control-Allow-Methods", method)
      response.headers.set("Access-Control-Allow-Headers", CORSPolicy.headers)
      response.headers.set("Access-Control-Max-Age", "7200")
    }
    return response
  }

  package func decorate(_ response: inout HTTPResponse, for request: HTTPRequest) {
    guard !allowedOrigins.isEmpty else { return }
    response.headers.add("Vary", "Origin")
    guard let origin = request.headers["Origin"], isAllowed(origin) else { return }
    response.headers.set("Access-Control-Allow-Origin", origin)
    response.headers.set("Access-Control-Expose-Headers", "X-IceGate-Deduplicated, Retry-After")
  }
}
