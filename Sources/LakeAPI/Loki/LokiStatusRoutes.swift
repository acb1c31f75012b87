import LakeJSON
import LakeModel
import LakePorts

/// `ready`, `status/buildinfo`, `config` and `flush`.
struct LokiStatusRoutes: Sendable {
  let ports: Ports
  let services: LokiHandler.Services
  let settings: LokiHandler.Settings

  func register(in router: inout Router) {
    router.get("/ready") { _, _ in
      services.isReady()
        ? .json(200, Bytes(#"{"status": "ready"}"#)) : .json(503, Bytes(#"{"status": "not ready"}"#))
    }
    router.get("/loki/api/v1/status/buildinfo") { _, _ in buildInformation }
    router.get("/metrics") { _, _ in MetricsHandler.page(ports.metrics) }
    router.get("/config") { _, _ in .text(200, settings.configuration) }
    guard let flush = services.flush else { return }
    router.post("/flush") { _, _ in
      do {
        try await flush()
        return .json(200, Bytes(#"{"status":"success"}"#))
      } catch {
        return LokiRefusal(503, "not everything could be flushed").response
      }
    }
  }

  /// Clients choose their requests by Loki's version, so the version is that of the Loki whose answers we give.
  private var buildInformation: HTTPResponse {
    var json = JSONWriter()
    json.object { json in
      json.member("version", "3.7.6")
      json.member("revision", settings.revision)
      json.member("branch", "")
      json.member("buildUser", "")
      json.member("buildDate", "")
      json.member("goVersion", "")
    }
    return .json(200, json.finish())
  }
}
