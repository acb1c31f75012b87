import CNghttp2
import LakeAPI
import LakeModel

/// HTTP/2 on one connection: nghttp2 frames, streams become requests and gRPC calls, floods end the connection.
///
///     received -> FrameMeter (floods) -> HTTP2Framer (nghttp2) -> streams -> readers -> handlers' tasks
///     handlers' tasks -> HTTP2Output of their stream -> HTTP2Framer -> at the end of the loop's turn, one write
///
/// `@unchecked Sendable`: used on the thread of the connection's loop only; the tasks that hold it run there.
final class HTTP2Session: ConnectionSession, @unchecked Sendable {
  let connection: Connection
  let server: HTTPServer
  let loop: EventLoop
  private(set) var framer: HTTP2Framer!
  private var meter: FrameMeter
  private var streams: [Int32: HTTP2Stream] = [:]
  /// Tasks of handlers, also of those whose streams are gone.
  private var taskCount = 0
  private var prefaceRemaining = HTTP2Preface.byteCount
  private var hasReceivedEnd = false
  /// No new streams: the connection closes with the last one.
  private var isEnding = false
  private var hasFailed = false
  /// Found while nghttp2 was at work, when nothing can be done about it.
  private var abuseFound: HTTP2Abuse?
  private var lastReceived: Int64
  private var pingDeadline: Int64?
  private var nextSweep: Int64?
  private var idleDeadline: Int64?

  private static let framesWaitingMax = 4096
  private static let bytesPerWrite = 64 << 10

  init(_ connection: Connection) {
    self.connection = connection
    server = connection.server
    loop = connection.loop
    lastReceived = loop.now
    let limits = server.configuration.limits
    meter = FrameMeter(
      headerBlockBytesMax: 2 * (limits.headerBytesMax + limits.requestLineBytesMax), now: loop.now)
    idleDeadline = loop.now + server.configuration.timeouts.header.nanoseconds
    framer = HTTP2Framer(
      owner: self,
      settings: HTTP2Framer.Settings(
        streamsMax: limits.streamsMax, streamWindowBytes: limits.streamWindowBytes,
        connectionWindowBytes: limits.connectionWindowBytes, headerListBytesMax: limits.headerBytesMax))
    server.counters.countHTTP2Connection()
  }

  // MARK: Input

  var wantsInput: Bool {
    !hasReceivedEnd && !hasFailed && framer.wantsInput
      && connection.unsentByteCount < server.configuration.limits.unsentBytesMax
  }

  func directRoom() -> UnsafeMutableRawBufferPointer? { nil }
  func receivedDirectly(_ count: Int) {}

  func received(_ bytes: UnsafeRawBufferPointer) {
    lastReceived = loop.now
    pingDeadline = nil
    let skipped = min(prefaceRemaining, bytes.count)
    prefaceRemaining -= skipped
    if let abuse = meter.observe(UnsafeRawBufferPointer(rebasing: bytes[skipped...]), now: loop.now) {
      fail(abuse)
    } else if !framer.receive(bytes) {
      hasFailed = true
      connection.closeAfterOutput(lingers: false)
    } else if let abuseFound {
      fail(abuseFound)
    } else if framer.waitingFrameCount > HTTP2Session.framesWaitingMax {
      fail(.unreadAnswers)
    }
    connection.flushLater()
  }

  func peerClosed() {
    // Whoever closes its side of HTTP/2 is done with the connection; streams of it cannot be continued.
    for stream in streams.values where stream.task != nil && !stream.isAnswered {
      server.counters.countClientGone()
      stream.task?.cancel()
    }
  }

  func receivedEnd() {
    hasReceivedEnd = true
    if streams.isEmpty { connection.closeAfterOutput(lingers: false) }
  }

  func refuseConnection() {
    framer.terminate(NGHTTP2_ENHANCE_YOUR_CALM)
    flush()
    connection.closeAfterOutput(lingers: false)
  }

  private func fail(_ abuse: HTTP2Abuse) {
    server.noteAbuse(abuse, peer: connection.peer)
    hasFailed = true
    framer.terminate(NGHTTP2_ENHANCE_YOUR_CALM)
    flush()
    connection.closeAfterOutput(lingers: true)
  }

  // MARK: Output

  func turnEnded() { flush() }
  func outputDrained() { flush() }

