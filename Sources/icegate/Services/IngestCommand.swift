import LakeAPI
import LakeIngest
import LakeShift
import LakeSystem
import LakeWAL

/// `icegate ingest run -c FILE`: takes telemetry in and shifts it into the tables.
enum IngestCommand {
  static func run(_ options: ServiceOptions) async throws {
    let configuration = try options.read(IngestConfiguration.self)
    if options.checks { return Console.write(ConfigReport.text(configuration)) }
    let (parts, plan) = try arrange(configuration)
    var ports = try await Outside().ports(configuration)
    let exporter = TraceExporter(configuration.tracing, service: "icegate-ingest", ports: &ports)
    let lake = Lake(ports: ports, parts: parts)
    let process = LakeProcess(
      lake: lake, plan: plan, drainDeadline: configuration.process.drain, exporter: exporter)
    try await process.run {
      Console.announce("ingest", $0)
    }
  }

  /// Apart from `run`, and never inlined into it: the optimiser of Swift 6.3.1 stops with an error of its own on
  /// these typed throws inside an asynchronous function.
  @inline(never)
  private static func arrange(_ configuration: IngestConfiguration) throws -> (parts: Lake.Parts, plan: Doors.Plan) {
    let places = try Places(configuration)
    var parts = Lake.Parts()
    parts.queue = places.queue.map { QueueSettings(configuration.queue, basePath: $0) }
    parts.ingests = true
    if configuration.shift.isEnabled {
      parts.shift = ShiftSettings(configuration.shift, processors: Processors.count)
    }
    var plan = Doors.Plan()
    plan.otlpHTTP = configuration.otlpHTTP
    plan.otlpGRPC = configuration.otlpGRPC
    plan.metrics = configuration.metrics.listener
    plan.metricsPath = configuration.metrics.path
    plan.otlp = OTLPHandler.Settings(
      tenancy: configuration.tenancy, cors: configuration.cors, limits: configuration.limits)
    plan.limits = try TenantLimitTable(configuration.limits)
    parts.queue?.fit(memoryBytes: configuration.process.memoryBytesMax)
    parts.shift?.fit(memoryBytes: configuration.process.memoryBytesMax)
    plan.memoryBytesMax = configuration.process.memoryBytesMax
    parts.memoryBytesMax = configuration.process.memoryBytesMax
    return (parts, plan)
  }
}
