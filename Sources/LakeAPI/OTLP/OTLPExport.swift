import LakeCompression
import LakeIngest
import LakeModel
import LakeOTLP
import LakePorts
import LakeWAL

/// One export request, from its headers to its answer in the request's own encoding.
struct OTLPExport: Sendable {
  let ports: Ports
  let ingestor: Ingestor
  let settings: OTLPHandler.Settings
  let gate: IngestGate
  let instruments: OTLPInstruments

  init(ports: Ports, ingestor: Ingestor, settings: OTLPHandler.Settings, gate: IngestGate?) {
    self.ports = ports
    self.gate = gate ?? IngestGate(ports: ports)
    self.ingestor = ingestor
    self.settings = settings
    instruments = OTLPInstruments(ports.metrics)
  }

  func handle(_ request: HTTPRequest, signal: OTLPSignal) async -> HTTPResponse {
    let began = ports.clock.now
    let response = await answer(request, signal: signal)
    instruments.countAnswer("\(response.status)", after: began.duration(to: ports.clock.now), signal, .http)
    return response
  }

  private func answer(_ request: HTTPRequest, signal: OTLPSignal) async -> HTTPResponse {
    guard let encoding = OTLPExport.encoding(request.headers["Content-Type"]) else {
      return .text(
        415, "415 unsupported media type, supported: [application/json, application/x-protobuf]", type: "text/plain")
    }
    do throws(OTLPRefusal) {
      let tenancy = try tenancy(request)
      let body = try body(request)
      instruments.countBytes(body.count, signal, .http)
      try admit(body, of: tenancy)
      let decoded = try decode(body, encoding: encoding, signal: signal, tenancy: tenancy)
      let receipt = try await store(decoded, signal: signal, request: request, body: body, tenancy: tenancy)
      return accepted(decoded, receipt, signal: signal, encoding: encoding)
    } catch {
      return refused(error, encoding: encoding)
    }
  }

  /// Protobuf when the header is absent, as the manual says; nil when it names something else.
  static func encoding(_ contentType: String?) -> OTLPEncoding? {
    guard let contentType else { return .protobuf }
    switch MediaType(contentType)?.name {
    case "application/x-protobuf": return .protobuf
    case "application/json": return .json
    default: return nil
    }
  }

  func tenancy(_ request: HTTPRequest) throws(OTLPRefusal) -> Tenancy {
    do throws(Tenancy.Refused) {
      return try Tenancy(invalid: settings.invalidTenant) { request.headers.joined($0) }
    } catch {
      throw OTLPRefusal(status: 400, message: error.description)
    }
  }

  /// What OpenTelemetry Collectors and SDKs can be told to send.
  private static let codings: [ContentEncoding] = [.gzip, .deflate, .zstd, .snappy, .snappyFramed, .lz4]

  private func body(_ request: HTTPRequest) throws(OTLPRefusal) -> Bytes {
    do throws(RequestBody.Refused) {
      return try RequestBody.decoded(request, limit: settings.bodyBytesMax, codings: OTLPExport.codings)
    } catch {
      switch error {
      case .unknownCoding(let name): throw OTLPRefusal(status: 400, message: "unsupported Content-Encoding: \(name)")
      case .malformed(let what): throw OTLPRefusal(status: 400, message: what)
      case .tooLarge(let limit):
        throw OTLPRefusal(status: 413, message: "the body has more than \(limit) bytes when decompressed")
      }
    }
  }

  /// Memory and rates: refused before any work is done.
  func admit(_ body: Bytes, of tenancy: Tenancy) throws(OTLPRefusal) {
    do throws(IngestError) {
      try gate.admit(tenancy.tenant, bytes: body.count)
    } catch {
      throw OTLPRefusal(error)
    }
  }

  func decode(_ body: Bytes, encoding: OTLPEncoding, signal: OTLPSignal, tenancy: Tenancy) throws(OTLPRefusal)
    -> DecodedRows
  {
    let context = DecodeContext(
      tenant: tenancy.tenant, account: tenancy.account, ingested: ports.wall.now, limits: settings.limits,
      recordLimits: gate.limits[tenancy.tenant].records, hashSeed: ports.random.next())
    do throws(OTLPError) {
      return try signal.decode(body, encoding: encoding, context: context)
    } catch {
      switch error {
      case .malformed: throw OTLPRefusal(status: 400, message: error.description)
      case .overLimit: throw OTLPRefusal(status: 413, message: error.description)
      }
    }
  }

