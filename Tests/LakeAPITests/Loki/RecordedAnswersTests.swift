import Foundation
import LakeIngest
import LakeMaintain
import LakeModel
import LakePorts
import LakeQuery
import LakeSchema
import LakeShift
import LakeWAL
import Testing

@testable import LakeAPI

/// Recorded answers of Loki 3.7.6, replayed through the handler over ports in memory: no sockets.
@Suite struct RecordedAnswersTests {
  @Test(
    "every recorded case in scope is answered as Loki did, from the queue and from the table",
    arguments: [("answers", 153, "push", 4), ("neighbours", 810, "push", 4), ("odd", 850, "odd-push", 1)])
  func replay(file: String, count: Int, corpus: String, bodies: Int) async throws {
    let cases = try RecordedCase.load("loki-3.7.6/\(file).json").filter { !$0.isSkipped }
    #expect(cases.count == count)
    let ports = TestPorts.make()
    _ = try await Migrator(catalog: ports.catalog).run(upgrades: false)
    var settings = ShiftSettings()
    settings.queue.ackDelayMax = .seconds(600)
    let ingestor = Ingestor(ports: ports, settings: settings.queue)
    let shift = ShiftRunner(ports: ports, settings: settings, table: .logs, consumers: [.logs])
    let handler = LokiHandler(
      ports: ports,
      services: LokiHandler.Services(
        query: LogQueryEngine(ports: ports), ingestor: ingestor, flush: { try await shift.flush() }))
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await ingestor.run() }
      try await push(corpus, bodies, to: handler)
      await check(cases, handler, "from the queue")
      let flushed = await handler.handle(HTTPRequest(method: "POST", path: "/flush"))
      #expect(flushed.status == 200)
      await check(cases, handler, "from the table")
      group.cancelAll()
    }
  }

  private func push(_ corpus: String, _ count: Int, to handler: LokiHandler) async throws {
    let file = RecordedCase.root.appendingPathComponent("loki-3.7.6/\(corpus).json")
    let bodies = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [Any])
    #expect(bodies.count == count)
    for body in bodies {
      let bytes = try JSONSerialization.data(withJSONObject: body)
      let answer = await handler.handle(
        HTTPRequest(
          method: "POST", path: "/loki/api/v1/push",
          headers: ["Content-Type": "application/json", "X-Scope-OrgID": "golden"], body: Bytes(Array(bytes))))
      #expect(answer.status == 204)
    }
  }

  private func check(_ cases: [RecordedCase], _ handler: LokiHandler, _ place: String) async {
    for recorded in cases {
      // Over memory a query never waits: the tests beside this one need the thread too.
      await Task.yield()
      let answer = await handler.handle(recorded.request(tenant: "golden"))
      let difference = recorded.difference(status: answer.status, body: answer.json)
      #expect(difference == nil, "\(place): \(recorded)")
      if recorded.status >= 300 { #expect(recorded.hasMessage(answer.json), "\(recorded): \(answer.text)") }
    }
  }
}
