import LakeAPI
import LakeModel

/// HTTP/1.1 on one connection: carries out what `HTTP1Machine` decides, runs the handler, writes responses.
///
/// `@unchecked Sendable`: used on the thread of the connection's loop only; the tasks that hold it run there.
final class HTTP1Session: ConnectionSession, @unchecked Sendable {
  private let connection: Connection
  private let server: HTTPServer
  private let loop: EventLoop
  private var machine: HTTP1Machine
  /// Received and not consumed: the beginning of a line, or requests sent ahead.
  private var ahead = ReadAhead()
  private var task: Task<Void, Never>?
  private var hasReceivedEnd = false
  /// The response is sent in full but has not left: what is read ahead waits, so that a client that never reads gets no more.
  private var waitsForOutput = false
  /// A handler whose streamed response must wait for a slow reader.
  private var heldProducer: UnsafeContinuation<Bool, Never>?

  init(_ connection: Connection) {
    self.connection = connection
    server = connection.server
    loop = connection.loop
    machine = HTTP1Machine(
      limits: server.configuration.limits, timeouts: server.configuration.timeouts, budget: server.bodyBudget,
      peer: connection.peer, now: loop.now)
  }

  // MARK: Input

  var deadline: Int64? { machine.deadline }

  var wantsInput: Bool {
    guard !hasReceivedEnd else { return false }
    switch machine.phase {
    case .idle, .header, .body: return true
    case .handling: return ahead.count < server.configuration.limits.readAheadBytesMax
    case .refused: return false
    }
  }

  func directRoom() -> UnsafeMutableRawBufferPointer? {
    do {
      return try machine.directRoom()
    } catch {
      refuse(error)
      return nil
    }
  }

  func receivedDirectly(_ count: Int) { perform(machine.receivedDirectly(count)) }

  func received(_ bytes: UnsafeRawBufferPointer) {
    guard ahead.isEmpty, machine.phase != .handling else {
      ahead.append(bytes)
      advance()
      return
    }
    var consumed = 0
    let action = machine.process(bytes, now: loop.now, consumed: &consumed)
    if consumed < bytes.count { ahead.append(bytes[consumed...]) }
    perform(action)
  }

  /// Goes on with what was read ahead.
  private func advance() {
    guard machine.phase != .handling, connection.isOpen else { return }
    var consumed = 0
    let action = ahead.withUnsafeBytes { machine.process($0, now: loop.now, consumed: &consumed) }
    ahead.consume(consumed)
    perform(action)
  }

  func peerClosed() {
    // It may have closed its side only and still read; most have not, and computing for nobody is what to avoid.
    guard let task else { return }
    server.counters.countClientGone()
    task.cancel()
  }

  func receivedEnd() {
    hasReceivedEnd = true
    if machine.phase != .handling { connection.closeAfterOutput(lingers: false) }
  }

  func deadlineReached(now: Int64) { perform(machine.deadlineReached(now: now)) }

  private func perform(_ action: HTTP1Machine.Action) {
    switch action {
    case .needInput: if hasReceivedEnd { connection.closeAfterOutput(lingers: false) }
    case .needInputAfterContinue:
      loop.writer.removeAll()
      loop.writer.append("HTTP/1.1 100 Continue\r\n\r\n")
      connection.send(loop.writer.bytes)
    case .dispatch(let request, let exchange): dispatch(request, exchange)
    case .refuse(let failure, let request, let exchange): answerRefusal(failure, request, exchange)
    case .close: connection.closeAfterOutput(lingers: false)
    }
  }

  // MARK: Refusing

  func refuseSlowHeader() { refuse(.headerTimeout) }
  func turnEnded() {}
  func refuseConnection() { refuse(.connectionsExhausted) }

  private func refuse(_ failure: RequestFailure) { perform(machine.refuse(failure)) }

  private func answerRefusal(_ failure: RequestFailure, _ request: HTTPRequest?, _ exchange: Exchange) {
    server.noteRefusal(failure, peer: connection.peer)
    var response = server.configuration.rejection(
      HTTPRejection(status: failure.status, message: failure.message, request: request))
    if failure.isTransient, response.headers["Retry-After"] == nil {
      response.headers.add("Retry-After", String(server.configuration.limits.retryAfterSeconds))
    }
    if case .bytes = response.body {} else { response.body = .bytes(Bytes()) }
    _ = sendHead(of: response, to: exchange)
    ahead = ReadAhead()
    connection.closeAfterOutput(lingers: !hasReceivedEnd && failure != .connectionsExhausted)
  }

  // MARK: Answering

  private func dispatch(_ request: HTTPRequest, _ exchange: Exchange) {
    server.counters.countRequest()
    task = loop.spawn { [self] in await answer(request, exchange) }
    if connection.peerHasClosed { peerClosed() }
  }

