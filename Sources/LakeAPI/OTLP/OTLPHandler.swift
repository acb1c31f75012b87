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
    /// Origins of browser clients that may send; `*` for any.
    package var allowedOrigins: [String] = []
    /// What a 503 or 429 puts into Retry-After.
    package var retryAfter = Duration.seconds(1)

    package init() {}
  }

  package init(ports: Ports, ingestor: Ingestor, settings: Settings = Settings()) {
    cors = CORSPolicy(allowedOrigins: settings.allowedOrigins)
    var router = Router { status, allowed in
      status == 404
        ? .text(404, "404 page not found\n")
        : .text(405, "405 method not allowed, supported: [\(allowed.joined(separator: ", "))]", type: "text/plain")
    }
    let export = OTLPExport(ports: ports, ingestor: ingestor, settings: settings)
    for signal in OTLPSignal.all {
      router.post(signal.path) { request, _ in await export.handle(request, signal: signal) }
    }
    router.get("/health") { _, _ in .json(200, Bytes(#"{"status": "healthy"}"#)) }
    self.router = router
  }

  package func handle(_ request: HTTPRequest) async -> HTTPResponse {
    if let preflight = cors.preflight(request) { return preflight }
    var response = await router.handle(request)
    cors.decorate(&response, for: request)
    return response
  }
}
