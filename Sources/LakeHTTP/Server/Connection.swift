import CLinux
import Glibc
import LakeModel

/// One connected socket: reads when its session wants input, writes what the session sends, closes politely. It knows nothing of HTTP.
/// With a `TLSStream` between it and the socket the session notices nothing of it.
///
///     open --- closeAfterOutput ---> flushing ---> lingering (reads and drops until the peer is done) ---> closed
///                                        \-------------------------------------------------------------> closed
final class Connection: Pollable {
  private enum Stage { case open, flushing(lingers: Bool), lingering, closed }

  let loop: EventLoop
  let server: HTTPServer
  let peer: String
  private let socket: Int32
  private let tls: TLSStream?
  private var session: (any ConnectionSession)!
  private var stage = Stage.open
  private var output = OutputQueue()
  private var canRead = true
  private var canWrite = true
  private var isPumping = false
  private var isFlushScheduled = false
  private(set) var peerHasClosed = false
  private var timer: LoopTimer!
  private var writeDeadline: Int64?
  private var bytesWrittenInSpan = 0
  private var lingerDeadline: Int64 = 0
  private var bytesLingered = 0

  /// Bytes read in one turn before other connections get theirs.
  private static let readBytesPerTurn = 1 << 20
  private static let lingerBytesMax = 32 << 20

  init(socket: Int32, loop: EventLoop, server: HTTPServer, tls: TLSStream? = nil) {
    self.socket = socket
    self.tls = tls
    self.loop = loop
    self.server = server
    peer = SocketAddress.peer(of: socket)?.text ?? ""
    timer = LoopTimer { [unowned self] now in deadlineReached(now: now) }
  }

  /// Starts to serve. The descriptor belongs to the connection whatever happens.
  /// - Parameter isRefused: there are too many connections; this one is told so.
  func open(_ session: any ConnectionSession, refusing isRefused: Bool) {
    self.session = session
    ListeningSocket.set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
    guard loop.watch(socket, self, events: events) else {
      close(isReset: false)
      return
    }
    guard isRefused else { return pump() }
    // Shaking hands costs more than the answer is worth.
    guard tls == nil else { return close(isReset: false) }
    // Bytes left unread would turn the close into a reset, which takes the answer away from the peer.
    _ = Socket.receive(socket, into: loop.input)
    session.refuseConnection()
  }

  /// Hands the connection to a session that knows what it speaks.
  /// - Parameter bytes: what was received already.
  func adopt(_ session: any ConnectionSession, _ bytes: UnsafeRawBufferPointer) {
    self.session = session
    if !bytes.isEmpty { session.received(bytes) }
  }

  /// Calls the session's `turnEnded` when everything else of the loop's turn is done, so that what several tasks send leaves in one write.
  func flushLater() {
    guard isOpen, !isFlushScheduled else { return }
    isFlushScheduled = true
    loop.resumeLater(self)
  }

  var isOpen: Bool { if case .open = stage { true } else { false } }
  var unsentByteCount: Int { output.byteCount }
  private var isAllSent: Bool { output.isEmpty && tls?.isWaiting != true }

  // MARK: Events

