package import LakeModel

/// Sends a request to the handler of its path and method. Paths are exact but for `{name}` segments.
package struct Router: HTTPHandler {
  package typealias Handler = @Sendable (HTTPRequest, RouteArguments) async -> HTTPResponse

  private struct Route: Sendable {
    /// Segments; nil stands for any one segment.
    let pattern: [String?]
    let methods: [String]
    let handler: Handler
  }

  private var routes: [Route] = []
  /// Answers unknown paths (404) and known paths with another method (405, with the methods that are known).
  private let refusal: @Sendable (_ status: Int, _ allowed: [String]) -> HTTPResponse

  package init(refusal: @escaping @Sendable (_ status: Int, _ allowed: [String]) -> HTTPResponse) {
    self.refusal = refusal
  }

  /// - Parameter path: `/loki/api/v1/label/{name}/values`; what stands for `{name}` is handed to the handler in order.
  package mutating func on(_ methods: [String], _ path: String, _ handler: @escaping Handler) {
    let pattern = path.split(separator: "/", omittingEmptySubsequences: false).map { segment in
      segment.hasPrefix("{") ? nil : String(segment)
    }
    routes.append(Route(pattern: pattern, methods: methods, handler: handler))
  }

  package mutating func get(_ path: String, _ handler: @escaping Handler) { on(["GET", "HEAD"], path, handler) }
  package mutating func post(_ path: String, _ handler: @escaping Handler) { on(["POST"], path, handler) }

  package func handle(_ request: HTTPRequest) async -> HTTPResponse {
    let segments = request.path.split(separator: "/", omittingEmptySubsequences: false)
    var allowed: [String] = []
    for route in routes {
      guard let arguments = Router.match(route.pattern, segments) else { continue }
      if route.methods.contains(request.method) { return await route.handler(request, arguments) }
      allowed += route.methods
    }
    var response = refusal(allowed.isEmpty ? 404 : 405, allowed)
    if !allowed.isEmpty { response.headers.set("Allow", allowed.joined(separator: ", ")) }
    return response
  }

  private static func match(_ pattern: [String?], _ segments: [Substring]) -> RouteArguments? {
    guard pattern.count == segments.count else { return nil }
    var values: [String] = []
    for (wanted, found) in zip(pattern, segments) {
      if let wanted {
        guard wanted == found else { return nil }
      } else {
        guard !found.isEmpty else { return nil }
        values.append(String(found))
      }
    }
    return RouteArguments(values: values)
  }
}

/// What stood for the `{name}` segments of a path, in order.
package struct RouteArguments: Sendable {
  package let values: [String]
  package subscript(_ index: Int) -> String { values[index] }
}

extension HTTPResponse {
  /// A response of one kind of text.
  package static func text(
    _ status: Int, _ text: String, type: String = "text/plain; charset=utf-8", headers: HTTPHeaders = HTTPHeaders()
  ) -> HTTPResponse {
    bytes(status, Bytes(text), type: type, headers: headers)
  }

  package static func bytes(_ status: Int, _ bytes: Bytes, type: String, headers: HTTPHeaders = HTTPHeaders())
    -> HTTPResponse
  {
    var headers = headers
    headers.set("Content-Type", type)
    return HTTPResponse(status: status, headers: headers, body: .bytes(bytes))
  }

  package static func json(_ status: Int, _ bytes: Bytes, headers: HTTPHeaders = HTTPHeaders()) -> HTTPResponse {
    .bytes(status, bytes, type: "application/json", headers: headers)
  }
}
