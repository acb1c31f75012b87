import Glibc
package import LakeAPI
import LakeModel
package import LakePorts
import Synchronization

/// One listening port: HTTP/1.1, and HTTP/2 by prior knowledge, on the loops of a `LoopGroup`, which several servers share. With TLS
/// files the same inside TLS, where the client names its protocol by ALPN.
package final class HTTPServer: Sendable {
  private enum Phase { case new, running, draining, drained }

  private struct State {
    var phase = Phase.new
    /// One per loop, in their order.
    var listeners: [LoopBound<Listener>] = []
    var identity: TLSIdentity?
    var whenEmpty: CheckedContinuation<Void, Never>?
  }

  package let configuration: HTTPServerConfiguration
  package let loops: LoopGroup
  let handler: any HTTPHandler
  let grpc: (any GRPCHandler)?
  let bodyBudget: BodyBudget
  let counters = ServerCounters()
  private let journal: any Journal
  private let state = Mutex(State())
  private let draining = Atomic<Bool>(false)

  /// - Parameter grpc: answers gRPC calls, which come over HTTP/2 on the same port; nil: they reach `handler` like any request.
  package init(
    configuration: HTTPServerConfiguration, loops: LoopGroup, handler: any HTTPHandler,
    grpc: (any GRPCHandler)? = nil, journal: any Journal = NullJournal()
  ) {
    self.configuration = configuration
    self.loops = loops
    self.handler = handler
    self.grpc = grpc
    self.journal = journal
    bodyBudget = BodyBudget(bytesMax: configuration.limits.bodyMemoryMax)
    signal(SIGPIPE, SIG_IGN)
  }

  package var statistics: HTTPServerStatistics { counters.snapshot(bodyBytes: bodyBudget.bytesUsed) }
  var isDraining: Bool { draining.load(ordering: .relaxed) }

  /// Binds and starts to accept.
  ///
  /// - Returns: the bound port, the one the system chose when the configuration said 0.
  @discardableResult
  package func start() throws(HTTPServerError) -> Int {
    let isNew = state.withLock { state in
      defer { if state.phase == .new { state.phase = .running } }
      return state.phase == .new
    }
    guard isNew else { throw .alreadyStarted }
    let opened: (sockets: [Int32], port: Int)
    do throws(HTTPServerError) {
      if let files = configuration.tls {
        let identity = try TLSIdentity(files, journal: journal)
        state.withLock { $0.identity = identity }
      }
      opened = try ListeningSocket.open(host: configuration.host, port: configuration.port, count: loops.count)
    } catch {
      state.withLock { $0.phase = .new }
      throw error
    }
    for (loop, socket) in zip(loops.loops, opened.sockets) {
      let listener = LoopBound(Listener(loop: loop, server: self, socket: socket))
      state.withLock { $0.listeners.append(listener) }
      loop.execute { listener.value.listen() }
    }
    journal.note(
      .info, "http.listening",
      [
        ("server", configuration.name), ("host", configuration.host), ("port", String(opened.port)),
        ("tls", configuration.tls == nil ? "no" : "yes"),
      ])
    return opened.port
  }

  /// Stops accepting, closes idle connections, lets requests in flight finish, and cuts what is left at the deadline
  /// (its tasks are cancelled). Returns when every connection is closed.
  ///
  /// - Returns: how many connections had to be cut.
  @discardableResult
  package func drain(deadline: Duration) async -> Int {
    let listeners: [LoopBound<Listener>] = state.withLock { state in
      guard state.phase == .running else { return [] }
      state.phase = .draining
      defer { state.listeners = [] }
      return state.listeners
    }
    guard !listeners.isEmpty else { return 0 }
    draining.store(true, ordering: .relaxed)
    // All listeners first: a connection that one of them just took may live on another loop.
    for (loop, listener) in zip(loops.loops, listeners) { await loop.perform { listener.value.close() } }
    for loop in loops.loops {
      await loop.perform { for connection in self.connections(on: loop) { connection.drain() } }
    }
    let timer = await DrainTimer.start(on: loops.loops[0], after: deadline) { self.cutAll() }
    await waitUntilEmpty()
    let cutCount = await timer.stop()
    state.withLock { $0.phase = .drained }
    journal.note(.info, "http.drained", [("server", configuration.name), ("cut", String(cutCount))])
    return cutCount
  }

  // MARK: Called on loops

  func accepted(_ socket: Int32, on loop: EventLoop) {
    counters.connectionsAccepted.add(1, ordering: .relaxed)
    let open = counters.connectionsOpen.add(1, ordering: .relaxed).newValue
    let home = loops.leastLoaded(insteadOf: loop)
    home.connectionCount.add(1, ordering: .relaxed)
    let isRefused = open > configuration.limits.connectionsMax
    if home === loop {
      serve(socket, on: home, isRefused: isRefused)
    } else {
      home.execute { self.serve(socket, on: home, isRefused: isRefused) }
    }
  }

  private func serve(_ socket: Int32, on loop: EventLoop, isRefused: Bool) {
    var tls: TLSStream?
    if let identity = state.withLock({ $0.identity }) {
      tls = TLSStream(identity.context(now: loop.now))
      guard tls != nil else { return abandon(socket, on: loop) }
    }
    let connection = Connection(socket: socket, loop: loop, server: self, tls: tls)
    connection.open(SniffingSession(connection), refusing: isRefused)
  }

  /// There was no memory to serve it.
  private func abandon(_ socket: Int32, on loop: EventLoop) {
    Glibc.close(socket)
    noteEnd(on: loop)
  }

  func closed(_ connection: Connection) { noteEnd(on: connection.loop) }

  private func noteEnd(on loop: EventLoop) {
    loop.connectionCount.subtract(1, ordering: .relaxed)
    let open = counters.connectionsOpen.subtract(1, ordering: .relaxed).newValue
    guard open == 0, isDraining else { return }
    state.withLock { state in
      defer { state.whenEmpty = nil }
      return state.whenEmpty
    }?.resume()
  }

  func noteAcceptFailure(_ code: Int32) {
    journal.note(.error, "http.accept_failed", [("server", configuration.name), ("errno", String(code))])
  }

  func noteRefusal(_ failure: RequestFailure, peer: String) {
    counters.countRefusal(failure)
    journal.note(
      .debug, "http.refused",
      [
        ("server", configuration.name), ("peer", peer), ("status", String(failure.status)),
        ("reason", failure.message),
      ])
  }

  func noteTLSFailure(peer: String) {
    counters.countTLSFailure()
    journal.note(.debug, "tls.failed", [("server", configuration.name), ("peer", peer)])
  }

  func noteAbuse(_ abuse: HTTP2Abuse, peer: String) {
    counters.countAbuse(abuse)
    journal.note(
      .warning, "http.abuse", [("server", configuration.name), ("peer", peer), ("what", abuse.rawValue)])
  }

  // MARK: Draining

  private func connections(on loop: EventLoop) -> [Connection] {
    loop.objects.compactMap { $0 as? Connection }.filter { $0.server === self }
  }

  private func waitUntilEmpty() async {
    await withCheckedContinuation { continuation in
      let isEmpty = state.withLock { state in
        if counters.connectionsOpen.load(ordering: .relaxed) == 0 { return true }
        state.whenEmpty = continuation
        return false
      }
      if isEmpty { continuation.resume() }
    }
  }

  /// - Returns: how many connections were open.
  private func cutAll() -> Int {
    let open = counters.connectionsOpen.load(ordering: .relaxed)
    for loop in loops.loops {
      loop.execute { for connection in self.connections(on: loop) { connection.close(isReset: true) } }
    }
    return open
  }
}

/// A value that is created anywhere and used on one loop's thread only: that thread guards it.
struct LoopBound<Value>: @unchecked Sendable {
  let value: Value
  init(_ value: Value) { self.value = value }
}

/// Cuts at the deadline of a drain unless it was over before.
///
/// `@unchecked Sendable`: used on its loop's thread only.
private final class DrainTimer: @unchecked Sendable {
  private let loop: EventLoop
  private var timer: LoopTimer?
  private var cutCount = 0

  private init(loop: EventLoop) { self.loop = loop }

  static func start(
    on loop: EventLoop, after deadline: Duration, cut: @escaping @Sendable () -> Int
  ) async -> DrainTimer {
    let drain = DrainTimer(loop: loop)
    await loop.perform {
      let timer = LoopTimer { _ in drain.cutCount = cut() }
      drain.timer = timer
      loop.set(timer, to: loop.now + max(0, deadline.nanoseconds))
    }
    return drain
  }

  func stop() async -> Int {
    await loop.perform {
      self.timer?.cancel()
      self.timer = nil
      return self.cutCount
    }
  }
}