  func ready(_ events: UInt32) {
    if case .closed = stage { return }
    if isFlushScheduled, events == 0 {
      isFlushScheduled = false
      session.turnEnded()
      if case .closed = stage { return }
    }
    if events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
      close(isReset: false)
      return
    }
    if events & EPOLLRDHUP.rawValue != 0, !peerHasClosed {
      peerHasClosed = true
      session.peerClosed()
    }
    if events & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0 { canRead = true }
    if events & EPOLLOUT.rawValue != 0 {
      canWrite = true
      flush()
    }
    pump()
  }

  /// Reads as long as the session wants to and the socket has something.
  func pump() {
    guard !isPumping else { return }
    isPumping = true
    defer {
      isPumping = false
      updateTimer()
    }
    var budget = Connection.readBytesPerTurn
    while canRead {
      switch stage {
      case .open: guard session.wantsInput else { return }
      case .lingering: break
      case .flushing, .closed: return
      }
      guard budget > 0 else {
        loop.resumeLater(self)
        return
      }
      budget -= readOnce()
    }
  }

  /// - Returns: bytes read.
  private func readOnce() -> Int {
    let direct = isOpen ? session.directRoom() : nil
    // Finding room may have failed, and the session refused the request.
    if direct == nil, isOpen, !session.wantsInput { return 0 }
    let room = direct ?? loop.input
    let count = isOpen ? receive(into: room) : Socket.receive(socket, into: room)
    if count < 0 {
      if count == -Int(EPROTO), tls != nil { server.noteTLSFailure(peer: peer) }
      if count == -Int(EAGAIN) { canRead = false } else { close(isReset: false) }
      return 0
    }
    if count == 0 {
      canRead = false
      if isOpen { session.receivedEnd() } else { close(isReset: false) }
      return 0
    }
    // A short read of a stream socket has emptied it, so its next bytes bring a new edge; unless the end came with them.
    if count < room.count, !peerHasClosed, tls == nil { canRead = false }
    if !isOpen {
      bytesLingered += count
      if bytesLingered > Connection.lingerBytesMax { close(isReset: false) }
    } else if direct != nil {
      session.receivedDirectly(count)
    } else {
      session.received(UnsafeRawBufferPointer(rebasing: room[..<count]))
    }
    return count
  }

  private func receive(into room: UnsafeMutableRawBufferPointer) -> Int {
    guard let tls else { return Socket.receive(socket, into: room) }
    return tls.receive(socket, into: room, scratch: loop.records)
  }

  private func deadlineReached(now: Int64) {
    switch stage {
    case .closed: return
    case .lingering: if now >= lingerDeadline { close(isReset: false) }
    case .open, .flushing:
      if let writeDeadline, now >= writeDeadline {
        guard bytesWrittenInSpan >= server.configuration.timeouts.progressBytesMin else {
          server.counters.countWriteStall()
          close(isReset: true)
          return
        }
        startWriteSpan(now: now)
      }
      if isOpen, let deadline = session.deadline, now >= deadline { session.deadlineReached(now: now) }
    }
    updateTimer()
  }

  func updateTimer() {
    let deadline: Int64?
    switch stage {
    case .closed: return
    case .lingering: deadline = lingerDeadline
    case .flushing: deadline = writeDeadline
    case .open:
      let reading = session.deadline
      deadline = reading.map { min($0, writeDeadline ?? .max) } ?? writeDeadline
    }
    if timer.deadline != deadline { loop.set(timer, to: deadline) }
  }

  // MARK: Writing

  /// Sends `head` (copied if it must wait) and `body` (kept if it must wait), in this order, after what waits already.
  func send(_ head: UnsafeRawBufferPointer, _ body: Bytes = Bytes()) {
    switch stage {
    case .open, .flushing: break
    case .lingering, .closed: return
    }
    var sent = 0
    if isAllSent, canWrite {
      sent = sendNow(head, body)
      guard sent >= 0 else { return }
      if sent == head.count + body.count, isAllSent { return }
      canWrite = false  // a short write: the socket is full, and an edge comes when it is not
    }
    if output.isEmpty { startWriteSpan(now: loop.now) }
    if sent < head.count { output.append(Bytes(copying: UnsafeRawBufferPointer(rebasing: head[sent...]))) }
    output.append(body[max(0, sent - head.count)..<body.count])
    updateTimer()
  }

  /// - Returns: bytes taken, 0 when the socket is full, -1 when the connection is gone (and closed).
  private func sendNow(_ head: UnsafeRawBufferPointer, _ body: Bytes) -> Int {
    let sent = withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { vectors in
      vectors[0] = iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count)
      vectors[1] = iovec(iov_base: UnsafeMutableRawPointer(mutating: body.unsafeBase), iov_len: body.count)
      let used = UnsafeMutableBufferPointer(rebasing: vectors[..<(body.isEmpty ? 1 : 2)])
      return withExtendedLifetime(body.storage) { transmit(used) }
    }
    if sent >= 0 { return sent }
    if sent == -Int(EAGAIN) { return 0 }
    close(isReset: false)
    return -1
  }

  private func transmit(_ vectors: UnsafeMutableBufferPointer<iovec>) -> Int {
    guard let tls else { return Socket.send(socket, vectors) }
    return tls.send(socket, vectors, scratch: loop.records)
  }

  private func flush() {
    guard !isAllSent else { return }
    while canWrite, !isAllSent {
      let recordsBefore = tls?.bytesSent ?? 0
      let sent = output.isEmpty ? tls!.flush(socket, loop.records) : output.send { transmit($0) }
      bytesWrittenInSpan += tls == nil ? max(0, sent) : tls!.bytesSent - recordsBefore
      if sent < 0 {
        guard sent == -Int(EAGAIN) else {
          close(isReset: false)
          return
        }
        canWrite = false
      }
    }
    guard isAllSent else { return }
    // Records that waited may have kept others from being read.
    if tls != nil { canRead = true }
    guard writeDeadline != nil else { return }  // a part of the handshake: the session sent nothing
    writeDeadline = nil
    if case .flushing(let lingers) = stage { finishClosing(lingers: lingers) } else { session.outputDrained() }
  }

  private func startWriteSpan(now: Int64) {
    bytesWrittenInSpan = 0
    writeDeadline = now + server.configuration.timeouts.writeStall.nanoseconds
  }

  // MARK: Closing

  /// Closes once everything sent has left.
  /// - Parameter lingers: the peer may still be sending: read and drop that for a while, because closing a socket with unread bytes
  ///   resets the connection and may take the answer away from the peer.
  func closeAfterOutput(lingers: Bool) {
    guard isOpen else { return }
    if isAllSent {
      finishClosing(lingers: lingers)
    } else {
      stage = .flushing(lingers: lingers)
      if writeDeadline == nil { startWriteSpan(now: loop.now) }
    }
    updateTimer()
  }

  private func finishClosing(lingers: Bool) {
    guard lingers, !peerHasClosed else {
      close(isReset: false)
      return
    }
    tls?.sayGoodbye(socket, loop.records)
    shutdown(socket, Int32(SHUT_WR))
    lingerDeadline = loop.now + server.configuration.timeouts.linger.nanoseconds
    stage = .lingering
    canRead = true
    loop.resumeLater(self)
  }

  /// - Parameter isReset: tell the peer that something is missing: an orderly close would look like the end of the answer.
  func close(isReset: Bool) {
    if case .closed = stage { return }
    stage = .closed
    timer.cancel()
    if isReset {
      var option = linger(l_onoff: 1, l_linger: 0)
      setsockopt(socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    } else if isAllSent {
      tls?.sayGoodbye(socket, loop.records)
    }
    loop.unwatch(socket)
    Glibc.close(socket)
    output.removeAll()
    let session = self.session
    self.session = nil  // they hold each other
    session?.connectionClosed()
    server.closed(self)
  }

  func drain() {
    canRead = true  // what arrived without its event having been seen counts as in flight
    if isOpen { session.drain() }
  }
}
