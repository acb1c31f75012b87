import LakeModel
import LakeNet
import LakeOTLP
import LakePorts
import LakeSystem
import LakeWAL

/// Sends our own spans to a collector over OTLP, in batches. What cannot be delivered is dropped and counted: tracing never holds up the work,
/// nor grows.
struct TraceExporter: Sendable {
  let tracer: Tracer
  private let ports: Ports
  private let transport: any HTTPTransport
  private let target: Target
  private let resource: [(name: String, value: String)]
  private let failed: Counter

  private static let period = Duration.seconds(2)
  private static let batchMax = 512
  private static let timeout = Duration.seconds(10)
  private static let attemptsMax = 3

  /// Where to and how.
  struct Target: Sendable, Equatable {
    var url: String
    var isGRPC: Bool

    /// A path, or port 4318, means OTLP over HTTP; everything else, as `http://jaeger:4317`, gRPC.
    init(_ endpoint: String) {
      let base = endpoint.last == "/" ? String(endpoint.dropLast()) : endpoint
      let address = base.firstRange(of: "://").map { base[$0.upperBound...] } ?? base[...]
      let hasScheme = address.startIndex != base.startIndex
      let whole = hasScheme ? base : "http://\(base)"
      isGRPC = !address.contains("/") && !address.hasSuffix(":4318")
      if isGRPC {
        url = whole + "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
      } else {
        url = whole.hasSuffix("/v1/traces") ? whole : whole + "/v1/traces"
      }
    }
  }

  /// What the configuration asks for; also lets `ports` record spans. nil: nothing is traced, or it has nowhere to go.
  init?(_ configuration: TracingConfiguration, service: String, ports: inout Ports) {
    guard configuration.isEnabled, let endpoint = configuration.endpoint, !endpoint.isEmpty else { return nil }
    let tracer = Tracer(
      ratio: configuration.sampleRatio, clock: ports.clock, wall: ports.wall, random: ports.random,
      metrics: ports.metrics)
    ports.tracer = tracer
    self.init(
      tracer, endpoint: endpoint, service: configuration.serviceName ?? service, ports: ports,
      transport: Outside.transport)
  }

  init(_ tracer: Tracer, endpoint: String, service: String, ports: Ports, transport: any HTTPTransport) {
    self.tracer = tracer
    self.ports = ports
    self.transport = transport
    target = Target(endpoint)
    resource = [
      ("service.name", service), ("service.version", Version.text), ("service.instance.id", ports.random.uuid()),
    ]
    failed = ports.metrics.counter(
      "icegate_tracing_dropped_spans_total", help: "Spans of our own that found no room.",
      labels: [("reason", "export_failed")])
  }

  /// Exports until it is cancelled.
  func run() async {
    while !Task.isCancelled {
      do { try await ports.clock.sleep(for: TraceExporter.period) } catch { return }
      await exportAll()
    }
  }

  /// What waits now, and nothing that comes meanwhile.
  func exportAll() async {
    var left = tracer.waitingCount
    while left > 0 {
      let spans = tracer.take(max: min(left, TraceExporter.batchMax))
      if spans.isEmpty { return }
      left -= spans.count
      if !(await deliver(spans)) {
        failed.add(spans.count)
        // The collector is not there: what waits behind would only wait as long.
        failed.add(tracer.take(max: left).count)
        return
      }
    }
  }

  private func deliver(_ spans: [TraceSpan]) async -> Bool {
    let exchange = exchange(SelfSpans.encode(spans, resource: resource))
    for attempt in 0..<TraceExporter.attemptsMax {
      if attempt > 0 {
        do { try await ports.clock.sleep(for: .seconds(1 << attempt)) } catch { return false }
      }
      switch await send(exchange) {
      case .delivered: return true
      case .refused(let reason):
        ports.journal.note(.warning, "tracing.refused", [("url", target.url), ("reason", reason)])
        return false
      case .busy(let reason):
        ports.journal.note(.debug, "tracing.busy", [("url", target.url), ("reason", reason)])
      }
    }
    return false
  }

  private enum Outcome {
    case delivered
    case refused(String)
    /// May be tried again.
    case busy(String)
  }

  private func send(_ exchange: HTTPExchange) async -> Outcome {
    let answer: HTTPAnswer
    do throws(TransportError) {
      answer = try await transport.send(exchange)
    } catch {
      return .busy("\(error)")
    }
    guard answer.status == 200 else {
      let reason = "status \(answer.status)"
      return [429, 502, 503, 504].contains(answer.status) ? .busy(reason) : .refused(reason)
    }
    guard target.isGRPC else { return .delivered }
    switch answer.header("grpc-status") {
    case "0": return .delivered
    case "14", "8", "4": return .busy("grpc-status \(answer.header("grpc-status") ?? "")")
    case let status: return .refused("grpc-status \(status ?? "missing")")
    }
  }

  private func exchange(_ message: Bytes) -> HTTPExchange {
    // Not sampled: if the collector is this very lake, the export is not traced, and so does not bring forth the next one.
    let context = TraceContext(
      traceHigh: ports.random.next(), traceLow: ports.random.next() | 1, span: ports.random.next() | 1, isSampled: false
    )
    var headers = [("traceparent", context.traceparent)]
    guard target.isGRPC else {
      headers.append(("Content-Type", "application/x-protobuf"))
      return HTTPExchange(
        method: "POST", url: target.url, headers: headers, body: message, timeout: TraceExporter.timeout,
        answerBytesMax: 1 << 20)
    }
    headers += [("Content-Type", "application/grpc"), ("TE", "trailers")]
    let length = UInt32(message.count)
    let prefix = Bytes([0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) })
    var exchange = HTTPExchange(
      method: "POST", url: target.url, headers: headers, body: Bytes.joined([prefix, message]),
      timeout: TraceExporter.timeout, answerBytesMax: 1 << 20)
    exchange.usesHTTP2 = true
    return exchange
  }
}
