import LakeAPI
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

  init(_ words: Arguments) throws(Arguments.Wrong) {
    var arguments = words
    let isInMemory = arguments.flag("--memory")
    let folder = try arguments.option("--data")
    if isInMemory, folder != nil { throw Arguments.Wrong(description: "--data and --memory exclude each other") }
    data = isInMemory ? nil : folder ?? "icegate-data"
    portOffset = try arguments.int("--port-offset", in: 0...57_000) ?? 0
    shifts = !arguments.flag("--no-shift")
    try arguments.finish()
  }

  func run() async throws -> Int32 {
    let ports = try DevPorts.open(data: data)
    let lake = Lake(ports: ports, parts: parts)
    try await lake.probeStore()
    try await lake.migrate()
    try await lake.probeCatalog()
    var plan = plan
    plan.tables = ports.warehouse.root
    try await LakeProcess(lake: lake, plan: plan).run(announce: announce)
    return 0
  }

  private var parts: Lake.Parts {
    var queue = QueueSettings()
    queue.basePath = "wal"
    var shift = ShiftSettings()
    shift.interval = .seconds(10)
    return Lake.Parts(queue: queue, ingests: true, shift: shift, query: QuerySettings(), shiftsByItself: shifts)
  }

  private var plan: Doors.Plan {
    func door(_ port: Int) -> ListenerConfiguration {
      ListenerConfiguration(isEnabled: true, host: "127.0.0.1", port: port + portOffset)
    }
    var plan = Doors.Plan()
    plan.otlpHTTP = door(4318)
    plan.otlpGRPC = door(4317)
    plan.loki = door(3100)
    plan.metrics = door(9091)
    plan.iceberg = IcebergRESTConfiguration(listener: door(8181), isReadOnly: false)
    plan.invalidTenant = .reject
    plan.lokiWrites = true
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
