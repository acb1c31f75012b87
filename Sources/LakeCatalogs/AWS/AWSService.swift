import LakeJSON
import LakeModel
package import LakeNet
package import LakePorts

/// Signed requests to one of AWS's services, repeated where that does no harm.
package struct AWSService: Sendable {
  package struct Settings: Sendable {
    package var region: String
    /// nil: AWS's own for the region.
    package var endpoint: String?
    package var requestTimeout = Duration.seconds(30)
    package var attemptsMax = 5
    package var backoffBase = Duration.milliseconds(100)
    package var backoffMax = Duration.seconds(5)

    package init(region: String, endpoint: String? = nil) {
      self.region = region
      self.endpoint = endpoint
    }
  }

  /// `glue`, `s3tables`.
  let name: String
  let settings: Settings
  let transport: any HTTPTransport
  let credentials: any CredentialSource
  let clock: any LakeClock
  let wall: any WallClock
  let random: any Randomness

  package init(
    name: String, settings: Settings, transport: any HTTPTransport, credentials: any CredentialSource,
    clock: any LakeClock, wall: any WallClock, random: any Randomness
  ) {
    self.name = name
    self.settings = settings
    self.transport = transport
    self.credentials = credentials
    self.clock = clock
    self.wall = wall
    self.random = random
  }

  struct Call: Sendable {
    var method: String
    /// Encoded once.
    var path = "/"
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body = Bytes()
    /// Whether twice is the same as once.
    var isRepeatable: Bool
  }

  enum Failure: Error, Sendable {
    /// The service's answer, which says why not.
    case refused(status: Int, type: String, message: String)
    /// Certainly not carried out.
    case notDone(String)
    /// May stand, or may yet.
    case unknown(String)
    case cancelled
    case denied(String)
  }

  /// - Returns: the body of a good answer.
  func send(_ call: Call) async throws(Failure) -> Bytes {
    var attempt = 1
    var delay = settings.backoffBase
    while true {
      let failure: Failure
      do throws(Failure) { return try await once(call) } catch { failure = error }
      switch failure {
      case .notDone: break
      case .unknown where call.isRepeatable: break
      default: throw failure
      }
      guard attempt < settings.attemptsMax else { throw failure }
      attempt += 1
      let low = settings.backoffBase.nanoseconds
      let high = max(low + 1, min(settings.backoffMax.nanoseconds, delay.nanoseconds &* 3))
      delay = .nanoseconds(Int64(random.uniform(Int(low)..<Int(high))))
      do { try await clock.sleep(for: delay) } catch { throw .cancelled }
    }
  }

  private func once(_ call: Call) async throws(Failure) -> Bytes {
    let keys: AWSCredentials
    let base = settings.endpoint ?? "https://\(name).\(settings.region).amazonaws.com"
    do { keys = try await credentials.credentials(for: base) } catch { throw .denied(error.description) }
    guard let mark = base.firstRange(of: "://") else { throw .denied("\(base) is no URL") }
    let host = String(base[mark.upperBound...].prefix { $0 != "/" })
    let signed = SignatureV4(credentials: keys, region: settings.region, service: name).headers(
      method: call.method, host: host, path: call.path, query: call.query, headers: call.headers,
      payload: .signed(call.body), at: wall.now)
    let query = call.query.isEmpty ? "" : "?" + SignatureV4.canonicalQuery(call.query)
    let hasBody = call.method == "POST" || call.method == "PUT"
    let answer: HTTPAnswer
    do throws(TransportError) {
      answer = try await transport.send(
        HTTPExchange(
          method: call.method, url: "\(base[..<mark.lowerBound])://\(host)\(call.path)\(query)",
          headers: call.headers + signed, body: hasBody ? call.body : nil, timeout: settings.requestTimeout))
    } catch {
      switch error {
      case .notSent(let why): throw .notDone(why)
      case .cancelled: throw call.isRepeatable ? .cancelled : .unknown("cancelled")
      case .broken(let why), .timedOut(let why), .tooLarge(let why): throw .unknown(why)
      }
    }
    if answer.status < 300 { return answer.body }
    let root = (try? JSONDocument(answer.body))?.root
    // `com.amazonaws.glue#EntityNotFoundException`, `ConflictException:http://...`
    let type = answer.header("x-amzn-errortype") ?? root?["__type"]?.string ?? root?["code"]?.string ?? ""
    let plain = String((type.split(separator: "#").last ?? "").prefix { $0 != ":" })
    let message = root?["message"]?.string ?? root?["Message"]?.string ?? ""
    if answer.status == 429 || plain.contains("Throttl") || plain == "TooManyRequestsException" {
      throw .notDone("\(name) answered \(answer.status) \(plain)")
    }
    if answer.status >= 500 { throw .unknown("\(name) answered \(answer.status) \(plain): \(message)") }
    throw .refused(status: answer.status, type: plain, message: message)
  }
}

extension AWSService.Failure {
  /// For what the caller has no meaning of its own for.
  /// - Parameter isReading: nothing was to be changed.
  func catalogError(isReading: Bool) -> CatalogError {
    switch self {
    case .refused(let status, let type, let message):
      let text = "\(status) \(type): \(message)"
      return status == 400
        && (type == "InvalidInputException" || type == "ValidationException" || type == "BadRequestException")
        ? .invalid(text) : .denied(text)
    case .notDone(let why): return .unavailable(why)
    case .unknown(let why): return isReading ? .unavailable(why) : .outcomeUnknown(why)
    case .cancelled: return .cancelled
    case .denied(let why): return .denied(why)
    }
  }

  func isType(_ name: String) -> Bool {
    if case .refused(_, let type, _) = self { return type == name }
    return false
  }

  func isStatus(_ wanted: Int) -> Bool {
    if case .refused(let status, _, _) = self { return status == wanted }
    return false
  }
}

extension TablePointers {
  /// A swap by a service that compares a version: sent again while its fate is unknown, which is safe because a version
  /// that was passed never comes back.
  func settled(
    _ table: TableIdentifier, from old: TablePointer, to location: String,
    _ attempt: () async throws(AWSService.Failure) -> Void, isLost: (AWSService.Failure) -> Bool
  ) async throws(CatalogError) -> SwapOutcome {
    var isUnknown = false
    for _ in 0..<4 {
      do throws(AWSService.Failure) {
        try await attempt()
        return .swapped
      } catch {
        if isLost(error) {
          guard let now = try await pointer(of: table) else {
            if isUnknown { throw .outcomeUnknown("\(table) was dropped or renamed while its commit was under way") }
            return .lost
          }
          if now.location == location { return .swapped }
          return isUnknown ? .movedOn(now.location) : .lost
        }
        if case .unknown = error {
          isUnknown = true
          continue
        }
        let failure = error.catalogError(isReading: false)
        throw isUnknown ? .outcomeUnknown("\(table): \(failure)") : failure
      }
    }
    throw .outcomeUnknown("\(table): the catalog does not answer")
  }
}
