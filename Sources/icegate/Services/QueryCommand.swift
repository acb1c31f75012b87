import LakePorts
import LakeQuery
import LakeSystem
import LakeWAL

/// `icegate query run -c FILE`: answers queries; writes nothing.
enum QueryCommand {
  static func run(_ options: ServiceOptions) async throws {
    let configuration = try options.read(QueryConfiguration.self)
    if options.checks { return Console.write(ConfigReport.text(configuration)) }
    let (parts, plan) = try arrange(configuration)
    let outside = try Outside()
    var ports = try await outside.ports(configuration)
    let exporter = TraceExporter(configuration.tracing, service: "icegate-query", ports: &ports)
    let lake = Lake(ports: ports, parts: parts, cached: outside.cached(ports, configuration.catalog.cache))
    try await LakeProcess(lake: lake, plan: plan, exporter: exporter).run { Console.announce("query", $0) }
  }

  /// Apart from `run`, and never inlined into it: the optimiser of Swift 6.3.1 stops with an error of its own on
  /// these typed throws inside an asynchronous function.
  @inline(never)
  private static func arrange(_ configuration: QueryConfiguration) throws -> (parts: Lake.Parts, plan: Doors.Plan) {
    let places = try Places(configuration)
    var queue = QueueSettings()
    if let path = places.queue { queue.basePath = path }
    queue.footerBytesHint = configuration.engine.footerBytesHint
    var parts = Lake.Parts()
    parts.queue = queue
    parts.query = QuerySettings(configuration)
    var plan = Doors.Plan()
    plan.loki = configuration.loki
    plan.prometheus = configuration.prometheus
    plan.tempo = configuration.tempo
    plan.iceberg = configuration.icebergREST
    plan.icebergDefaults = configuration.storage.clientDefaults
    plan.tables = places.tables
    plan.metrics = configuration.metrics.listener
    plan.metricsPath = configuration.metrics.path
    plan.configuration = EffectiveConfiguration.text(configuration.facts.entries)
    return (parts, plan)
  }
}
