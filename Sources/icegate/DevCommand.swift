import LakeAPI
import LakeIngest
import LakePorts
import LakeQuery
import LakeShift
import LakeSystem
import LakeWAL

/// `icegate dev`: every service in one process, on 127.0.0.1, with a file store and a SQLite catalog.
struct DevCommand {
  /// nil: everything in memory.
  let data: String?
  let portOffset: Int
  let shifts: Bool
  let trouble: DevPorts.Trouble?
  let configuration: DevConfiguration

  init(_ words: Arguments) throws {
    var arguments = words
    let isInMemory = arguments.flag("--memory")
    let folder = try arguments.option("--data")
    if isInMemory, folder != nil { throw Arguments.Wrong(description: "--data and --memory exclude each other") }
    data = isInMemory ? nil : folder ?? "icegate-data"
    portOffset = try arguments.int("--port-offset", in: 0...57_000) ?? 0
    shifts = !arguments.flag("--no-shift")
    let putDelay = try arguments.int("--slow-puts", in: 1...600_000).map { Duration.milliseconds($0) }
    let span = try arguments.int("--slow-puts-for", in: 1...86_400).map { Duration.seconds($0) }
    trouble = putDelay.map { DevPorts.Trouble(putDelay: $0, span: span) }
    if let file = try arguments.option("-c", "--config") {
      configuration = try DevConfiguration.read(ServiceOptions.source(file))
    } else {
      configuration = DevConfiguration()
    }
    try arguments.finish()
  }

  func run() async throws -> Int32 {
    var ports = try DevPorts.open(data: data, trouble: trouble)
    let exporter = configuration.tracing.flatMap { TraceExporter($0, service: "icegate", ports: &ports) }
    let lake = Lake(ports: ports, parts: parts)
    try await lake.probeStore()
    try await lake.migrate()
    try await lake.probeCatalog()
    var plan = try plan()
    plan.tables = ports.warehouse.root
    let process = LakeProcess(
      lake: lake, plan: plan, drainDeadline: configuration.process.drain, exporter: exporter)
    try await process.run(announce: announce)
    return 0
  }

  private var parts: Lake.Parts {
    var queue = QueueSettings()
    queue.basePath = "wal"
    var shift = ShiftSettings()
    shift.interval = .seconds(10)
    queue.fit(memoryBytes: configuration.process.memoryBytesMax)
    shift.fit(memoryBytes: configuration.process.memoryBytesMax)
    return Lake.Parts(
      queue: queue, ingests: true, shift: shift, query: QuerySettings(), shiftsByItself: shifts,
      expiresSnapshots: true,
      memoryBytesMax: configuration.process.memoryBytesMax)
  }

  private func plan() throws -> Doors.Plan {
    func door(_ port: Int) -> ListenerConfiguration {
      ListenerConfiguration(isEnabled: true, host: "127.0.0.1", port: port + portOffset)
    }
    var plan = Doors.Plan()
    plan.otlpHTTP = door(4318)
    plan.otlpHTTP?.tls = configuration.tls
    plan.otlpGRPC = door(4317)
    plan.otlpGRPC?.tls = configuration.tls
    plan.loki = door(3100)
    plan.metrics = door(9091)
    plan.iceberg = IcebergRESTConfiguration(listener: door(8181), isReadOnly: false)
    plan.otlp = OTLPHandler.Settings(
      tenancy: configuration.tenancy, cors: configuration.cors, limits: configuration.limits)
    plan.limits = try TenantLimitTable(configuration.limits)
    plan.lokiWrites = true
    plan.memoryBytesMax = configuration.process.memoryBytesMax
    return plan
  }

  private func announce(_ doors: Doors) {
    Console.say("icegate \(Version.text), data in \(data ?? "memory")")
    for (name, url) in doors.urls {
      let padding = String(repeating: " ", count: max(0, 10 - name.count))
      Console.say("  \(name)\(padding) \(url)\(name == "metrics" ? "/metrics" : "")")
    }
    Console.say("try:")
    Console.say(
      """
        curl \(doors.url("OTLP/HTTP") ?? "")/v1/logs -H 'Content-Type: application/json' -d '{"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "hello"}}]}, "scopeLogs": [{"logRecords": [{"timeUnixNano": "'$(date +%s)000000000'", "severityText": "INFO", "body": {"stringValue": "hello, lake"}}]}]}]}'
        curl -G \(doors.url("Loki") ?? "")/loki/api/v1/query_range --data-urlencode 'query={service_name="hello"}'
      """)
  }
}
