package import LakeModel

/// One request of ours to somebody else's server.
package struct HTTPExchange: Sendable {
  package var method: String
  /// Absolute, already percent-encoded.
  package var url: String
  package var headers: [(name: String, value: String)]
  package var body: Bytes?
  /// For the whole exchange.
  package var timeout: Duration
  /// Whole seconds without progress after which it is broken off; nil: as the transport is set up.
  package var stallTimeout: Duration?
  /// Larger answers are `tooLarge`.
  package var answerBytesMax: Int
  /// HTTP/2 from the first byte, as gRPC wants it; otherwise HTTP/1.1. Trailers follow the answer's headers.
  package var usesHTTP2 = false

  package init(
    method: String, url: String, headers: [(name: String, value: String)] = [], body: Bytes? = nil,
    timeout: Duration = .seconds(30), stallTimeout: Duration? = nil, answerBytesMax: Int = 1 << 30
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
    self.stallTimeout = stallTimeout
    self.answerBytesMax = answerBytesMax
  }
}

package struct HTTPAnswer: Sendable {
  package let status: Int
  /// Names in lower case.
  package let headers: [(name: String, value: String)]
  package let body: Bytes

  package init(status: Int, headers: [(name: String, value: String)], body: Bytes) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// Why there is no answer. What matters for a write is whether the request can have reached the server.
package enum TransportError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Certainly not carried out: no connection was made.
  case notSent(String)
  /// The request may have been carried out, or may be yet.
  case broken(String)
  case timedOut(String)
  /// The answer is larger than the exchange allows.
  case tooLarge(String)
  case cancelled

  package var description: String {
    switch self {
    case .notSent(let why): "not sent: \(why)"
    case .broken(let why): "broken off: \(why)"
    case .timedOut(let why): "no answer in time: \(why)"
    case .tooLarge(let why): "the answer is too large: \(why)"
    case .cancelled: "cancelled"
    }
  }
}

/// Carries exchanges out. A protocol so that tests and fault injection can stand in between.
package protocol HTTPTransport: Sendable {
  func send(_ exchange: HTTPExchange) async throws(TransportError) -> HTTPAnswer
}
