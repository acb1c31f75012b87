import LakeJSON
import LakeModel

/// What Grafana asks about rules and alerts: there are none. The answers are those of a Loki whose ruler has no rules.
struct LokiRulerRoutes: Sendable {
  func register(in router: inout Router) {
    for prefix in ["/prometheus/api/v1", "/api/prom/api/v1"] {
      router.on(["GET"], prefix + "/rules") { _, _ in LokiRulerRoutes.empty("groups") }
      router.on(["GET"], prefix + "/alerts") { _, _ in LokiRulerRoutes.empty("alerts") }
    }
    for prefix in ["/loki/api/v1/rules", "/api/prom/rules"] {
      for path in [prefix, prefix + "/{namespace}"] {
        router.on(["GET"], path) { _, _ in LokiRefusal(404, "no rule groups found").response }
      }
      // By this text Grafana knows that rules cannot be written here.
      router.on(["GET"], prefix + "/{namespace}/{group}") { _, _ in
        LokiRefusal.badRequest("GetRuleGroup unsupported in rule local store").response
      }
    }
  }

  private static func empty(_ list: String) -> HTTPResponse {
    var json = JSONWriter()
    json.object { json in
      json.member("status", "success")
      json.key("data")
      json.object { json in
        json.key(list)
        json.array { _ in }
      }
      json.member("errorType", "")
      json.member("error", "")
    }
    return .json(200, json.finish())
  }
}
