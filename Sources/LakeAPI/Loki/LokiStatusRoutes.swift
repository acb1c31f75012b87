import LakeJSON
import LakeLogQL
import LakeModel
import LakePorts
import LakeQuery

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
    router.read("/loki/api/v1/drilldown-limits") { _, _ in drilldownLimits }
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

  private var buildInformation: HTTPResponse {
    var json = JSONWriter()
    json.object { json in
      json.member("version", LokiStatusRoutes.version)
      json.member("revision", settings.revision)
      json.member("branch", "")
      json.member("buildUser", "")
      json.member("buildDate", "")
      json.member("goVersion", "")
    }
    return .json(200, json.finish())
  }

  /// What Grafana's drilldown of logs may ask for.
  private var drilldownLimits: HTTPResponse {
    let limits = services.query.settings
    var json = JSONWriter()
    json.object { json in
      json.key("limits")
      json.object { json in
        json.member("discover_log_levels", false)
        json.member("max_entries_limit_per_query", limits.entriesMax)
        json.member("max_query_length", GoDuration.prometheusText(limits.rangeMax))
        json.member("max_query_series", limits.seriesMax)
        json.member("query_timeout", GoDuration.prometheusText(limits.timeout))
        json.member("retention_period", "0s")
        json.member("volume_enabled", true)
      }
      json.member("pattern_ingester_enabled", true)
      json.member("version", LokiStatusRoutes.version)
    }
    return .json(200, json.finish())
  }

  /// Clients choose their requests by Loki's version, so the version is that of the Loki whose answers we give.
  private static let version = "3.7.6"
}
