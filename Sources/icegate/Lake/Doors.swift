import LakeAPI
import LakeHTTP
import LakeIngest
import LakeModel
import LakePorts
import LakeStorage
import LakeSystem

/// The listening ports of one process, over its engines.
struct Doors {
  /// Which of them are open, and where; nil or not enabled: closed.
  struct Plan: Sendable {
    var otlpHTTP: ListenerConfiguration?
    var otlpGRPC: ListenerConfiguration?
    var loki: ListenerConfiguration?
    var prometheus: ListenerConfiguration?
    var tempo: ListenerConfiguration?
    var iceberg: IcebergRESTConfiguration?
    /// How engines that come through it reach the files.
    var icebergDefaults: [String: String] = [:]
    var metrics: ListenerConfiguration?
    var metricsPath = "/metrics"
    var otlp = OTLPHandler.Settings()
    var limits = TenantLimitTable()
    /// Memory that the process may take; its parts of it bound what the ports hold. nil: each port by its own limits.
    var memoryBytesMax: Int?
    /// Whether the Loki port takes pushes and `POST /flush` too, as where everything is one process.
    var lokiWrites = false
    /// Below it tables lie that the Iceberg port stages; nil: they bring their own location.
    var tables: String?
    /// Text of Loki's `GET /config`, secrets masked.
    var configuration = ""
  }

  /// Threads of the Loki port, which read files too: some for each query that may run at once.
  private static let queryThreads = 16

  private var servers: [HTTPServer] = []
  private let health = HealthStatus(serving: [""] + OTLPServices.names)
  private let loops: LoopGroup
  private let memoryBytesMax: Int?
  private let journal: any Journal
  private let metrics: MetricsRegistry
  private let tracer: Tracer?
  /// Name and URL of every open door, in the order of the plan.
  private(set) var urls: [(name: String, url: String)] = []

  init(_ plan: Plan, lake: Lake, loops: LoopGroup) throws {
    self.loops = loops
    memoryBytesMax = plan.memoryBytesMax
    journal = lake.ports.journal
    metrics = lake.ports.metrics
    tracer = lake.ports.tracer
    let otlp = plan.otlp
    let memory = lake.memory
    let gate = IngestGate(ports: lake.ports, limits: plan.limits, isShort: { memory.isShort })
    if let ingestor = lake.ingestor {
      try open("OTLP/HTTP", "otlp", plan.otlpHTTP) {
        OTLPHandler(ports: lake.ports, ingestor: ingestor, settings: otlp, gate: gate)
      }
      let exports = OTLPServices(ports: lake.ports, ingestor: ingestor, settings: otlp, gate: gate)
      let reflection = ReflectionService(
        services: OTLPServices.names + [HealthService.name], descriptors: ServiceDescriptors.files)
      let services = GRPCServices([
        GRPCServices.traced(exports.methods, tracer), HealthService.methods(health), reflection.methods,
      ])
      try open("OTLP/gRPC", "grpc", plan.otlpGRPC, grpc: services) { GRPCOnlyHandler() }
    }
    if let query = lake.query {
      var services = LokiHandler.Services(query: query)
      if plan.lokiWrites {
        services.ingestor = lake.ingestor
        services.gate = gate
        services.flush = { try await lake.flush() }
      }
      var settings = LokiHandler.Settings()
      settings.configuration = plan.configuration
      let loki = LokiHandler(ports: lake.ports, services: services, settings: settings)
      try open("Loki", "loki", plan.loki, .threads(BlockingPool(threads: Doors.queryThreads))) { loki }
      try open("Prometheus", "prometheus", plan.prometheus) { ReadinessHandler(paths: ["/-/ready", "/-/healthy"]) }
      try open("Tempo", "tempo", plan.tempo) { ReadinessHandler(paths: ["/ready"]) }
    }
    if let iceberg = plan.iceberg {
      var settings = IcebergHandler.Settings()
      settings.isReadOnly = iceberg.isReadOnly
      settings.token = iceberg.token
      settings.defaults = plan.icebergDefaults
      settings.tables = plan.tables
      try open("Iceberg", "iceberg", iceberg.listener, .pool) { IcebergHandler(ports: lake.ports, settings: settings) }
    }
    try open("metrics", "metrics", plan.metrics) {
      MetricsHandler(registry: lake.ports.metrics, path: plan.metricsPath)
    }
  }

  private mutating func open(
    _ title: String, _ name: String, _ listener: ListenerConfiguration?, _ execution: HandlerExecution = .loop,
    grpc: (any GRPCHandler)? = nil, _ handler: () -> any HTTPHandler
  ) throws {
    guard let listener, listener.isEnabled else { return }
    var configuration = HTTPServerConfiguration(
      host: listener.host, port: listener.port, name: name, execution: execution, tls: listener.tls.map { TLSFiles($0) }
    )
    if name == "otlp" {
      configuration.rejection = { rejection in
        OTLPHandler.rejection(status: rejection.status, message: rejection.message, request: rejection.request)
      }
    }
    if name == "loki" {
      configuration.rejection = { LokiHandler.rejection(status: $0.status, message: $0.message) }
      // Grafana sends queries of up to 128 KiB as a GET.
      configuration.limits.requestLineBytesMax = 256 << 10
    }
    if let memoryBytesMax {
      configuration.limits.bodyMemoryMax = min(configuration.limits.bodyMemoryMax, memoryBytesMax / 4)
    }
    var handler = handler()
    if let tracer, name != "metrics" { handler = TracedHandler(handler, tracer: tracer, door: name) }
    let server = HTTPServer(
      configuration: configuration, loops: loops, handler: handler, grpc: grpc, journal: journal)
    let bound = try server.start()
    servers.append(server)
    let registry = metrics
    registry.beforeSnapshot { [weak server] in server?.statistics.publish(name, to: registry) }
    urls.append((title, "\(listener.tls == nil ? "http" : "https")://\(listener.host):\(bound)"))
  }

  func url(_ title: String) -> String? { urls.first { $0.name == title }?.url }

  /// Stops accepting and lets what is in flight finish, all ports at once.
  func drain(deadline: Duration) async {
    health.setAll(.notServing)
    await withTaskGroup(of: Void.self) { group in
      for server in servers { group.addTask { await server.drain(deadline: deadline) } }
    }
  }
}
