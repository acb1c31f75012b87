import LakeIngest
import LakeModel
import LakeOTLP
import LakePorts

/// `POST /otlp/v1/logs` on Loki's port: what 4318 takes at `/v1/logs`, answered as Loki answers it.
struct LokiOTLPDoor: Sendable {
  private let export: OTLPExport

  static let path = "/otlp/v1/logs"

  init(ports: Ports, ingestor: Ingestor, settings: LokiHandler.Settings, gate: IngestGate?) {
    var door = OTLPHandler.Settings()
    door.bodyBytesMax = settings.bodyBytesMax
    door.limits = settings.limits
    door.invalidTenant = .reject
    export = OTLPExport(ports: ports, ingestor: ingestor, settings: door, gate: gate)
  }

  /// Success has no body and is 204, as with Loki, except when some records were refused: then the body says so.
  func handle(_ request: HTTPRequest) async -> HTTPResponse {
    let response = await export.handle(request, signal: .logs)
    guard response.status == 200, case .bytes(let body) = response.body,
      LokiOTLPDoor.saysNothing(body)
    else { return response }
    return HTTPResponse(status: 204)
  }

  /// Nothing, or a partial success without contents in JSON or protobuf.
  private static func saysNothing(_ body: Bytes) -> Bool {
    body.isEmpty || body == Bytes(#"{"partialSuccess":{}}"#) || body == Bytes([0x0A, 0x00])
  }
}
