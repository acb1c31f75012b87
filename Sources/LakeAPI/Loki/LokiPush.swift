import LakeCompression
import LakeIngest
import LakeModel
import LakeOTLP
import LakePorts
import LakeWAL

/// `POST /loki/api/v1/push`: JSON, or protobuf in a snappy block.
struct LokiPush: Sendable {
  let ports: Ports
  let ingestor: Ingestor
  let settings: LokiHandler.Settings
  let gate: IngestGate

  static let legacyPath = "/api/prom/push"

  func handle(_ request: HTTPRequest) async -> HTTPResponse {
    do throws(LokiRefusal) {
      let receipt = try await push(request)
      var response = HTTPResponse(status: 204)
      if receipt.isDeduplicated { response.headers.set("X-IceGate-Deduplicated", "true") }
      return response
    } catch {
      return error.response
    }
  }

  private func push(_ request: HTTPRequest) async throws(LokiRefusal) -> IngestReceipt {
    let tenancy = try tenancy(request)
    let encoding = try encoding(request)
    let body: Bytes
    do throws(RequestBody.Refused) {
      body = try RequestBody.decoded(
        request, limit: settings.bodyBytesMax, codings: [.gzip, .deflate, .zstd, .snappy],
        snappyByDefault: encoding == .protobuf)
    } catch {
      throw LokiRefusal(error)
    }
    do throws(IngestError) { try gate.admit(tenancy.tenant, bytes: body.count) } catch { throw LokiRefusal(error) }
    let context = DecodeContext(
      tenant: tenancy.tenant, account: tenancy.account, ingested: ports.wall.now, limits: settings.limits,
      recordLimits: gate.limits[tenancy.tenant].records, hashSeed: ports.random.next())
    let decoded: DecodedLogs
    do throws(LokiPushError) {
      decoded = try LokiPushDecoder.decode(
        body, encoding: encoding, form: request.path == LokiPush.legacyPath ? .legacy : .current, context: context)
    } catch {
      throw LokiRefusal(error.status, error.message)
    }
    let receipt = try await store(decoded, request: request, body: body, tenancy: tenancy)
    // Loki takes the good entries in and answers 400 for the others all the same.
    if decoded.rejectedCount > 0 { throw .badRequest(decoded.rejectionReasons.joined(separator: "; ")) }
    return receipt
  }

  private func store(_ decoded: DecodedLogs, request: HTTPRequest, body: Bytes, tenancy: Tenancy)
    async throws(LokiRefusal) -> IngestReceipt
  {
    do throws(IngestError) {
      try gate.accept(decoded, of: tenancy.tenant, topic: .logs)
    } catch {
      throw LokiRefusal(error)
    }
    if decoded.recordCount == 0 { return IngestReceipt(isDeduplicated: false) }
    let identity = RequestIdentity(
      tenant: tenancy.tenant, account: tenancy.account, door: "loki/push",
      idempotencyKey: request.headers["Idempotency-Key"], body: body,
      hasRecordWithoutTime: decoded.hasRecordWithoutTime)
    do throws(IngestError) {
      let receipt = try await ingestor.ingest(
        IngestRequest(topic: .logs, rows: decoded.batch, identity: identity))
      gate.count(decoded.excess, topic: .logs)
      return receipt
    } catch {
      throw LokiRefusal(error)
    }
  }

  private func tenancy(_ request: HTTPRequest) throws(LokiRefusal) -> Tenancy {
    do throws(Tenancy.Refused) {
      return try Tenancy(invalid: .reject) { request.headers[$0] }
    } catch {
      throw .badRequest(error.description)
    }
  }

  /// Protobuf unless the type says JSON, as Loki has it.
  private func encoding(_ request: HTTPRequest) throws(LokiRefusal) -> OTLPEncoding {
    guard let text = request.headers["Content-Type"], !text.isEmpty else { throw .badRequest("mime: no media type") }
    guard text.contains("/") else { return .protobuf }
    guard let type = MediaType(text) else { throw .badRequest("mime: invalid media parameter") }
    return type.name == "application/json" ? .json : .protobuf
  }
}