  func store(
    _ decoded: DecodedRows, signal: OTLPSignal, request: HTTPRequest, body: Bytes, tenancy: Tenancy
  ) async throws(OTLPRefusal) -> IngestReceipt {
    do throws(IngestError) {
      try gate.accept(decoded, of: tenancy.tenant, topic: signal.topic)
    } catch {
      throw OTLPRefusal(error)
    }
    guard decoded.recordCount > 0 else {
      instruments.countRejections(decoded.rejections, signal)
      return IngestReceipt(isDeduplicated: false)
    }
    let identity = RequestIdentity(
      tenant: tenancy.tenant, account: tenancy.account, door: signal.door,
      idempotencyKey: request.headers["Idempotency-Key"], body: body,
      hasRecordWithoutTime: decoded.hasRecordWithoutTime)
    do throws(IngestError) {
      let receipt = try await ingestor.ingest(
        IngestRequest(topic: signal.topic, rows: decoded.batch, identity: identity))
      instruments.countRejections(decoded.rejections, signal)
      gate.count(decoded.excess, topic: signal.topic)
      return receipt
    } catch {
      throw OTLPRefusal(error)
    }
  }

  private func accepted(
    _ decoded: DecodedRows, _ receipt: IngestReceipt, signal: OTLPSignal, encoding: OTLPEncoding
  ) -> HTTPResponse {
    let body = ExportResponse.encode(
      signal, rejected: decoded.rejectedCount, message: decoded.rejectionReasons.joined(separator: "; "),
      encoding: encoding)
    var response = HTTPResponse.bytes(200, body, type: encoding.mediaType)
    if receipt.isDeduplicated { response.headers.set("X-IceGate-Deduplicated", "true") }
    return response
  }

  private func refused(_ refusal: OTLPRefusal, encoding: OTLPEncoding) -> HTTPResponse {
    let retry = refusal.isRetryable ? refusal.retryAfter ?? settings.retryAfter : nil
    let body = StatusResponse.encode(
      code: refusal.rpcCode, message: refusal.message, retryDelay: retry, encoding: encoding)
    var response = HTTPResponse.bytes(refusal.status, body, type: encoding.mediaType)
    if let retry { response.headers.set("Retry-After", retry.inWholeSeconds) }
    return response
  }
}

/// Why an export is not acknowledged, as HTTP and as gRPC say it.
struct OTLPRefusal: Error, Sendable {
  let status: Int
  /// Safe to show: nothing of the server's insides.
  let message: String
  /// When a repeat may be let in, if that is known.
  var retryAfter: Duration?

  init(status: Int, message: String) {
    self.status = status
    self.message = message
  }

  init(_ error: IngestError) {
    switch error {
    case .tooLarge(let bytes, let limit):
      self.init(status: 413, message: "the request's rows take \(bytes) bytes, more than the \(limit) of one segment")
    case .queueFull: self.init(status: 503, message: "too many requests are waiting to be written")
    case .notAcknowledged: self.init(status: 503, message: "the rows could not be made durable in time")
    case .shortOfMemory: self.init(status: 503, message: "the server is short of memory")
    case .rateLimited(let wait):
      self.init(status: 429, message: "the tenant has sent more than its rate allows")
      retryAfter = wait
    case .manyDays(let limit): self.init(status: 413, message: "the records lie in more than \(limit) days")
    case .draining: self.init(status: 503, message: "the server is shutting down")
    case .keyReused: self.init(status: 422, message: "this Idempotency-Key came with another body before")
    case .unfit: self.init(status: 500, message: "internal error")
    }
  }

  var isRetryable: Bool { status == 503 || status == 429 }

  /// `google.rpc.Code`
  var rpcCode: Int {
    switch status {
    case 413, 429: 8
    case 503: 14
    case 500: 13
    default: 3
    }
  }
}

extension OTLPEncoding {
  var mediaType: String {
    switch self {
    case .protobuf: "application/x-protobuf"
    case .json: "application/json"
    }
  }
}

extension Duration {
  /// As `Retry-After` wants it: rounded up, at least one.
  var inWholeSeconds: String {
    let (seconds, rest) = components
    return String(max(1, seconds + (rest > 0 ? 1 : 0)))
  }
}