  /// Frames what is to be sent, as far as the socket takes it.
  private func flush() {
    var pending = 0
    loop.writer.removeAll()
    while connection.isOpen, connection.unsentByteCount + pending < server.configuration.limits.unsentBytesMax,
      let bytes = framer.pull()
    {
      loop.writer.append(bytes)
      pending = loop.writer.count
      if pending >= HTTP2Session.bytesPerWrite {
        sendWritten()
        pending = 0
      }
    }
    sendWritten()
    guard connection.isOpen else { return }
    if framer.isDone || (streams.isEmpty && (hasReceivedEnd || (isEnding && framer.waitingFrameCount == 0))) {
      connection.closeAfterOutput(lingers: !hasReceivedEnd)
    }
    connection.updateTimer()
  }

  private func sendWritten() {
    guard loop.writer.count > 0 else { return }
    meter.sent(loop.writer.count)
    connection.send(loop.writer.bytes)
    loop.writer.removeAll()
  }

  // MARK: Answers (used by the readers and their tasks)

  /// Starts the task that answers a stream.
  func spawn(for stream: HTTP2Stream, _ body: @escaping @Sendable () async -> Void) {
    taskCount += 1
    server.counters.countRequest()
    stream.task = loop.spawn { [self] in
      await body()
      taskCount -= 1
      stream.task = nil
    }
  }

  /// - Parameter hasBody: `write` and `end` follow.
  func sendHead(_ fields: [(name: String, value: String)], on stream: HTTP2Stream, hasBody: Bool) {
    guard !stream.isClosed, !stream.isAnswered else { return }
    stream.isAnswered = true
    framer.submitHead(stream.id, fields, hasBody: hasBody)
    connection.flushLater()
  }

  func write(_ bytes: Bytes, on stream: HTTP2Stream) {
    guard !stream.isClosed else { return }
    if stream.output.byteCount == 0 { restartSpan(stream) }
    stream.output.append(bytes)
    resumeOutput(of: stream)
  }

  func end(_ stream: HTTP2Stream, trailers: [(name: String, value: String)]? = nil) {
    guard !stream.isClosed else { return }
    stream.output.hasEnded = true
    stream.output.trailers = trailers
    resumeOutput(of: stream)
  }

  /// Waits until the client has taken what was written, if that is much. - Returns: false when the stream is gone.
  func outputTaken(by stream: HTTP2Stream) async -> Bool {
    if stream.isClosed { return false }
    if stream.output.byteCount <= server.configuration.limits.unsentBytesMax {
      await Task.yield()  // a producer that never waits does not keep the loop to itself
      return !stream.isClosed
    }
    return await withUnsafeContinuation { stream.heldProducer = $0 }
  }

  func reset(_ stream: HTTP2Stream, _ code: nghttp2_error_code) {
    guard !stream.isClosed else { return }
    framer.reset(stream.id, code)
    connection.flushLater()
  }

  /// Gives flow control back for bytes of the body that were taken.
  func credit(_ stream: HTTP2Stream, _ bytes: Int) {
    guard !stream.isClosed, bytes > 0 else { return }
    framer.credit(stream.id, bytes)
    connection.flushLater()
  }

  private func resumeOutput(of stream: HTTP2Stream) {
    if stream.output.isDeferred {
      stream.output.isDeferred = false
      framer.resume(stream.id)
    }
    connection.flushLater()
  }

  private func restartSpan(_ stream: HTTP2Stream) {
    stream.spanStart = loop.now
    stream.bytesReceivedInSpan = 0
    stream.bytesSentInSpan = 0
  }

  // MARK: Time

  var deadline: Int64? {
    if streams.isEmpty { return idleDeadline }
    let alive = pingDeadline ?? lastReceived + server.configuration.timeouts.keepAlive.nanoseconds
    return nextSweep.map { min($0, alive) } ?? alive
  }

  func deadlineReached(now: Int64) {
    if streams.isEmpty {
      if let idleDeadline, now >= idleDeadline { drain() }
      return
    }
    if let pingDeadline, now >= pingDeadline {
      connection.close(isReset: true)
      return
    }
    if pingDeadline == nil, now >= lastReceived + server.configuration.timeouts.keepAlive.nanoseconds {
      framer.ping()
      pingDeadline = now + server.configuration.timeouts.keepAliveAnswer.nanoseconds
    }
    if let nextSweep, now >= nextSweep { sweep(now: now) }
    connection.flushLater()
  }

