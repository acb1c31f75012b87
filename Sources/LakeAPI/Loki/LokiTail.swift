import LakeJSON
import LakeModel
import LakePorts
import LakeQuery

/// `tail`: a log query that goes on over a WebSocket.
struct LokiTail: Sendable {
  let ports: Ports
  let engine: LogQueryEngine
  let settings: LokiHandler.Settings
  let admission: QueryAdmission
  let open: Gauge

  /// Seconds; as in Loki.
  static let delayMax: Int64 = 5

  private struct Wanted: Sendable {
    let tail: LogTail
    let tenant: TenantID
    let delay: Duration
    let isCategorized: Bool
  }

  func handle(_ request: HTTPRequest) async -> HTTPResponse {
    do throws(LokiRefusal) {
      let wanted = try wanted(request)
      let accept: String
      do throws(WebSocketHandshake.Refused) { accept = try WebSocketHandshake.accept(request) } catch {
        throw LokiRefusal(error.status, error.message)
      }
      // A connection that is gone before the upgrade never comes to its end, so it is counted from there on.
      guard admission.tails.hasRoom(wanted.tenant) else { throw .badRequest(tooMany) }
      return HTTPResponse(
        status: 101, headers: ["Upgrade": "websocket", "Sec-WebSocket-Accept": accept],
        body: .upgrade { connection in await converse(wanted, connection) })
    } catch {
      var response = error.response
      if error.status == 426 { response.headers.set("Sec-WebSocket-Version", "13") }
      return response
    }
  }

  private var tooMany: String {
    let limit = admission.tails.countMax
    return "max concurrent tail requests limit exceeded, count > limit (\(limit + 1) > \(limit))"
  }

  private func converse(_ wanted: Wanted, _ connection: any UpgradedConnection) async {
    let conversation = WebSocketConversation(connection, clock: ports.clock)
    guard admission.tails.enter(wanted.tenant) else {
      return await conversation.run { _ in WebSocketClose(WebSocketClose.internalError, tooMany) }
    }
    open.add(1)
    await conversation.run { try await follow(wanted, $0) }
    open.add(-1)
    admission.tails.leave(wanted.tenant)
  }

  private func wanted(_ request: HTTPRequest) throws(LokiRefusal) -> Wanted {
    let read = try LokiRead(request, ports)
    let limit = try read.parameters.limit()
    let bounds = try read.parameters.bounds()
    var delay: Int64 = 0
    if let text = read.parameters["delay_for"] {
      switch LokiTime.integer(text, function: "ParseInt") {
      case .failure(let problem): throw .badRequest(problem.message)
      case .success(let seconds): delay = seconds
      }
    }
    if delay > LokiTail.delayMax { throw .badRequest("delay_for can't be greater than \(LokiTail.delayMax)") }
    let isCategorized = LokiQueryRoutes.isCategorized(request)
    do throws(QueryError) {
      let tail = try LogTail(
        engine: engine,
        request: LogTailRequest(
          tenant: read.tenant, query: read.parameters.query, start: bounds.start, history: limit,
          isCategorized: isCategorized))
      return Wanted(tail: tail, tenant: read.tenant, delay: .seconds(max(0, delay)), isCategorized: isCategorized)
    } catch {
      throw LokiRefusal(error)
    }
  }

  // MARK: - Following

  /// How often a store that cannot answer is asked again before the tail gives up.
  private static let attemptsMax = 10

  private func follow(_ wanted: Wanted, _ sender: WebSocketSender) async throws -> WebSocketClose {
    let end = ports.clock.now.advanced(by: settings.tailDurationMax)
    var delayed = TailDelay(wanted.delay)
    var failures = 0
    while ports.clock.now < end {
      var hasMore = false
      do throws(QueryError) {
        let step = try await wanted.tail.next()
        failures = 0
        hasMore = step.hasMore
        delayed.add(step.streams, at: ports.clock.now)
      } catch {
        if Task.isCancelled { throw error }
        failures += 1
        guard case .unavailable = error, failures < LokiTail.attemptsMax else {
          return WebSocketClose(WebSocketClose.internalError, LokiRefusal(error).message)
        }
      }
      let due = delayed.take(at: ports.clock.now)
      if !due.isEmpty {
        try await sender.send(text: LokiResultWriter.writeTail(due, isCategorized: wanted.isCategorized))
      }
      if !hasMore { try await ports.clock.sleep(for: settings.tailInterval) }
    }
    return WebSocketClose(WebSocketClose.normal, "reached tail max duration limit")
  }
}

/// Holds entries back for a while, so that what comes late still goes out in order.
struct TailDelay {
  private let delay: Duration
  private var waiting: [(arrived: ClockInstant, streams: [LogStream])] = []

  init(_ delay: Duration) { self.delay = delay }

  mutating func add(_ streams: [LogStream], at now: ClockInstant) {
    if !streams.isEmpty { waiting.append((now, streams)) }
  }

  /// What has waited long enough, one stream for each set of labels.
  mutating func take(at now: ClockInstant) -> [LogStream] {
    let count = waiting.prefix { $0.arrived.advanced(by: delay) <= now }.count
    if count == 0 { return [] }
    let due = waiting.prefix(count).flatMap(\.streams)
    waiting.removeFirst(count)
    return count == 1 ? due : LogStream.merged(due)
  }
}
