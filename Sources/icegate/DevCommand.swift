import Glibc
import LakeAPI
import LakeHTTP
import LakeIngest
import LakeMaintain
import LakeModel
import LakePorts
import LakeQuery
import LakeSchema
import LakeShift
import LakeSystem
import LakeWAL

/// `icegate dev`: every service in one process, on 127.0.0.1, with a file store and a SQLite catalog.
struct DevCommand {
  /// nil: everything in memory.
  let data: String?
  let portOffset: Int
  let shifts: Bool

  static let drainDeadline = Duration.seconds(20)

  init(_ words: Arguments) throws(Arguments.Wrong) {
    var arguments = words
    let isInMemory = arguments.flag("--memory")
    let folder = try arguments.option("--data")
    if isInMemory, folder != nil { throw Arguments.Wrong(description: "--data and --memory exclude each other") }
    data = isInMemory ? nil : folder ?? "icegate-data"
    portOffset = try arguments.int("--port-offset", in: 0...60_000) ?? 0
    shifts = !arguments.flag("--no-shift")
    try arguments.finish()
  }

  func run() async throws -> Int32 {
    let signals = SystemSignals.watchTermination()
    SystemSignals.ignoreBrokenPipes()
    let ports = try await DevPorts.open(data: data)
    let lake = DevLake(ports: ports, shifts: shifts)
    try await lake.prepare()
    let loops = LoopGroup()
    let servers = try DevServers(lake: lake, loops: loops, portOffset: portOffset)
    announce(servers)
    await withTaskGroup(of: Void.self) { group in
      for job in lake.jobs { group.addTask { await job() } }
      _ = await signals.next()
      say("stopping")
      await servers.drain(deadline: DevCommand.drainDeadline)
      await lake.ingestor.drain()
      group.cancelAll()
    }
    await loops.shutdown()
    return 0
  }

  private func announce(_ servers: DevServers) {
    say("icegate \(Version.text), data in \(data ?? "memory")")
    for (name, url) in servers.urls { say("  \(name)  \(url)") }
    say("try:")
    say(
      """
        curl \(servers.otlp)/v1/logs -H 'Content-Type: application/json' -d '{"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "hello"}}]}, "scopeLogs": [{"logRecords": [{"timeUnixNano": "'$(date +%s)000000000'", "severityText": "INFO", "body": {"stringValue": "hello, lake"}}]}]}]}'
        curl -G \(servers.loki)/loki/api/v1/query_range --data-urlencode 'query={service_name="hello"}'
      """)
  }

  private func say(_ text: String) {
    let line = Array("\(text)\n".utf8)
    _ = write(1, line, line.count)
  }
}
