package import LakeIngest
import LakeModel
package import LakeOTLP
package import LakePorts
package import LakeQuery

/// The Loki port (3100).
package struct LokiHandler: HTTPHandler {
  private let router: Router
  private let admission: QueryAdmission
  private let deadline: QueryDeadline
  private let clock: any LakeClock
  private let instruments: LokiInstruments

  package struct Settings: Sendable {
    /// Bytes of a decompressed push; beyond: 413.
    package var bodyBytesMax = 64 << 20
    package var limits = DecodeLimits()
    /// What `status/buildinfo` names as the revision.
    package var revision = "icegate"
    /// Text of `GET /config`.
    package var configuration = ""
    /// Queries of all tenants that run at once, of one tenant that wait, and tails of one tenant.
    package var queriesMax = 8
    package var queriesWaitingMax = 100
    package var tailsMax = 10
    /// How often a tail looks for new rows, and how long it may go on.
    package var tailInterval = Duration.milliseconds(500)
    package var tailDurationMax = Duration.seconds(3600)

    package init() {}
  }

  /// What of the server stands behind the port.
  package struct Services: Sendable {
    package var query: LogQueryEngine
    /// nil: this process takes nothing in, and there is no push.
    package var ingestor: Ingestor?
    /// What the doors of the process share; nil: nobody is limited.
    package var gate: IngestGate?
    /// Brings everything acknowledged into the table; nil: no `POST /flush`.
    package var flush: (@Sendable () async throws -> Void)?
    /// Whether requests can be answered now.
    package var isReady: @Sendable () -> Bool

    package init(
      query: LogQueryEngine, ingestor: Ingestor? = nil, flush: (@Sendable () async throws -> Void)? = nil,
      isReady: @escaping @Sendable () -> Bool = { true }
    ) {
      self.query = query
      self.ingestor = ingestor
      self.flush = flush
      self.isReady = isReady
    }
  }

  package init(ports: Ports, services: Services, settings: Settings = Settings()) {
    var router = Router { status, _ in
      LokiRefusal(status, status == 404 ? "404 page not found" : "405 method not allowed").response
    }
    let admission = QueryAdmission(
      runningMax: settings.queriesMax, waitingMax: settings.queriesWaitingMax, tailsMax: settings.tailsMax)
    let instruments = LokiInstruments(ports.metrics)
    LokiQueryRoutes(ports: ports, engine: services.query).register(in: &router)
    LokiLabelRoutes(ports: ports, engine: services.query).register(in: &router)
    LokiLegacyRoutes(ports: ports, engine: services.query).register(in: &router)
    LokiPatternRoutes(ports: ports, engine: services.query).register(in: &router)
    LokiDetectionRoutes(ports: ports, engine: services.query).register(in: &router)
    let tail = LokiTail(
      ports: ports, engine: services.query, settings: settings, admission: admission, open: instruments.tails)
    for path in LokiHandler.tailPaths { router.get(path) { request, _ in await tail.handle(request) } }
    LokiRulerRoutes().register(in: &router)
    LokiStatusRoutes(ports: ports, services: services, settings: settings).register(in: &router)
    if let ingestor = services.ingestor {
      let push = LokiPush(
        ports: ports, ingestor: ingestor, settings: settings, gate: services.gate ?? IngestGate(ports: ports))
      for path in LokiHandler.pushPaths {
        router.post(path) { request, _ in await push.handle(request) }
      }
      let export = LokiOTLPDoor(ports: ports, ingestor: ingestor, settings: settings, gate: services.gate)
      router.post(LokiOTLPDoor.path) { request, _ in await export.handle(request) }
    }
    self.router = router
    self.admission = admission
    self.instruments = instruments
    clock = ports.clock
    deadline = QueryDeadline(limit: services.query.settings.timeout, clock: ports.clock)
  }

  /// What the server refuses by itself, in this port's form.
  package static func rejection(status: Int, message: String) -> HTTPResponse {
    LokiRefusal(status, message).response
  }

  private static let tailPaths = ["/loki/api/v1/tail", "/api/prom/tail"]
  private static let pushPaths = ["/loki/api/v1/push", LokiPush.legacyPath]

  /// Reads wait for their tenant's turn.
  package func handle(_ request: HTTPRequest) async -> HTTPResponse {
    guard LokiHandler.isRead(request.path),
      let tenancy = try? Tenancy(invalid: .reject, header: { request.headers[$0] })
    else { return await router.handle(request) }
    let received = clock.now
    var queued = Duration.zero
    let response: HTTPResponse
    do {
      response = try await admission.run(tenancy.tenant) {
        let waited = received.duration(to: clock.now)
        queued = waited
        return await deadline.run { [router] in
          let answer = await LokiRequestContext.$queued.withValue(waited) { await router.handle(request) }
          return ResponseCoding.applied(to: answer, for: request)
        } ?? LokiRefusal(QueryError.timeout(deadline.limit)).response
      }
    } catch is QueryAdmission.TooMany {
      response = LokiRefusal(429, "too many outstanding requests").response
    } catch {
      response = LokiRefusal(QueryError.cancelled).response
    }
    instruments.countRead(
      request.path, response.status, queued: queued, elapsed: received.duration(to: clock.now))
    return response
  }

  private static func isRead(_ path: String) -> Bool {
    (path.hasPrefix(LokiInstruments.prefix) || path.hasPrefix(LokiLegacyRoutes.prefix)) && !pushPaths.contains(path)
      && !tailPaths.contains(path) && !path.hasPrefix(statusPrefix) && !namesRules(path)
  }

  private static let statusPrefix = LokiInstruments.prefix + "status/"

  /// Whether a segment of the path begins with `rules`.
  private static func namesRules(_ path: String) -> Bool {
    var matched = 0
    let wanted: StaticString = "/rules"
    for byte in path.utf8 {
      if byte == wanted.utf8Start[matched] {
        matched += 1
        if matched == wanted.utf8CodeUnitCount { return true }
      } else {
        // The slash stands only at the beginning of what is wanted.
        matched = byte == wanted.utf8Start[0] ? 1 : 0
      }
    }
    return false
  }
}

extension Router {
  /// A route that a GET or a form POST asks, as all of Loki's reads are.
  mutating func read(
    _ path: String, _ body: @escaping @Sendable (HTTPRequest, RouteArguments) async throws(LokiRefusal) -> HTTPResponse
  ) {
    on(["GET", "POST"], path) { request, arguments in
      do throws(LokiRefusal) { return try await body(request, arguments) } catch { return error.response }
    }
  }
}

/// What every read begins with.
struct LokiRead: Sendable {
  let tenant: TenantID
  let parameters: LokiParameters

  init(_ request: HTTPRequest, _ ports: Ports) throws(LokiRefusal) {
    do throws(Tenancy.Refused) {
      tenant = try Tenancy(invalid: .reject) { request.headers[$0] }.tenant
    } catch {
      throw .badRequest(error.description)
    }
    parameters = try LokiParameters(request, now: ports.wall.now)
  }
}
