import CNghttp2
import LakeAPI
import LakeModel

extension HTTP2Session {
  /// The header of a stream is complete: who takes its body and answers it?
  func begin(_ stream: HTTP2Stream) {
    var known: HTTPRequest?
    do throws(RequestFailure) {
      let request = try stream.head.request(peer: connection.peer)
      known = request
      if let grpc = server.grpc, GRPCWire.isGRPC(request.headers["content-type"]) {
        beginCall(request, handler: grpc, on: stream)
      } else {
        stream.reader = try HTTP2RequestReader(request, contentLength: stream.head.contentLength, session: self)
      }
    } catch {
      refuse(stream, error, request: known)
    }
  }

  /// Answers a request that the server does not take.
  func refuse(_ stream: HTTP2Stream, _ failure: RequestFailure, request: HTTPRequest?) {
    guard !stream.isClosed, !stream.isAnswered else { return }
    server.noteRefusal(failure, peer: connection.peer)
    stream.reader = nil
    var response = server.configuration.rejection(
      HTTPRejection(status: failure.status, message: failure.message, request: request))
    if failure.isTransient, response.headers["Retry-After"] == nil {
      response.headers.add("Retry-After", String(server.configuration.limits.retryAfterSeconds))
    }
    if case .bytes = response.body {} else { response.body = .bytes(Bytes()) }
    respond(response, isHead: request?.method == "HEAD", on: stream)
  }

  /// Sends a response's header, and its body unless that is a stream.
  ///
  /// - Returns: whether the pieces of a stream are wanted.
  @discardableResult
  func respond(_ response: HTTPResponse, isHead: Bool, on stream: HTTP2Stream) -> Bool {
    // There is no 101 in HTTP/2 (RFC 9113, section 8.6).
    if case .upgrade = response.body { return respond(.upgradeRefused, isHead: isHead, on: stream) }
    var fields: [(name: String, value: String)] = [(":status", String(min(max(response.status, 200), 599)))]
    for field in response.headers.fields where !HTTP2Fields.isForbidden(field.name) { fields.append(field) }
    fields.append(("date", loop.dateText()))
    let isBodiless = isHead || response.status == 204 || response.status == 304
    switch response.body {
    case .bytes(let bytes):
      if response.status != 204, response.status != 304 { fields.append(("content-length", String(bytes.count))) }
      let hasBody = !isBodiless && !bytes.isEmpty
      sendHead(fields, on: stream, hasBody: hasBody)
      if hasBody {
        write(bytes, on: stream)
        end(stream)
      }
      return false
    case .stream:
      sendHead(fields, on: stream, hasBody: !isBodiless)
      return !isBodiless
    case .upgrade: preconditionFailure("refused above")
    }
  }

  /// Runs a handler where the server's configuration wants it.
  func run<R: Sendable>(_ body: @escaping @Sendable () async -> R) async -> R {
    await server.configuration.execution.run(body)
  }
}

/// Collects the body of an ordinary request and gives it to the server's `HTTPHandler`.
///
/// `@unchecked Sendable`: used on the loop's thread only.
final class HTTP2RequestReader: HTTP2BodyReader, @unchecked Sendable {
  private let session: HTTP2Session
  private var request: HTTPRequest
  /// Kept until the request is answered, because the budget counts its memory.
  private var body: BodyBuffer?
  private let bodyBytesMax: Int

  let mustProgress = true

  init(_ request: HTTPRequest, contentLength: Int?, session: HTTP2Session) throws(RequestFailure) {
    self.request = request
    self.session = session
    bodyBytesMax = session.server.configuration.limits.bodyBytesMax
    if let contentLength {
      if contentLength > bodyBytesMax { throw .bodyTooLarge }
      if contentLength > 0 {
        body = try BodyBuffer(bytesMax: contentLength, isLengthKnown: true, budget: session.server.bodyBudget)
      }
    }
  }

  func received(_ bytes: UnsafeRawBufferPointer, on stream: HTTP2Stream) -> Int {
    do throws(RequestFailure) {
      if body == nil {
        body = try BodyBuffer(bytesMax: bodyBytesMax, isLengthKnown: false, budget: session.server.bodyBudget)
      }
      guard bytes.count <= body!.bytesLeft else { throw .bodyTooLarge }
      try body!.append(bytes)
    } catch {
      body = nil
      session.refuse(stream, error, request: request)
    }
    return bytes.count
  }

  func receivedEnd(on stream: HTTP2Stream) {
    if let body { request.body = body.finish() }
    let session = session
    let request = request
    session.spawn(for: stream) { [self] in
      let handler = session.server.handler
      let response = await session.run { await handler.handle(request) }
      if session.respond(response, isHead: request.method == "HEAD", on: stream),
        case .stream(let next) = response.body
      {
        await send(next, on: stream)
      }
      body = nil
    }
  }

  private func send(_ next: @escaping @Sendable () async throws -> Bytes?, on stream: HTTP2Stream) async {
    while true {
      let piece = await session.run { () -> Result<Bytes?, any Error> in
        do { return .success(try await next()) } catch { return .failure(error) }
      }
      switch piece {
      case .success(let bytes?):
        session.write(bytes, on: stream)
        guard await session.outputTaken(by: stream) else { return }
      case .success(nil):
        session.end(stream)
        return
      case .failure:
        session.reset(stream, NGHTTP2_INTERNAL_ERROR)
        return
      }
    }
  }

  func closed() {}

  func timedOut(on stream: HTTP2Stream) {
    body = nil
    session.refuse(stream, .bodyTimeout, request: request)
  }
}