  private func answer(_ request: HTTPRequest, _ exchange: Exchange) async {
    var response = await handle(request)
    guard connection.isOpen else { return }
    if case .upgrade(let conversation) = response.body {
      if !exchange.isVersion10, !exchange.isHead { return await upgrade(response, exchange, conversation) }
      response = .upgradeRefused
    }
    let head = sendHead(of: response, to: exchange)
    if case .stream(let next) = response.body, head.framing != .absent {
      do {
        try await sendStream(next, framing: head.framing)
      } catch {
        connection.close(isReset: true)
        return
      }
    }
    finish(isPersistent: head.isPersistent)
  }

  /// Hands the connection over; what the client sent ahead belongs to the new protocol already.
  private func upgrade(
    _ response: HTTPResponse, _ exchange: Exchange,
    _ conversation: @escaping @Sendable (any UpgradedConnection) async -> Void
  ) async {
    _ = sendHead(of: response, to: exchange)
    guard connection.isOpen, let task else { return }
    let session = UpgradedSession(connection, task: task)
    self.task = nil
    ahead.withUnsafeBytes { connection.adopt(session, $0) }
    ahead = ReadAhead()
    if hasReceivedEnd { session.receivedEnd() }
    connection.pump()
    if server.isDraining { session.drain() }
    await server.configuration.execution.run { await conversation(session) }
    session.finish()
  }

  private func handle(_ request: HTTPRequest) async -> HTTPResponse {
    let handler = server.handler
    return await server.configuration.execution.run { await handler.handle(request) }
  }

  /// Sends the head, and the body if it is there already.
  private func sendHead(of response: HTTPResponse, to exchange: Exchange) -> ResponseHead {
    let head = ResponseHead(response, to: exchange, isClosing: server.isDraining)
    loop.writer.removeAll()
    head.write(response, to: exchange, date: loop.dateField(), into: &loop.writer)
    if case .bytes(let body) = response.body, head.framing != .absent {
      connection.send(loop.writer.bytes, body)
    } else {
      connection.send(loop.writer.bytes)
    }
    return head
  }

  private func sendStream(
    _ next: @escaping @Sendable () async throws -> Bytes?, framing: ResponseHead.Framing
  ) async throws {
    while let piece = try await nextPiece(next) {
      if piece.isEmpty { continue }  // an empty chunk would end the body
      guard connection.isOpen else { throw CancellationError() }
      send(piece, framing: framing)
      if connection.unsentByteCount > server.configuration.limits.unsentBytesMax {
        guard await outputTaken() else { throw CancellationError() }
      } else {
        await Task.yield()  // a producer that never waits does not keep the loop to itself
      }
    }
    if framing == .chunked {
      loop.writer.removeAll()
      loop.writer.append("0\r\n\r\n")
      connection.send(loop.writer.bytes)
    }
  }

  private func nextPiece(_ next: @escaping @Sendable () async throws -> Bytes?) async throws -> Bytes? {
    try await server.configuration.execution.run { try await next() }
  }

  private func send(_ piece: Bytes, framing: ResponseHead.Framing) {
    loop.writer.removeAll()
    guard framing == .chunked else {
      connection.send(loop.writer.bytes, piece)
      return
    }
    loop.writer.append(hexadecimal: piece.count)
    loop.writer.append("\r\n")
    connection.send(loop.writer.bytes, piece)
    loop.writer.removeAll()
    loop.writer.append("\r\n")
    connection.send(loop.writer.bytes)
  }

  /// Waits until everything sent has left. - Returns: false when the connection is gone.
  private func outputTaken() async -> Bool {
    guard connection.isOpen else { return false }
    if connection.unsentByteCount == 0 { return true }
    return await withUnsafeContinuation { heldProducer = $0 }
  }

  /// The response is complete.
  private func finish(isPersistent: Bool) {
    task = nil
    machine.answered()
    guard connection.isOpen else { return }
    guard isPersistent else {
      connection.closeAfterOutput(lingers: !hasReceivedEnd)
      return
    }
    if connection.unsentByteCount > 0 { waitsForOutput = true } else { beginNext() }
  }

  func outputDrained() {
    if let producer = heldProducer {
      heldProducer = nil
      producer.resume(returning: true)
    }
    if waitsForOutput {
      waitsForOutput = false
      beginNext()
    }
  }

  private func beginNext() {
    machine.responded(now: loop.now)
    if ahead.isEmpty {
      if hasReceivedEnd || server.isDraining { connection.closeAfterOutput(lingers: !hasReceivedEnd) }
    } else {
      advance()
    }
    connection.pump()
  }

  // MARK: Ending

  func drain() {
    connection.pump()  // a request that has arrived but was not read is in flight
    if machine.phase == .idle, ahead.isEmpty { connection.closeAfterOutput(lingers: false) }
  }

  func connectionClosed() {
    task?.cancel()
    task = nil
    if let producer = heldProducer {
      heldProducer = nil
      producer.resume(returning: false)
    }
  }
}
