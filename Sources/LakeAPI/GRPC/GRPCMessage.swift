package import LakeModel

/// One gRPC call as a surface sees it, without HTTP/2.
package struct GRPCRequest: Sendable {
  /// `/package.Service/Method`
  package var path: String
  /// As sent, names in lower case; names that end in `-bin` have base64 values.
  package var metadata: HTTPHeaders
  /// The message, decompressed; empty for a conversation.
  package var message: Bytes
  /// What the client had left when its call came in; the transport cancels the call's task when it is over.
  package var timeLeft: Duration?
  /// The peer, for logs.
  package var peer: String

  package init(
    path: String, metadata: HTTPHeaders = HTTPHeaders(), message: Bytes = Bytes(), timeLeft: Duration? = nil,
    peer: String = ""
  ) {
    self.path = path
    self.metadata = metadata
    self.message = message
    self.timeLeft = timeLeft
    self.peer = peer
  }
}

package struct GRPCResponse: Sendable {
  package var metadata: HTTPHeaders
  /// nil with a status other than `ok`.
  package var message: Bytes?
  package var status: GRPCStatus
  /// Sent after the message, beside the status.
  package var trailers: HTTPHeaders

  package init(message: Bytes, metadata: HTTPHeaders = HTTPHeaders(), trailers: HTTPHeaders = HTTPHeaders()) {
    self.metadata = metadata
    self.message = message
    self.trailers = trailers
    status = .ok
  }

  package init(_ status: GRPCStatus, trailers: HTTPHeaders = HTTPHeaders()) {
    metadata = HTTPHeaders()
    self.status = status
    self.trailers = trailers
  }
}

/// A call that takes or gives any number of messages.
package struct GRPCConversation: Sendable {
  /// Its `message` is empty.
  package let request: GRPCRequest
  /// The client's next message, decompressed; nil when it will send no more.
  /// - Throws: `CancellationError` when the call is over; `GRPCStatus` when what came is no message.
  package let receive: @Sendable () async throws -> Bytes?
  /// Sends a message; waits while the client is slow.
  /// - Throws: `CancellationError` when the call is over.
  package let send: @Sendable (Bytes) async throws -> Void

  package init(
    request: GRPCRequest, receive: @escaping @Sendable () async throws -> Bytes?,
    send: @escaping @Sendable (Bytes) async throws -> Void
  ) {
    self.request = request
    self.receive = receive
    self.send = send
  }
}

package enum GRPCMethod: Sendable {
  /// One message in, one out.
  case unary(@Sendable (GRPCRequest) async -> GRPCResponse)
  /// Ends with the status that the closure returns.
  case conversation(@Sendable (GRPCConversation) async -> GRPCStatus)
}

/// The gRPC side of a surface. Calls never throw; what went wrong is a status.
package protocol GRPCHandler: Sendable {
  /// - Parameter path: `/package.Service/Method`.
  /// - Returns: nil for a method that does not exist (UNIMPLEMENTED).
  func method(_ path: String) -> GRPCMethod?
}

/// Methods by path: services are dictionaries that are put together.
package struct GRPCServices: GRPCHandler {
  private let methods: [String: GRPCMethod]

  /// - Precondition: no two services have a path in common.
  package init(_ services: [[String: GRPCMethod]]) {
    var methods: [String: GRPCMethod] = [:]
    for service in services {
      methods.merge(service) { _, _ in preconditionFailure("two methods with one path") }
    }
    self.methods = methods
  }

  package func method(_ path: String) -> GRPCMethod? { methods[path] }
}
