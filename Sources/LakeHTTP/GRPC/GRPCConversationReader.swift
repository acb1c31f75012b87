import LakeAPI
import LakeModel

/// Any number of messages either way.
///
/// What the client sends ahead of `receive` is bounded by the stream's window: credit is given back only when no whole message waits.
///
/// `@unchecked Sendable`: used on the loop's thread only; the closures that a handler gets go there first.
final class GRPCConversationReader: HTTP2BodyReader, @unchecked Sendable {
  private let session: HTTP2Session
  private let call: GRPCRequest
  private let compression: GRPCCompression
  private var reader: GRPCMessageReader
  private var waiting: [GRPCMessageReader.Message] = []
  /// Bytes taken from the stream for which the client has no credit yet.
  private var owedCredit = 0
  private var hasEnded = false
  private var failure: GRPCStatus?
  private var isClosed = false
  private var receiver: UnsafeContinuation<Void, Never>?

  let mustProgress = false

  init(_ call: GRPCRequest, compression: GRPCCompression, session: HTTP2Session) {
    self.call = call
    self.compression = compression
    self.session = session
    reader = GRPCMessageReader(
      bytesMax: session.server.configuration.limits.bodyBytesMax, budget: session.server.bodyBudget)
  }

  func start(_ method: @escaping @Sendable (GRPCConversation) async -> GRPCStatus, on stream: HTTP2Stream) {
    let loop = session.loop
    let conversation = GRPCConversation(
      request: call,
      receive: { try await withTaskExecutorPreference(loop) { try await self.receive(on: stream) } },
      send: { message in try await withTaskExecutorPreference(loop) { try await self.send(message, on: stream) } })
    session.spawn(for: stream) { [self] in
      var status = await session.run { await method(conversation) }
      waiting = []
      if status.code == .cancelled, session.server.isDraining {
        status = GRPCStatus(.unavailable, "the server is shutting down")  // which clients repeat elsewhere
      }
      session.finish(stream, status)
    }
  }

  // MARK: The handler's side

  private func receive(on stream: HTTP2Stream) async throws -> Bytes? {
    while true {
      try checkOpen()
      if !waiting.isEmpty {
        let message = waiting.removeFirst()
        if waiting.isEmpty {
          session.credit(stream, owedCredit)
          owedCredit = 0
        }
        return try compression.decode(
          message.bytes, isCompressed: message.isCompressed,
          bytesMax: session.server.configuration.limits.bodyBytesMax)
      }
      if let failure { throw failure }
      if hasEnded { return nil }
      await suspend()
    }
  }

  /// Waits for something to happen. A cancelled task is woken, too.
  private func suspend() async {
    precondition(receiver == nil, "two receives at once")
    let loop = session.loop
    await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        if Task.isCancelled { continuation.resume() } else { receiver = continuation }
      }
    } onCancel: {
      loop.execute { self.wake() }
    }
  }

  private func send(_ message: Bytes, on stream: HTTP2Stream) async throws {
    try checkOpen()
    if !stream.isAnswered { session.sendHead(HTTP2Session.grpcHead, on: stream, hasBody: true) }
    session.write(GRPCWire.frame(message), on: stream)
    guard await session.outputTaken(by: stream) else { throw CancellationError() }
  }

  private func checkOpen() throws { if isClosed || Task.isCancelled { throw CancellationError() } }

  // MARK: The stream's side

  func received(_ bytes: UnsafeRawBufferPointer, on stream: HTTP2Stream) -> Int {
    guard failure == nil else { return bytes.count }
    do throws(GRPCStatus) {
      var start = 0
      while start < bytes.count {
        var consumed = 0
        if let message = try reader.next(UnsafeRawBufferPointer(rebasing: bytes[start...]), consumed: &consumed) {
          waiting.append(message)
        }
        start += consumed
      }
    } catch {
      failure = error
    }
    let credit = waiting.isEmpty ? bytes.count : 0
    owedCredit += bytes.count - credit
    wake()
    return credit
  }

  func receivedEnd(on stream: HTTP2Stream) {
    hasEnded = true
    if failure == nil, !reader.isBetweenMessages { failure = GRPCStatus(.internalError, "no complete message") }
    wake()
  }

  func closed() {
    isClosed = true
    waiting = []
    wake()
  }

  func timedOut(on stream: HTTP2Stream) {}

  private func wake() {
    guard let continuation = receiver else { return }
    receiver = nil
    continuation.resume()
  }
}
