import LakeHash
import LakeIceberg
import LakeModel
import LakeNet
import LakePorts

/// Requests to a REST catalog: the agreement, the token, what may be repeated and what a lost reply means.
actor RESTCatalogClient {
  nonisolated let settings: RESTCatalogSettings
  private nonisolated let transport: any HTTPTransport
  private nonisolated let authorization: RESTAuthorization
  /// For servers that want AWS's signatures.
  private nonisolated let credentials: (any CredentialSource)?
  private nonisolated let clock: any LakeClock
  private nonisolated let wall: any WallClock
  private nonisolated let random: any Randomness
  private var agreed: RESTAgreement?

  init(
    settings: RESTCatalogSettings, transport: any HTTPTransport, credentials: (any CredentialSource)?,
    clock: any LakeClock, wall: any WallClock, random: any Randomness
  ) {
    self.settings = settings
    self.transport = transport
    self.credentials = credentials
    self.clock = clock
    self.wall = wall
    self.random = random
    authorization = RESTAuthorization(settings: settings, transport: transport, clock: clock)
  }

  struct Call: Sendable {
    var method: String
    /// Below `/v1/{prefix}`, encoded.
    var path: String
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: Bytes?
    /// In place of the path, for what the server sends elsewhere.
    var absolute: String?
    /// A POST that changes nothing.
    var isQuestion = false

    /// Whether it may be sent again whatever became of it.
    var isReading: Bool { method == "GET" || method == "HEAD" || isQuestion }
  }

  /// Asked once; what the server says then holds for this life.
  func agreement() async throws(CatalogError) -> RESTAgreement {
    if let agreed { return agreed }
    var call = Call(method: "GET", path: "/v1/config")
    if !settings.warehouse.isEmpty { call.query = [("warehouse", settings.warehouse)] }
    let plain = RESTAgreement(uri: settings.uri, properties: settings.properties, keepsIdempotency: false)
    let answer = try await repeated(call, plain, key: nil)
    guard answer.status == 200 else { throw RESTCatalogClient.refusal(answer, of: "GET /v1/config") }
    let config: RESTConfig
    do { config = try RESTConfig(answer.body) } catch { throw .corrupt("/v1/config: \(error)") }
    var properties = config.defaults.merging(settings.properties) { $1 }
    properties.merge(config.overrides) { $1 }
    var uri = properties["uri"] ?? settings.uri
    while uri.hasSuffix("/") { uri.removeLast() }
    let found = RESTAgreement(
      uri: uri, properties: properties, keepsIdempotency: config.idempotencyKeyLifetime != nil,
      endpoints: Set(config.endpoints ?? []))
    agreed = found
    return found
  }

  /// - Returns: the answer, of any status but those that mean the outcome is unknown or nothing was done.
  /// - Throws: `.unavailable` when it was certainly not carried out; `.outcomeUnknown` of changes that may stand.
  func send(_ call: Call) async throws(CatalogError) -> HTTPAnswer {
    let agreement = try await agreement()
    var call = call
    call.path = "/v1\(agreement.prefix)\(call.path)"
    let key = !call.isReading && agreement.keepsIdempotency ? versionSevenUUID() : nil
    return try await repeated(call, agreement, key: key)
  }

  /// - Parameter key: with one, the server makes a change once however often it is sent.
  private func repeated(_ call: Call, _ agreement: RESTAgreement, key: String?) async throws(CatalogError) -> HTTPAnswer
  {
    var attempt = 1
    var delay = settings.backoffBase
    var isUnknown = false
    var refused: String?
    while true {
      let failure: CatalogError
      do throws(Attempt) {
        let (answer, token) = try await once(call, agreement, key: key, refused: refused)
        if (answer.status == 401 || answer.status == 419), refused == nil, token != nil {
          refused = token  // once: a token may expire early
          continue
        }
        return answer
      } catch {
        switch error {
        case .final(let error): throw error
        case .notDone(let why): failure = .unavailable(why)
        case .unknown(let why):
          if !call.isReading { isUnknown = true }
          failure = call.isReading ? .unavailable(why) : .outcomeUnknown(why)
        }
      }
      let mayRepeat = call.isReading || key != nil || !isUnknown
      guard mayRepeat, attempt < settings.attemptsMax else {
        if isUnknown, case .unavailable(let why) = failure { throw .outcomeUnknown(why) }
        throw failure
      }
      attempt += 1
      let low = settings.backoffBase.nanoseconds
      let high = max(low + 1, min(settings.backoffMax.nanoseconds, delay.nanoseconds &* 3))
      delay = .nanoseconds(Int64(random.uniform(Int(low)..<Int(high))))
      do { try await clock.sleep(for: delay) } catch { throw isUnknown ? .outcomeUnknown("cancelled") : .cancelled }
    }
  }

  /// How one attempt went wrong.
  private enum Attempt: Error {
    case notDone(String)
    case unknown(String)
    case final(CatalogError)
  }

  private func once(_ call: Call, _ agreement: RESTAgreement, key: String?, refused: String?) async throws(Attempt) -> (
    HTTPAnswer, String?
  ) {
    var headers = call.headers
    if call.body != nil { headers.append(("Content-Type", "application/json")) }
    if let key { headers.append(("Idempotency-Key", key)) }
    for (name, value) in agreement.properties.sorted(by: { $0.key < $1.key }) where name.hasPrefix("header.") {
      headers.append((String(name.dropFirst("header.".count)), value))
    }
    let token: String?
    do { token = try await authorization.bearer(refused: refused) } catch { throw .final(error) }
    if agreement.properties["rest.sigv4-enabled"] == "true" {
      headers += try await signature(call, agreement, headers)
    } else if let token {
      headers.append(("Authorization", "Bearer \(token)"))
    }
    let query = call.query.isEmpty ? "" : "?" + SignatureV4.canonicalQuery(call.query)
    let answer: HTTPAnswer
    do throws(TransportError) {
      answer = try await transport.send(
        HTTPExchange(
          method: call.method, url: call.absolute ?? agreement.uri + call.path + query, headers: headers,
          body: call.body ?? (call.method == "POST" ? Bytes() : nil), timeout: settings.requestTimeout))
    } catch {
      switch error {
      case .cancelled: throw .final(call.isReading ? .cancelled : .outcomeUnknown("cancelled"))
      case .notSent(let why): throw .notDone(why)
      case .broken(let why), .timedOut(let why): throw .unknown(why)
      case .tooLarge(let why): throw call.isReading ? .final(.corrupt(why)) : .unknown(why)
      }
    }
    switch answer.status {
    case 429: throw .notDone("\(call.method) \(call.path) answered 429")
    case 500...599: throw .unknown("\(call.method) \(call.path) answered \(answer.status)")
    default: return (answer, token)
    }
  }

  private func signature(_ call: Call, _ agreement: RESTAgreement, _ headers: [(name: String, value: String)])
    async throws(Attempt) -> [(name: String, value: String)]
  {
    guard let credentials, let mark = agreement.uri.firstRange(of: "://") else {
      throw .final(.denied("there are no AWS credentials to sign with"))
    }
    let rest = agreement.uri[mark.upperBound...]
    let host = String(rest.prefix { $0 != "/" })
    let keys: AWSCredentials
    do { keys = try await credentials.credentials(for: agreement.uri) } catch {
      throw .final(.denied(error.description))
    }
    let signer = SignatureV4(
      credentials: keys, region: agreement.properties["rest.signing-region"] ?? "us-east-1",
      service: agreement.properties["rest.signing-name"] ?? "execute-api")
    return signer.headers(
      method: call.method, host: host, path: String(rest.dropFirst(host.count)) + call.path, query: call.query,
      payload: .signed(call.body ?? Bytes()), at: wall.now)
  }

  /// Ordered by time, as the protocol asks of idempotency keys.
  private func versionSevenUUID() -> String {
    let milliseconds = wall.now.nanoseconds / 1_000_000
    let high = milliseconds << 16 | 0x7000 | random.next() & 0x0FFF
    let low = (random.next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
    let (a, b) = (Hex.text(high), Hex.text(low))
    return "\(a.prefix(8))-\(a.dropFirst(8).prefix(4))-\(a.suffix(4))-\(b.prefix(4))-\(b.suffix(12))"
  }

  /// What a refusal means that is the same for every request.
  static func refusal(_ answer: HTTPAnswer, of what: String) -> CatalogError {
    let error = RESTError(answer.body, status: answer.status)
    let text = "\(what) answered \(answer.status) \(error.type): \(error.message)"
    switch answer.status {
    case 400, 406, 422: return .invalid(text)
    case 401, 403, 419: return .denied(text)
    default: return .denied(text)
    }
  }
}
