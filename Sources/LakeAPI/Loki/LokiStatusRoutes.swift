import LakeJSON
import LakeLogQL
import LakeModel
import LakePorts
import LakeQuery

/// `ready`, `status/buildinfo`, `config`, `services`, limits and `flush`.
struct LokiStatusRoutes: Sendable {
  let ports: Ports
  let services: LokiHandler.Services
  let settings: LokiHandler.Settings

  func register(in router: inout Router) {
    router.get("/ready") { _, _ in
      services.isReady()
        ? .json(200, Bytes(#"{"status": "ready"}"#)) : .json(503, Bytes(#"{"status": "not ready"}"#))
    }
    router.on(["GET"], "/loki/api/v1/status/buildinfo") { _, _ in buildInformation }
    router.get("/metrics") { _, _ in MetricsHandler.page(ports.metrics) }
    router.on(["GET"], "/loki/api/v1/drilldown-limits") { _, _ in drilldownLimits }
    router.on(["GET"], "/config/tenant/v1/limits") { _, _ in tenantLimits }
    router.on(["GET"], "/services") { _, _ in runningServices }
    // By hand or by `logcli delete`: said, so that nobody looks for a wrong address.
    router.on(["GET", "POST", "PUT", "DELETE"], "/loki/api/v1/delete") { _, _ in
      LokiRefusal(403, LokiStatusRoutes.deletionIsElsewhere).response
    }
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

  private static let deletionIsElsewhere =
    "deletion is not available here: delete rows of the table with `icegate iceberg delete` or any Iceberg engine, or "
    + "configure a retention"

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
    var json = JSONWriter()
    json.object { json in
      json.key("limits")
      json.object { json in
        for (name, limit) in limits {
          switch limit {
          case .flag(let isSet): json.member(name, isSet)
          case .count(let count): json.member(name, count)
          case .text(let text): json.member(name, text)
          case .none:
            json.key(name)
            json.array { _ in }
          }
        }
      }
      json.member("pattern_ingester_enabled", true)
      json.member("version", LokiStatusRoutes.version)
    }
    return .json(200, json.finish())
  }

  /// The same as YAML.
  private var tenantLimits: HTTPResponse {
    let lines = limits.map { name, limit in
      switch limit {
      case .flag(let isSet): "\(name): \(isSet)\n"
      case .count(let count): "\(name): \(count)\n"
      case .text(let text): "\(name): \(text)\n"
      case .none: "\(name): []\n"
      }
    }
    return .text(200, lines.joined())
  }

  private enum Limit {
    case flag(Bool)
    case count(Int)
    case text(String)
    /// An empty list.
    case none
  }

  /// By Loki's names, ascending.
  private var limits: [(String, Limit)] {
    let limits = services.query.settings
    return [
      ("discover_log_levels", .flag(false)), ("discover_service_name", .none),
      ("max_entries_limit_per_query", .count(limits.entriesMax)), ("max_line_size_truncate", .flag(false)),
      ("max_query_bytes_read", .text("0B")), ("max_query_length", .text(GoDuration.prometheusText(limits.rangeMax))),
      ("max_query_lookback", .text("0s")), ("max_query_range", .text("0s")),
      ("max_query_series", .count(limits.seriesMax)), ("metric_aggregation_enabled", .flag(false)),
      ("pattern_persistence_enabled", .flag(false)),
      ("query_timeout", .text(GoDuration.prometheusText(limits.timeout))), ("retention_period", .text("0s")),
      ("volume_enabled", .flag(true)),
    ]
  }

  /// What of Loki's parts this process is.
  private var runningServices: HTTPResponse {
    let state = services.isReady() ? "Running" : "Starting"
    let names =
      ["server", "querier", "query-frontend"] + (services.ingestor == nil ? [] : ["distributor", "ingester"])
    return .text(200, names.map { "\($0) => \(state)\n" }.joined())
  }

  /// Clients choose their requests by Loki's version, so the version is that of the Loki whose answers we give.
  private static let version = "3.7.6"
}
