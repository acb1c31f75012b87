import LakeAPI
import LakeModel

extension HTTP2Session {
  /// A stream turned out to be a gRPC call.
  func beginCall(_ request: HTTPRequest, handler: any GRPCHandler, on stream: HTTP2Stream) {
    do throws(GRPCStatus) {
      guard request.method == "POST" else {
        // Not a call at all, so the answer is HTTP's.
        respond(HTTPResponse(status: 405, headers: ["allow": "POST"]), isHead: request.method == "HEAD", on: stream)
        return
      }
      guard let method = handler.method(request.path) else {
        throw GRPCStatus(.unimplemented, "unknown method \(request.path.prefix(200))")
      }
      let compression = try GRPCCompression(request.headers["grpc-encoding"])
      var call = GRPCRequest(path: request.path, metadata: request.headers, peer: request.peer)
      if let text = request.headers["grpc-timeout"] {
        guard let timeout = GRPCWire.timeout(text) else { throw GRPCStatus(.internalError, "malformed grpc-timeout") }
        call.timeLeft = timeout
        setDeadline(timeout, on: stream)
      }
      switch method {
      case .unary(let body):
        stream.reader = GRPCUnaryReader(call, compression: compression, method: body, session: self)
      case .conversation(let body):
        let reader = GRPCConversationReader(call, compression: compression, session: self)
        stream.reader = reader
        reader.start(body, on: stream)
      }
    } catch {
      finish(stream, error)
    }
  }

  /// Ends a call that has not sent anything, or has sent messages.
  func finish(_ stream: HTTP2Stream, _ status: GRPCStatus, trailers: HTTPHeaders = HTTPHeaders()) {
    guard !stream.isClosed else { return }
    stream.deadline?.cancel()
    let fields = GRPCWire.trailers(status, and: trailers)
    if stream.isAnswered {
      end(stream, trailers: fields)
    } else {
      if status.code != .ok { server.counters.countFailedCall(status.code) }
      stream.reader = nil
      var head = HTTP2Session.grpcHead
      if status.code == .unimplemented { head.append(("grpc-accept-encoding", GRPCCompression.accepted)) }
      sendHead(head + fields, on: stream, hasBody: false)
    }
  }

  static var grpcHead: [(name: String, value: String)] { [(":status", "200"), ("content-type", "application/grpc")] }

  /// The client's deadline: its call ends then, whatever the handler does.
  private func setDeadline(_ timeout: Duration, on stream: HTTP2Stream) {
    let timer = LoopTimer { [unowned self, weak stream] _ in
      guard let stream else { return }
      stream.task?.cancel()
      finish(stream, GRPCStatus(.deadlineExceeded, "deadline exceeded"))
    }
    stream.deadline = timer
    loop.set(timer, to: loop.now.addingReportingOverflow(timeout.nanoseconds).partialValue)
  }
}
