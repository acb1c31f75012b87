/// Which pages of other origins may send. Without allowed origins nothing is said and nothing changes.
///
/// Behaves as the recorded receiver does (goldens/otlp, category `cors`): what is not allowed gets no permission, and no error either.
package struct CORSPolicy: Sendable, Hashable {
  /// `https://app.example.com`, with at most one `*` for any run of characters; `*` alone for any origin.
  package var allowedOrigins: [String]
  /// Header names that pages may set beside the simple ones.
  package var allowedHeaders: [String]
  /// How long a browser may remember a permission, in seconds.
  package var maxAgeSeconds: Int

  /// What clients of this door send.
  package static let usualHeaders = [
    "Content-Type", "Content-Encoding", "X-Scope-OrgID", "X-Account-ID", "Idempotency-Key", "traceparent",
    "tracestate",
  ]

  package init(
    allowedOrigins: [String] = [], allowedHeaders: [String] = CORSPolicy.usualHeaders, maxAgeSeconds: Int = 7200
  ) {
    self.allowedOrigins = allowedOrigins
    self.allowedHeaders = allowedHeaders
    self.maxAgeSeconds = maxAgeSeconds
  }

  private var allowsAll: Bool { allowedOrigins.contains("*") }

  private func isAllowed(_ origin: String) -> Bool {
    allowedOrigins.contains { pattern in
      guard let star = pattern.firstIndex(of: "*") else { return pattern == origin }
      let (head, tail) = (pattern[..<star], pattern[pattern.index(after: star)...])
      return origin.utf8.count >= head.utf8.count + tail.utf8.count && origin.hasPrefix(head) && origin.hasSuffix(tail)
    }
  }

  private func origin(of request: HTTPRequest) -> String? {
    guard let origin = request.headers["Origin"], !origin.isEmpty else { return nil }
    return origin
  }

  private func permit(_ origin: String, _ response: inout HTTPResponse) {
    response.headers.set("Access-Control-Allow-Origin", allowsAll ? "*" : origin)
    // Browsers refuse credentials together with any origin.
    if !allowsAll { response.headers.set("Access-Control-Allow-Credentials", "true") }
  }

  /// The answer to a preflight request; nil for any other.
  package func preflight(_ request: HTTPRequest) -> HTTPResponse? {
    guard request.method == "OPTIONS", !allowedOrigins.isEmpty,
      let method = request.headers["Access-Control-Request-Method"], !method.isEmpty
    else { return nil }
    var response = HTTPResponse(status: 204)
    response.headers.set("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers")
    let asked = request.headers["Access-Control-Request-Headers"] ?? ""
    guard let origin = origin(of: request), isAllowed(origin), ["GET", "HEAD", "POST"].contains(method),
      areAllowed(headers: asked)
    else {
      return response
    }
    permit(origin, &response)
    response.headers.set("Access-Control-Allow-Methods", method)
    if !asked.isEmpty { response.headers.set("Access-Control-Allow-Headers", asked) }
    response.headers.set("Access-Control-Max-Age", String(maxAgeSeconds))
    return response
  }

  private func areAllowed(headers: String) -> Bool {
    let allowed = Set(allowedHeaders.map { $0.lowercased() })
    return headers.split(separator: ",").allSatisfy { name in
      var name = name
      while name.first == " " { name.removeFirst() }
      while name.last == " " { name.removeLast() }
      return allowed.contains("*") || allowed.contains(name.lowercased())
    }
  }

  package func decorate(_ response: inout HTTPResponse, for request: HTTPRequest) {
    guard !allowedOrigins.isEmpty else { return }
    response.headers.add("Vary", "Origin")
    guard let origin = origin(of: request), isAllowed(origin) else { return }
    permit(origin, &response)
    response.headers.set("Access-Control-Expose-Headers", "X-IceGate-Deduplicated, Retry-After")
  }
}
