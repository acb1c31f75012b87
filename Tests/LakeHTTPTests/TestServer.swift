import Glibc
import LakeAPI
import LakeHTTP
import LakeModel
import Synchronization
import Testing

/// A handler from a closure.
struct ClosureHandler: HTTPHandler {
  let body: @Sendable (HTTPRequest) async -> HTTPResponse
  func handle(_ request: HTTPRequest) async -> HTTPResponse { await body(request) }
}

func text(_ text: String, status: Int = 200) -> HTTPResponse { HTTPResponse(status: status, body: .bytes(Bytes(text))) }

/// Says what it was asked: `POST /path?query 5`.
let echoHandler = ClosureHandler { text("\($0.method) \($0.path)?\($0.query) \($0.body.count)") }

/// A server for one test, on a port of its own, stopped at the end.
func withServer(
  _ handler: some HTTPHandler, grpc: (any GRPCHandler)? = nil, loops count: Int = 2,
  execution: HandlerExecution = .loop,
  configure: (inout HTTPServerConfiguration) -> Void = { _ in },
  _ body: (TestServer) async throws -> Void
) async throws {
  var configuration = HTTPServerConfiguration(port: 0, execution: execution)
  // A busy machine is no slow client, except where a test is about one.
  configuration.timeouts.header = .seconds(300)
  configuration.timeouts.bodyProgress = .seconds(300)
  configuration.timeouts.writeStall = .seconds(300)
  configure(&configuration)
  let loops = LoopGroup(count: count)
  let server = HTTPServer(configuration: configuration, loops: loops, handler: handler, grpc: grpc)
  let port = try server.start()
  do {
    try await body(TestServer(server: server, port: port))
  } catch {
    await server.drain(deadline: .zero)
    await loops.shutdown()
    throw error
  }
  await server.drain(deadline: .zero)
  await loops.shutdown()
}

struct TestServer: Sendable {
  let server: HTTPServer
  let port: Int

  /// Runs a conversation on a thread of its own: it blocks, which the tasks of a test must not.
  func talk<R: Sendable>(_ conversation: @escaping @Sendable (RawClient) throws -> R) async throws -> R {
    let port = port
    return try await withCheckedThrowingContinuation { continuation in
      onThread { continuation.resume(with: Result { try conversation(try RawClient(port: port)) }) }
    }
  }

  /// For threads: waits, at most a minute, until the statistics say so.
  func wait(until condition: (HTTPServerStatistics) -> Bool) {
    for _ in 0..<30_000 where !condition(server.statistics) { usleepMilliseconds(10) }
    #expect(condition(server.statistics))
  }

  /// Sends all, then reads until the server closes.
  func exchange(_ input: String) async throws -> String { try await exchange(Array(input.utf8)) }

  func exchange(_ input: [UInt8]) async throws -> String {
    try await talk { client in
      try client.send(input)
      return try client.readToEnd()
    }
  }
}

private func onThread(_ body: @escaping @Sendable () -> Void) {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  pthread_create(
    &thread, nil,
    { argument in
      Unmanaged<Box>.fromOpaque(argument!).takeRetainedValue().body()
      return nil
    }, Unmanaged.passRetained(Box(body)).toOpaque())
  pthread_detach(thread)
}

/// A connection that tests write to and read from as they like.
protocol TestConnection {
  func send(_ bytes: [UInt8]) throws
  /// - Returns: empty at the end.
  func readSome() throws -> [UInt8]
}

extension TestConnection {
  func send(_ text: String) throws { try send(Array(text.utf8)) }

  func readToEnd() throws -> String {
    var all: [UInt8] = []
    while true {
      let some = try readSome()
      if some.isEmpty { return String(decoding: all, as: UTF8.self) }
      all += some
    }
  }
}

/// A blocking TCP client that says exactly what it is told, and gives up after five minutes.
final class RawClient: TestConnection {
  let socket: Int32
  private var unread: [UInt8] = []

  enum Failure: Error, Equatable { case connect(Int32), send(Int32), receive(Int32), ended(String) }

  init(port: Int, receiveBuffer: Int32? = nil) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var timeout = timeval(tv_sec: 300, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    if var receiveBuffer { setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, 4) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else { throw Failure.connect(errno) }
  }

  deinit { Glibc.close(socket) }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Failure.send(errno) }
      sent += count
    }
  }

  func finishSending() { shutdown(socket, Int32(SHUT_WR)) }

  /// - Returns: empty at the end.
  func readSome() throws -> [UInt8] { try readSome(65536) }

  func readSome(_ max: Int) throws -> [UInt8] {
    if !unread.isEmpty {
      defer { unread = [] }
      return unread
    }
    var buffer = [UInt8](repeating: 0, count: max)
    let count = recv(socket, &buffer, max, 0)
    guard count >= 0 else { throw Failure.receive(errno) }
    return Array(buffer[..<count])
  }

  /// Reads up to and with `end`.
  func read(through end: String) throws -> String {
    let end = Array(end.utf8)
    var all: [UInt8] = []
    while true {
      let some = try readSome()
      if some.isEmpty { throw Failure.ended(String(decoding: all, as: UTF8.self)) }
      all += some
      guard all.count >= end.count else { continue }
      for start in max(0, all.count - some.count - end.count)...(all.count - end.count)
      where all[start..<(start + end.count)].elementsEqual(end) {
        unread = Array(all[(start + end.count)...])
        return String(decoding: all[..<(start + end.count)], as: UTF8.self)
      }
    }
  }

  /// One response with Content-Length: status line, body.
  func readResponse() throws -> (status: Int, head: String, body: String) {
    let head = try read(through: "\r\n\r\n")
    var length = 0
    for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-length: ") {
      length = Int(line.split(separator: " ")[1]) ?? 0
    }
    var body: [UInt8] = []
    while body.count < length {
      let some = try readSome()
      if some.isEmpty { throw Failure.ended(head) }
      body += some
    }
    unread = Array(body[length...])
    return (Int(head.split(separator: " ")[1]) ?? 0, head, String(decoding: body[..<length], as: UTF8.self))
  }
}

func usleepMilliseconds(_ milliseconds: UInt32) { usleep(milliseconds * 1000) }

/// Counts across tasks and threads.
final class Counter: Sendable {
  private let value = Mutex(0)
  var count: Int { value.withLock { $0 } }
  func add(_ amount: Int = 1) { value.withLock { $0 += amount } }
  /// For threads: waits until the count has been the same, and not 0, for a while.
  func settle() -> Int {
    var last = 0
    var since = 0
    for _ in 0..<30_000 where since < 20 {
      usleepMilliseconds(10)
      since = count == last && last > 0 ? since + 1 : 0
      last = count
    }
    return last
  }

  /// Waits, at most a minute, until the count is at least `wanted`.
  func reach(_ wanted: Int) async throws {
    for _ in 0..<6000 {
      if count >= wanted { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("count stayed at \(count), wanted \(wanted)")
  }
}
