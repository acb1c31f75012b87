import LakeIngest
import LakeJSON
import LakeModel
import LakeOTLP
import LakePorts
import LakeSchema
import LakeWAL
import Testing

@testable import LakeAPI

@Suite struct OTLPLimitsTests {
  private struct Door {
    let ports: Ports
    let handler: OTLPHandler
    let services: OTLPServices
    let ingestor: Ingestor

    init(
      _ limits: TenantLimitTable, settings: OTLPHandler.Settings = OTLPHandler.Settings(),
      isShort: @escaping @Sendable () -> Bool = { false }
    ) {
      ports = TestPorts.make()
      ingestor = Ingestor(ports: ports)
      let gate = IngestGate(ports: ports, limits: limits, isShort: isShort)
      handler = OTLPHandler(ports: ports, ingestor: ingestor, settings: settings, gate: gate)
      services = OTLPServices(ports: ports, ingestor: ingestor, settings: settings, gate: gate)
    }

    func post(_ times: [String], tenant: String = "t", path: String = "/v1/logs") async -> HTTPResponse {
      let records = times.map { #"{"timeUnixNano":"\#($0)","body":{"stringValue":"hello"}}"# }.joined(separator: ",")
      return await handler.handle(
        HTTPRequest(
          method: "POST", path: path, headers: ["Content-Type": "application/json", "X-Scope-OrgID": tenant],
          body: Bytes(#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[\#(records)]}]}]}"#)))
    }

    /// Runs the ingestor beside `body`.
    func running(_ body: @Sendable (Door) async -> Void) async {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await ingestor.run() }
        await body(self)
        await ingestor.drain()
      }
    }
  }

  private func message(_ response: HTTPResponse) -> (code: Int?, message: String?) {
    guard case .bytes(let bytes) = response.body, let root = try? JSONDocument(bytes).root else { return (nil, nil) }
    return (root["code"]?.int, root["message"]?.string)
  }

  @Test("a tenant beyond its rate gets 429 with Retry-After, another is served")
  func rate() async {
    var limits = TenantLimitTable()
    limits.tenants[TenantID("t")!] = {
      var own = TenantLimits()
      own.rate = RateLimit(bytesPerSecond: 1, bytesBurst: 1)
      return own
    }()
    await Door(limits).running { door in
      #expect(await door.post(["1700000000000000000"]).status == 200)
      let refused = await door.post(["1700000000000000001"])
      #expect(refused.status == 429)
      #expect(Int(refused.headers["Retry-After"] ?? "").map { $0 > 60 } == true)
      #expect(message(refused).code == 8)
      #expect(await door.post(["1700000000000000002"], tenant: "other").status == 200)
      let call = door.services.methods["/opentelemetry.proto.collector.logs.v1.LogsService/Export"]
      guard case .unary(let export)? = call else { return }
      let status = await export(GRPCRequest(path: "", metadata: ["x-scope-orgid": "t"])).status
      #expect(status.code == .resourceExhausted && status.details != nil)
    }
  }

  @Test("a process short of memory answers 503 with Retry-After, and health all the same")
  func memory() async {
    let door = Door(TenantLimitTable(), isShort: { true })
    let refused = await door.post(["1"])
    #expect(refused.status == 503 && refused.headers["Retry-After"] == "1" && message(refused).code == 14)
    #expect(await door.handler.handle(HTTPRequest(method: "GET", path: "/health")).status == 200)
  }

  @Test("a request over too many days is refused, one over as many as allowed is taken")
  func days() async {
    var limits = TenantLimitTable()
    limits.everybody.daysMax = 3
    await Door(limits).running { door in
      let days = (0..<4).map { "\(1_700_000_000_000_000_000 + $0 * 86_400_000_000_000)" }
      #expect(await door.post(Array(days.prefix(3))).status == 200)
      let refused = await door.post(days)
      #expect(refused.status == 413 && message(refused).message == "the records lie in more than 3 days")
    }
  }

  @Test("a request with too many different keys is refused")
  func keys() async {
    var settings = OTLPHandler.Settings()
    settings.limits.attributeKeysMax = 100
    let door = Door(TenantLimitTable(), settings: settings)
    let attributes = (0..<200).map { #"{"key":"k\#($0)","value":{"intValue":"1"}}"# }.joined(separator: ",")
    let response = await door.handler.handle(
      HTTPRequest(
        method: "POST", path: "/v1/logs", headers: ["Content-Type": "application/json"],
        body: Bytes(
          #"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","attributes":[\#(attributes)]}]}]}]}"#)))
    #expect(response.status == 413)
    #expect(message(response).message?.contains("too many different attribute keys") == true)
  }

  @Test("what limits took away is counted, what they rejected told as partial success")
  func counted() async {
    var limits = TenantLimitTable()
    limits.everybody.records = RecordLimits(bodyBytesMax: 4)
    await Door(limits).running { door in
      #expect(await door.post(["1700000000000000000", "1700000000000000001"]).status == 200)
      let text = MetricsText.text(of: door.ports.metrics.snapshot)
      #expect(text.contains(#"icegate_ingest_truncated_total{topic="logs",what="body_cut"} 2"#))
    }
    limits.everybody.records.onExcess = .reject
    await Door(limits).running { door in
      let response = await door.post(["1700000000000000000", "1700000000000000001"])
      guard case .bytes(let body) = response.body else { return }
      #expect(
        body.text
          == #"{"partialSuccess":{"rejectedLogRecords":"2","errorMessage":"2 records with a body of more than 4 bytes"}}"#
      )
      let text = MetricsText.text(of: door.ports.metrics.snapshot)
      #expect(text.contains(#"icegate_ingest_rejected_records_total{reason="body_too_long",topic="logs"} 2"#))
    }
  }
}
