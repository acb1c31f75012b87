import LakeShift
import LakeSystem
import LakeWAL

/// `icegate ingest run -c FILE`: takes telemetry in and shifts it into the tables.
enum IngestCommand {
  static func run(_ options: ServiceOptions) async throws {
    let configuration = try options.read(IngestConfiguration.self)
    if options.checks { return Console.write(ConfigReport.text(configuration)) }
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
    plan.invalidTenant = .init(configuration.tenancy)
    let lake = Lake(ports: try await Outside().ports(configuration), parts: parts)
    try await LakeProcess(lake: lake, plan: plan).run { Console.announce("ingest", $0) }
  }
}
