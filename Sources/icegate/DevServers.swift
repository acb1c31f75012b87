import LakeAPI
import LakeHTTP
import LakeModel
import LakePorts

/// The listening ports of `icegate dev`.
struct DevServers {
  let otlp: String
  let loki: String
  private let servers: [HTTPServer]
  private let health: HealthStatus
  private(set) var urls: [(String, String)] = []

  init(lake: DevLake, loops: LoopGroup, portOffset: Int) throws {
    var otlpSettings = OTLPHandler.Settings()
    otlpSettings.invalidTenant = .reject
    var servers: [HTTPServer] = []
    func serve(
      _ name: String, _ port: Int, _ handler: any HTTPHandler, _ execution: HandlerExecution,
      grpc: (any GRPCHandler)? = nil
    ) throws -> String {
      let configuration = HTTPServerConfiguration(
        host: "127.0.0.1", port: port + portOffset, name: name, execution: execution)
      let server = HTTPServer(
        configuration: configuration, loops: loops, handler: handler, grpc: grpc, journal: lake.ports.journal)
      let bound = try server.start()
      servers.append(server)
      return "http://127.0.0.1:\(bound)"
    }
    let ingest = OTLPHandler(ports: lake.ports, ingestor: lake.ingestor, settings: otlpSettings)
    otlp = try serve("otlp", 4318, ingest, .loop)
    let exports = OTLPServices(ports: lake.ports, ingestor: lake.ingestor, settings: otlpSettings)
    health = HealthStatus(serving: [""] + OTLPServices.names)
    let reflection = ReflectionService(
      services: OTLPServices.names + [HealthService.name], descriptors: ServiceDescriptors.files)
    let grpc = try serve(
      "grpc", 4317, GRPCOnlyHandler(), .loop,
      grpc: GRPCServices([exports.methods, HealthService.methods(health), reflection.methods]))
    let services = LokiHandler.Services(
      query: lake.query, ingestor: lake.ingestor, flush: { try await lake.flush() })
    loki = try serve("loki", 3100, LokiHandler(ports: lake.ports, services: services), .pool)
    let metrics = try serve("metrics", 9091, MetricsHandler(registry: lake.ports.metrics), .loop)
    self.servers = servers
    urls = [("OTLP/HTTP", otlp), ("OTLP/gRPC", grpc), ("Loki     ", loki), ("metrics  ", metrics + "/metrics")]
  }

  /// Stops accepting and lets what is in flight finish, all ports at once.
  func drain(deadline: Duration) async {
    health.setAll(.notServing)
    await withTaskGroup(of: Void.self) { group in
      for server in servers { group.addTask { await server.drain(deadline: deadline) } }
    }
  }
}
