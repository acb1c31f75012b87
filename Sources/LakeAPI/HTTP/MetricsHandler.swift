import LakeModel
package import LakePorts

/// The metrics port (9091): everything a registry holds, in Prometheus's text format.
package struct MetricsHandler: HTTPHandler {
  private let router: Router

  package init(registry: MetricsRegistry, path: String = "/metrics") {
    var router = Router { status, _ in .text(status, status == 404 ? "404 page not found\n" : "method not allowed\n") }
    router.get(path) { _, _ in MetricsHandler.page(registry) }
    self.router = router
  }

  static func page(_ registry: MetricsRegistry) -> HTTPResponse {
    .text(200, MetricsText.text(of: registry.snapshot), type: "text/plain; version=0.0.4; charset=utf-8")
  }

  package func handle(_ request: HTTPRequest) async -> HTTPResponse { await router.handle(request) }
}

/// Prometheus's text exposition format, version 0.0.4.
package enum MetricsText {
  package static func text(of families: [MetricsRegistry.Family]) -> String {
    var out = ""
    for family in families {
      out +=
        "# HELP \(family.name) \(escaped(family.help, quotes: false))\n# TYPE \(family.name) \(family.kind.rawValue)\n"
      for (labels, instrument) in family.instruments {
        switch instrument {
        case .counter(let counter): out += "\(family.name)\(braces(labels)) \(counter.value)\n"
        case .gauge(let gauge): out += "\(family.name)\(braces(labels)) \(number(gauge.value))\n"
        case .histogram(let histogram): out += text(of: histogram, family.name, labels)
        }
      }
    }
    return out
  }

  private static func text(of histogram: Histogram, _ name: String, _ labels: [(String, String)]) -> String {
    var out = ""
    var sum: UInt64 = 0
    let bounds = histogram.bounds.map(number) + ["+Inf"]
    for (bound, count) in zip(bounds, histogram.bucketCounts) {
      sum += count
      out += "\(name)_bucket\(braces(labels + [("le", bound)])) \(sum)\n"
    }
    return out + "\(name)_sum\(braces(labels)) \(number(histogram.sum))\n\(name)_count\(braces(labels)) \(sum)\n"
  }

  private static func braces(_ labels: [(String, String)]) -> String {
    if labels.isEmpty { return "" }
    return "{" + labels.map { "\($0.0)=\"\(escaped($0.1, quotes: true))\"" }.joined(separator: ",") + "}"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var out = ""
    for character in text {
      switch character {
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\"" where quotes: out += "\\\""
      default: out.append(character)
      }
    }
    return out
  }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
  }
}