  /// Looks for streams that make no progress.
  private func sweep(now: Int64) {
    let timeouts = server.configuration.timeouts
    nextSweep = now + sweepInterval
    for stream in streams.values.sorted(by: { $0.id < $1.id }) {
      if stream.output.byteCount > 0 {
        guard now - stream.spanStart >= timeouts.writeStall.nanoseconds else { continue }
        if stream.bytesSentInSpan < timeouts.progressBytesMin {
          server.counters.countWriteStall()
          reset(stream, NGHTTP2_CANCEL)
        }
      } else if !stream.hasRequestEnded, let reader = stream.reader, reader.mustProgress {
        guard now - stream.spanStart >= timeouts.bodyProgress.nanoseconds else { continue }
        if stream.bytesReceivedInSpan < timeouts.progressBytesMin { reader.timedOut(on: stream) }
      }
      restartSpan(stream)
    }
  }

  private var sweepInterval: Int64 {
    let timeouts = server.configuration.timeouts
    return max(10_000_000, min(timeouts.writeStall.nanoseconds, timeouts.bodyProgress.nanoseconds) / 4)
  }

  // MARK: Ending

  func drain() {
    guard !isEnding else { return }
    isEnding = true
    framer.goAway()
    // A conversation may go on for ever; its client begins it again elsewhere.
    for stream in streams.values where stream.reader?.mustProgress == false { stream.task?.cancel() }
    flush()
  }

  func connectionClosed() {
    for stream in streams.values { close(stream) }
    streams = [:]
  }

  private func close(_ stream: HTTP2Stream) {
    stream.isClosed = true
    stream.task?.cancel()
    stream.task = nil
    stream.deadline?.cancel()
    stream.output.drop()
    stream.releaseProducer(isOpen: false)
    stream.reader?.closed()
    stream.reader = nil
  }
}

extension HTTP2Session: HTTP2FramerOwner {
  func streamOpened(_ id: Int32) {
    let limits = server.configuration.limits
    // A client that resets its streams leaves tasks that have not noticed yet: they count too.
    guard taskCount < 2 * limits.streamsMax, !isEnding else {
      framer.reset(id, NGHTTP2_REFUSED_STREAM)
      streamRefused()
      return
    }
    if streams.isEmpty { nextSweep = loop.now + sweepInterval }
    streams[id] = HTTP2Stream(id: id, now: loop.now)
  }

  func streamRefused() {
    server.counters.countRefusedStream()
    if let abuse = meter.refused() { abuseFound = abuse }
  }

  func streamField(_ id: Int32, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, isTrailer: Bool) {
    // Trailers of requests mean nothing to us; the meter bounds them.
    guard !isTrailer, let stream = streams[id] else { return }
    stream.head.add(name, value, limits: server.configuration.limits)
  }

  func streamHeadEnded(_ id: Int32) {
    guard let stream = streams[id] else { return }
    begin(stream)
    stream.head = HTTP2Head()
  }

  func streamData(_ id: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    guard let stream = streams[id] else { return bytes.count }
    stream.bytesReceivedInSpan += bytes.count
    return stream.reader?.received(bytes, on: stream) ?? bytes.count
  }

  func streamRequestEnded(_ id: Int32) {
    guard let stream = streams[id], !stream.hasRequestEnded else { return }
    stream.hasRequestEnded = true
    stream.reader?.receivedEnd(on: stream)
  }

  func streamAnswered(_ id: Int32) {
    guard let stream = streams[id] else { return }
    meter.answered()
    // Answered before the request was read: the client need not send the rest (RFC 9113, section 8.1).
    if !stream.hasRequestEnded { framer.reset(id, NGHTTP2_NO_ERROR) }
  }

  func streamClosed(_ id: Int32, code: UInt32) {
    guard let stream = streams.removeValue(forKey: id) else { return }
    if stream.task != nil, !stream.isAnswered { server.counters.countClientGone() }
    close(stream)
    if streams.isEmpty { idleDeadline = loop.now + server.configuration.timeouts.idleHTTP2.nanoseconds }
    connection.flushLater()
  }

  func streamOutput(_ id: Int32, into buffer: UnsafeMutableRawBufferPointer) -> HTTP2Framer.Provided {
    guard let stream = streams[id] else { return .failed }
    let count = stream.output.take(into: buffer)
    stream.bytesSentInSpan += count
    if stream.output.byteCount == 0 { stream.releaseProducer(isOpen: true) }
    if stream.output.byteCount == 0, stream.output.hasEnded { return .last(count, trailers: stream.output.trailers) }
    if count > 0 { return .bytes(count) }
    stream.output.isDeferred = true
    return .later
  }
}
