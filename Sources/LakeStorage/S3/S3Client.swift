import LakeModel
package import LakeNet
package import LakePorts

/// Signed requests to one bucket, repeated where a repeat does no harm.
package struct S3Client: Sendable {
  package let settings: S3Settings
  let transport: any HTTPTransport
  let credentials: any CredentialSource
  let clock: any LakeClock
  let wall: any WallClock
  let random: any Randomness
  let budget: RetryBudget
  let quirks = S3Quirks()
  let instruments: S3Instruments?

  package init(
    settings: S3Settings, transport: any HTTPTransport, credentials: any CredentialSource, clock: any LakeClock,
    wall: any WallClock, random: any Randomness, budget: RetryBudget? = nil,
    instruments: S3Instruments? = nil
  ) {
    self.instruments = instruments
    self.settings = settings
    self.transport = transport
    self.credentials = credentials
    self.clock = clock
    self.wall = wall
    self.random = random
    self.budget = budget ?? RetryBudget(settings.retryBudget)
  }

  struct Call: Sendable {
    var method: String
    /// Below the settings' prefix; nil: the bucket itself.
    var key: String?
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body: Bytes?
    /// What a listing asks for: where in the bucket credentials must reach.
    var listed = ""
    /// Whether carrying it out twice is the same as once. Conditional writes are not: a lost success would read as a refusal.
    var isRepeatable: Bool
  }

  /// How a call went wrong, before it is known what that means for the caller.
  enum Failure: Error {
    case transport(TransportError)
    case answer(HTTPAnswer)
    case credentials(CredentialError)
    case cancelled
  }

  /// The answer, of any status below 300, or 304/404/409/412/416 as they come; others after the last repeat as `.answer`.
  func send(_ call: Call) async throws(Failure) -> HTTPAnswer {
    var delay = settings.backoffBase
    var attempt = 1
    while true {
      let failure: Failure
      do throws(Failure) {
        let answer = try await once(call, attempt)
        if answer.status < 500 && answer.status != 429 {
          budget.earn()
          if answer.status < 300 { return answer }
          throw .answer(answer)
        }
        throw .answer(answer)
      } catch { failure = error }
      guard mayRepeat(call, failure), attempt < settings.attemptsMax, budget.spend() else { throw failure }
      attempt += 1
      delay = nextDelay(delay)
      do { try await clock.sleep(for: delay) } catch { throw .cancelled }
    }
  }

  /// The name in the bucket of what keys of ours call `key`.
  func name(ofKey key: String) -> String { settings.prefix + key.utf8.dropFirst(settings.mount.utf8.count).text }

  /// Decorrelated jitter: between the base and three times the last one.
  private func nextDelay(_ last: Duration) -> Duration {
    let low = settings.backoffBase.nanoseconds
    let high = max(low + 1, min(settings.backoffMax.nanoseconds, last.nanoseconds &* 3))
    return .nanoseconds(Int64(random.uniform(Int(low)..<Int(high))))
  }

  private func mayRepeat(_ call: Call, _ failure: Failure) -> Bool {
    switch failure {
    case .cancelled, .credentials, .transport(.cancelled), .transport(.tooLarge): false
    case .transport(.notSent): true
    case .transport: call.isRepeatable
    case .answer(let answer): (answer.status >= 500 || answer.status == 429) && call.isRepeatable
    }
  }

  private func once(_ call: Call, _ attempt: Int) async throws(Failure) -> HTTPAnswer {
    let signed = try await signed(call)
    let needsBody = call.method == "PUT" || call.method == "POST"
    let stall = settings.stallTimeout(reading: call.method == "GET" || call.method == "HEAD", attempt: attempt)
    let start = clock.now
    do throws(TransportError) {
      let answer = try await transport.send(
        HTTPExchange(
          method: call.method, url: signed.url, headers: signed.headers,
          body: call.body ?? (needsBody ? Bytes() : nil), timeout: settings.requestTimeout, stallTimeout: stall))
      instruments?.note(call, answer, start.duration(to: clock.now))
      return answer
    } catch {
      if error != .cancelled { instruments?.note(call, nil, start.duration(to: clock.now)) }
      throw error == .cancelled ? .cancelled : .transport(error)
    }
  }

  /// With the keys for what it is about, or by whoever signs in their place.
  private func signed(_ call: Call) async throws(Failure) -> SignedRequest {
    let name = call.key.map(name(ofKey:))
    let resource = "s3://\(settings.bucket)/\(name ?? call.listed)"
    let (scheme, host, basePath) = settings.base
    var path = basePath
    if let name { path += "/" + PercentEncoding.encode(name, keepsSlash: true) }
    if path.isEmpty { path = "/" }
    let query = call.query.isEmpty ? "" : "?" + SignatureV4.canonicalQuery(call.query)
    let url = "\(scheme)://\(host)\(path)\(query)"
    let payload: SignatureV4.Payload =
      settings.leavesPayloadUnsigned && scheme == "https" ? .unsigned : .signed(call.body ?? Bytes())
    do throws(CredentialError) {
      if let signer = credentials.signer(for: resource) {
        return try await signer.sign(
          UnsignedRequest(
            method: call.method, url: url, region: settings.region,
            headers: call.headers + [("Host", host), ("x-amz-content-sha256", payload.hash)],
            // What it deletes stands in the body alone.
            body: call.method == "POST" && call.key == nil ? call.body : nil))
      }
      let signer = SignatureV4(
        credentials: try await credentials.credentials(for: resource), region: settings.region, service: "s3")
      let own = signer.headers(
        method: call.method, host: host, path: path, query: call.query, headers: call.headers, payload: payload,
        at: wall.now)
      return SignedRequest(url: url, headers: call.headers + own)
    } catch {
      throw error.isPassing ? .transport(.notSent(error.description)) : .credentials(error)
    }
  }
}

