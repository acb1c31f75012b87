package import LakeIngest
import LakeModel
package import LakeOTLP
package import LakePorts

/// The OTLP/HTTP door (4318): `POST /v1/logs`, `/v1/traces`, `/v1/metrics`; `GET /health`.
package struct OTLPHandler: HTTPHandler {
  private let router: Router
  private let cors: CORSPolicy

  package struct Settings: Sendable {
    /// Bytes of a decompressed body; beyond: 413.
    package var bodyBytesMax = 64 << 20
    package var invalidTenant = Tenancy.Invalid.default
    package var limits = DecodeLimits()
    /// Pages of which origins may send.
    package var cors = CORSPolicy()
    /// What a 503 or 429 puts into Retry-After.
    package var retryAfter = Duration.seconds(1)

    package init() {}
  }

  /// - Parameter gate: shared by all doors of the process; nil: nobody is limited.
  package init(ports: Ports, ingestor: Ingestor, settings: Settings = Settings(), gate: IngestGate? = nil) {
    cors = settings.cors
    var router = Router { status, allowed in
      status == 404
        ? .text(404, "404 page not found\n")
        : .text(405, "405 method not allowed, supported: [\(allowed.joined(separator: ", "))]", type: "text/plain")
    }
    let export = OTLPExport(ports: ports, ingestor: ingestor, settings: settings, gate: gate)
    for signal in OTLPSignal.all {
      router.post(signal.path) { request, _ in await export.handle(request, signal: signal) }
    }
    router.get("/health") { _, _ in .json(200, Bytes(#"{"status": "healthy"}"#)) }
    self.router = router
  }

  /// What the server refuses by itself, in this door's error form.
  /// - Parameter request: what is known of the request, without its body.
  package static func rejection(status: Int, message: String, request: HTTPRequest?) -> HTTPResponse {
    guard let request, OTLPSignal.all.contains(where: { $0.path == request.path }),
      let encoding = OTLPExport.encoding(request.headers["Content-Type"])
    else { return .text(status, message + "\n") }
    let refusal = OTLPRefusal(status: status, message: message)
    return .bytes(
      status, StatusResponse.encode(code: refusal.rpcCode, message: message, retryDelay: nil, encoding: encoding),
      type: encoding.mediaType)
  }

  /// Endpoints are often configured with a slash at their end, to which clients add `/v1/logs`. The recorded receiver sends
  /// them to the path without what is too much, and they follow.
  private static func redirection(_ request: HTTPRequest) -> HTTPResponse? {
    guard request.path.contains("//") || request.path.contains("/.") else { return nil }
    var segments: [Substring] = []
    for segment in request.path.split(separator: "/") where segment != "." {
      if segment == ".." { _ = segments.popLast() } else { segments.append(segment) }
    }
    let path = "/" + segments.joined(separator: "/")
    guard path != request.path, path == "/health" || OTLPSignal.all.contains(where: { $0.path == path }) else {
      return nil
    }
    let query = request.query.isEmpty ? "" : "?" + request.query
    return HTTPResponse(status: 307, headers: ["Location": path + query])
  }

  package func handle(_ request: HTTPRequest) async -> HTTPResponse {
    if let preflight = cors.preflight(request) { return preflight }
    var response: HTTPResponse
    if let redirection = OTLPHandler.redirection(request) {
      response = redirection
    } else {
      response = await router.handle(request)
    }
    cors.decorate(&response, for: request)
    return response
  }
}
