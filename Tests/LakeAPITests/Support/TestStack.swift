import Foundation
import LakeIngest
import LakeMaintain
import LakeModel
import LakePorts
import LakeQuery
import LakeSchema
import LakeShift
import LakeWAL

@testable import LakeAPI

/// Engines and the Loki surface over ports in memory.
struct TestStack: Sendable {
  let ports: Ports
  let ingestor: Ingestor
  let engine: LogQueryEngine
  let shift: ShiftRunner
  let handler: LokiHandler

  /// Runs `body` while the ingestor runs.
  static func with(
    query: QuerySettings = QuerySettings(), settings configure: (inout LokiHandler.Settings) -> Void = { _ in },
    now: Timestamp = Timestamp(nanoseconds: 1_768_473_600_000_000_000),
    _ body: (TestStack) async throws -> Void
  ) async throws {
    let ports = TestPorts.make(now: now)
    _ = try await Migrator(catalog: ports.catalog).run(upgrades: false)
    var shiftSettings = ShiftSettings()
    shiftSettings.queue.ackDelayMax = .seconds(600)
    shiftSettings.queue.flushDelayMax = .milliseconds(1)
    let ingestor = Ingestor(ports: ports, settings: shiftSettings.queue)
    let shift = ShiftRunner(ports: ports, settings: shiftSettings, table: .logs, consumers: [.logs])
    let engine = LogQueryEngine(ports: ports, settings: query)
    var settings = LokiHandler.Settings()
    configure(&settings)
    let handler = LokiHandler(
      ports: ports,
      services: LokiHandler.Services(query: engine, ingestor: ingestor, flush: { try await shift.flush() }),
      settings: settings)
    let stack = TestStack(ports: ports, ingestor: ingestor, engine: engine, shift: shift, handler: handler)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await ingestor.run() }
      defer { group.cancelAll() }
      try await body(stack)
    }
  }

  /// Pushes lines of one stream.
  func push(
    _ lines: [(time: UInt64, line: String)], stream: [String: String] = ["service_name": "web"], tenant: String = "t"
  ) async throws {
    let body: [String: Any] = [
      "streams": [["stream": stream, "values": lines.map { [String($0.time), $0.line] }]]
    ]
    let bytes = try JSONSerialization.data(withJSONObject: body, options: [.sortedKeys])
    let answer = await handler.handle(
      HTTPRequest(
        method: "POST", path: "/loki/api/v1/push",
        headers: ["Content-Type": "application/json", "X-Scope-OrgID": tenant], body: Bytes(Array(bytes))))
    guard answer.status == 204 else { throw Refused(status: answer.status, text: answer.text) }
  }

  struct Refused: Error {
    let status: Int
    let text: String
  }

  /// A GET of the Loki surface.
  func get(_ path: String, _ parameters: KeyValuePairs<String, String> = [:], tenant: String = "t") async
    -> HTTPResponse
  {
    await handler.handle(
      HTTPRequest(
        method: "GET", path: path, query: TestStack.query(parameters), headers: ["X-Scope-OrgID": tenant]))
  }

  static func query(_ parameters: KeyValuePairs<String, String>) -> String {
    parameters.map { name, value in
      name.addingPercentEncoding(withAllowedCharacters: .alphanumerics)! + "="
        + value.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
    }.joined(separator: "&")
  }
}
