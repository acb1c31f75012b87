import LakeModel
package import LakePorts

/// Records a span for each request of a door. The caller's `traceparent` is continued; one that says "not sampled" is obeyed, which is also
/// what keeps our own exports from being traced when they come back to us.
package struct TracedHandler: HTTPHandler {
  private let base: any HTTPHandler
  private let tracer: Tracer
  private let door: String

  /// Asked all the time, and of no interest.
  private static let untraced: Set<String> = ["/health", "/ready", "/metrics", "/-/ready", "/-/healthy"]

  package init(_ base: any HTTPHandler, tracer: Tracer, door: String) {
    self.base = base
    self.tracer = tracer
    self.door = door
  }

  package func handle(_ request: HTTPRequest) async -> HTTPResponse {
    let parent = request.headers["traceparent"].flatMap { TraceContext(traceparent: $0) }
    guard !TracedHandler.untraced.contains(request.path),
      let span = tracer.begin("\(request.method) \(TracedHandler.route(request.path))", .server, parent: parent)
    else { return await base.handle(request) }
    let response = await Tracer.$current.withValue(span.context) { await base.handle(request) }
    tracer.end(
      span,
      [
        ("http.request.method", .text(request.method)), ("url.path", .text(String(request.path.prefix(256)))),
        ("icegate.door", .text(door)), ("http.request.body.size", .number(request.body.count)),
        ("http.response.status_code", .number(response.status)),
      ], failure: response.status >= 500 ? "status \(response.status)" : nil)
    return response
  }

  /// The path with names that users chose left out, so that spans of one kind have one name.
  static func route(_ path: String) -> String {
    var parts = path.split(separator: "/", omittingEmptySubsequences: false).prefix(8)
    for index in parts.indices.dropFirst()
    where ["label", "detected_field", "namespaces", "tables"].contains(parts[index - 1]) { parts[index] = "{name}" }
    return String(parts.joined(separator: "/").prefix(128))
  }
}

extension GRPCServices {
  /// The same methods, each call recorded as a span.
  package static func traced(_ methods: [String: GRPCMethod], _ tracer: Tracer?) -> [String: GRPCMethod] {
    guard let tracer else { return methods }
    return methods.mapValues { method in
      guard case .unary(let call) = method else { return method }
      return .unary { request in
        let parent = request.metadata["traceparent"].flatMap { TraceContext(traceparent: $0) }
        guard let span = tracer.begin(String(request.path.dropFirst()), .server, parent: parent) else {
          return await call(request)
        }
        let response = await Tracer.$current.withValue(span.context) { await call(request) }
        tracer.end(
          span,
          [
            ("rpc.system", .text("grpc")), ("icegate.door", .text("grpc")),
            ("rpc.message.size", .number(request.message.count)),
            ("rpc.grpc.status_code", .number(response.status.code.rawValue)),
          ], failure: response.status.code == .ok ? nil : response.status.message)
        return response
      }
    }
  }
}