extension S3Client.Failure {
  /// What it means for a call that changes nothing, or that was certainly not carried out.
  func certain(_ key: ObjectKey) -> ObjectStoreError {
    switch self {
    case .cancelled: return .cancelled
    case .credentials(let error): return .denied(error.description)
    case .transport(let error): return error == .cancelled ? .cancelled : .unavailable("\(error)")
    case .answer(let answer):
      let text = S3Client.Failure.text(answer)
      switch answer.status {
      case 404 where text.contains("NoSuchBucket"): return .denied(text)
      case 404: return .notFound(key)
      case 412, 304: return .preconditionFailed(key)
      case 301, 307, 400, 401, 403, 405: return .denied(text)
      case 429, 503: return .throttled(text)
      default: return .unavailable(text)
      }
    }
  }

  /// What it means for a write: all that is not a clear refusal leaves the outcome unknown (PRT-1).
  func ofWrite(_ key: ObjectKey) -> ObjectStoreError {
    switch self {
    case .transport(.notSent), .cancelled, .credentials: return certain(key)
    case .transport(let error): return .outcomeUnknown(key, "\(error)")
    case .answer(let answer):
      switch answer.status {
      case 400, 401, 403, 404, 405, 411, 412, 429: return certain(key)
      case 301, 307: return certain(key)
      default: return .outcomeUnknown(key, S3Client.Failure.text(answer))
      }
    }
  }

  /// `403 AccessDenied: ...`, and where the bucket really is when AWS says so.
  static func text(_ answer: HTTPAnswer) -> String {
    let document = XMLDocument(answer.body)
    let code = document.first("Code") ?? ""
    let message = document.first("Message") ?? ""
    if let region = answer.header("x-amz-bucket-region") ?? document.first("Region"),
      answer.status == 301 || answer.status == 307 || answer.status == 400
    {
      return "\(answer.status) \(code): the bucket lies in region \(region); set storage.backend.region to it"
    }
    return "\(answer.status) \(code): \(message)"
  }
}

extension S3Client {
  /// Makes the bucket; for tests and `icegate dev` against an empty store.
  package func createBucket() async throws(ObjectStoreError) {
    do throws(Failure) {
      _ = try await send(Call(method: "PUT", isRepeatable: true))
    } catch {
      throw error.ofWrite(ObjectKey(trusted: settings.bucket))
    }
  }
}

extension Substring.UTF8View {
  var text: String { String(decoding: self, as: UTF8.self) }
}
