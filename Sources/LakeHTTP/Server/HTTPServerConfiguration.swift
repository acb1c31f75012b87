package import LakeAPI
import LakeModel

/// How one port is served. Every limit is per server unless its name says otherwise.
package struct HTTPServerConfiguration: Sendable {
  /// A numeric IPv4 or IPv6 address, or `localhost` (127.0.0.1). `::` also takes IPv4.
  package var host: String
  /// 0: the system chooses; `HTTPServer.start` tells which.
  package var port: Int
  /// What statistics and journal lines call this server: `otlp`, `loki`.
  package var name: String
  package var execution: HandlerExecution
  package var limits: HTTPLimits
  package var timeouts: HTTPTimeouts
  /// Nil: plain TCP.
  package var tls: TLSFiles?
  /// Makes the answer to what the server refuses by itself (400, 408, 413, 431, 503 ...), in the surface's own error form.
  package var rejection: @Sendable (HTTPRejection) -> HTTPResponse

  package init(
    host: String = "127.0.0.1", port: Int, name: String = "http", execution: HandlerExecution = .loop,
    limits: HTTPLimits = HTTPLimits(), timeouts: HTTPTimeouts = HTTPTimeouts(), tls: TLSFiles? = nil,
    rejection: @escaping @Sendable (HTTPRejection) -> HTTPResponse = HTTPRejection.plainText
  ) {
    self.host = host
    self.port = port
    self.name = name
    self.execution = execution
    self.limits = limits
    self.timeouts = timeouts
    self.tls = tls
    self.rejection = rejection
  }
}

/// Where a handler's code runs.
package enum HandlerExecution: Sendable {
  /// On the event loop that read the request, without a thread hop: for handlers that compute little between their waits.
  case loop
  /// On the process-wide pool: for work that would keep a loop busy. Costs two hops.
  case pool
  /// On threads of the caller's: for work that would keep a loop busy and makes calls that block, such as queries. Costs two hops.
  case threads(any TaskExecutor)

  /// Runs `body` there.
  func run<R: Sendable>(_ body: @Sendable () async throws -> R) async rethrows -> R {
    switch self {
    case .loop: try await body()
    case .pool: try await withTaskExecutorPreference(globalConcurrentExecutor) { try await body() }
    case .threads(let threads): try await withTaskExecutorPreference(threads) { try await body() }
    }
  }
}

package struct HTTPLimits: Sendable {
  /// Bytes of the request line without its line end; beyond: 414.
  package var requestLineBytesMax = 16 << 10
  /// Bytes of all header lines (and trailer lines) of one request; beyond: 431.
  package var headerBytesMax = 32 << 10
  /// Header lines of one request; beyond: 431.
  package var headerCountMax = 100
  /// Bytes of one request body as sent; beyond: 413, before the body is read.
  package var bodyBytesMax = 64 << 20
  /// Bytes that the request bodies held in memory at one time may take, all connections together; beyond: 503 with Retry-After.
  package var bodyMemoryMax = 512 << 20
  /// Bytes of pipelined requests read ahead of the one being answered; the rest waits in the kernel.
  package var readAheadBytesMax = 64 << 10
  /// Bytes of a streamed response that may wait for a slow reader before the producer is held back.
  package var unsentBytesMax = 256 << 10
  /// Open connections; one more is answered with 503 and closed.
  package var connectionsMax = 10_000
  /// HTTP/2: requests at one time on a connection.
  package var streamsMax = 100
  /// HTTP/2: bytes that a client may send on one stream, and on a connection, before we have taken them.
  package var streamWindowBytes = 256 << 10
  package var connectionWindowBytes = 1 << 20
  /// What a rejection for lack of memory or connections puts into Retry-After, in seconds.
  package var retryAfterSeconds = 1

  package init() {}
}

package struct HTTPTimeouts: Sendable {
  /// From the first byte of a request (or from accept) to the end of its header: 408.
  package var header: Duration = .seconds(10)
  /// A body brings at least `progressBytesMin` bytes, or its end, in every such span: 408.
  package var bodyProgress: Duration = .seconds(10)
  /// Between requests: closed silently.
  package var idle: Duration = .seconds(75)
  /// HTTP/2: between requests; the client is told to go away.
  package var idleHTTP2: Duration = .seconds(300)
  /// HTTP/2: silence for so long, with requests open, is answered with a PING ...
  package var keepAlive: Duration = .seconds(60)
  /// ... and no answer for so long with a cut.
  package var keepAliveAnswer: Duration = .seconds(20)
  /// A reader takes at least `progressBytesMin` bytes, or all there is, in every such span: cut.
  package var writeStall: Duration = .seconds(20)
  /// How long what a refused client still sends is read and dropped, so that it can read the refusal.
  package var linger: Duration = .seconds(3)
  package var progressBytesMin = 4096

  package init() {}
}

/// Something the server refused by itself.
package struct HTTPRejection: Sendable {
  package let status: Int
  /// Lower case, no full stop, safe to show to the client.
  package let message: String
  /// What is known of the request (without its body); nil when its header was not understood.
  package let request: HTTPRequest?

  package static let plainText: @Sendable (HTTPRejection) -> HTTPResponse = { rejection in
    HTTPResponse(
      status: rejection.status, headers: ["Content-Type": "text/plain; charset=utf-8"],
      body: .bytes(Bytes(rejection.message + "\n")))
  }
}
