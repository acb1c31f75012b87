import LakeAPI
import LakeModel

/// One message in, one out.
///
/// `@unchecked Sendable`: used on the loop's thread only.
final class GRPCUnaryReader: HTTP2BodyReader, @unchecked Sendable {
  private let session: HTTP2Session
  private var call: GRPCRequest
  private let compression: GRPCCompression
  private let method: @Sendable (GRPCRequest) async -> GRPCResponse
  private var reader: GRPCMessageReader
  /// Its memory counts until the call is answered.
  private var message: GRPCMessageReader.Message?

  let mustProgress = true

  init(
    _ call: GRPCRequest, compression: GRPCCompression,
    method: @escaping @Sendable (GRPCRequest) async -> GRPCResponse, session: HTTP2Session
  ) {
    self.call = call
    self.compression = compression
    self.method = method
    self.session = session
    reader = GRPCMessageReader(
      bytesMax: session.server.configuration.limits.bodyBytesMax, budget: session.server.bodyBudget)
  }

  func received(_ bytes: UnsafeRawBufferPointer, on stream: HTTP2Stream) -> Int {
    do throws(GRPCStatus) {
      var start = 0
      while start < bytes.count {
        guard message == nil else { throw GRPCStatus(.internalError, "more than one message in a unary call") }
        var consumed = 0
        message = try reader.next(UnsafeRawBufferPointer(rebasing: bytes[start...]), consumed: &consumed)
        start += consumed
      }
    } catch {
      message = nil
      session.finish(stream, error)
    }
    return bytes.count
  }

  func receivedEnd(on stream: HTTP2Stream) {
    let limits = session.server.configuration.limits
    var share: BudgetShare?
    do throws(GRPCStatus) {
      guard let message else { throw GRPCStatus(.internalError, "no complete message") }
      call.message = try compression.decode(
        message.bytes, isCompressed: message.isCompressed, bytesMax: limits.bodyBytesMax)
      if message.isCompressed {
        share = BudgetShare(call.message.count, of: session.server.bodyBudget)
        guard share != nil else {
          throw GRPCStatus(
            .unavailable, RequestFailure.bodyMemoryExhausted.message, retryDelay: .seconds(limits.retryAfterSeconds))
        }
        self.message = nil  // the compressed bytes are not needed any more
      }
    } catch {
      message = nil
      return session.finish(stream, error)
    }
    answer(call, on: stream, holding: share)
    call.message = Bytes()
  }

  private func answer(_ call: GRPCRequest, on stream: HTTP2Stream, holding share: BudgetShare?) {
    session.spawn(for: stream) { [self] in
      let response = await session.run { await self.method(call) }
      withExtendedLifetime(share) {}
      message = nil
      guard response.status.code == .ok, let answer = response.message else {
        let isOK = response.status.code == .ok
        let status = isOK ? GRPCStatus(.internalError, "a call without an answer") : response.status
        return session.finish(stream, status, trailers: response.trailers)
      }
      guard !stream.isAnswered else { return }  // the deadline came first
      session.sendHead(HTTP2Session.grpcHead + GRPCWire.passed(response.metadata), on: stream, hasBody: true)
      session.write(GRPCWire.frame(answer), on: stream)
      session.finish(stream, .ok, trailers: response.trailers)
    }
  }

  func closed() { message = nil }

  func timedOut(on stream: HTTP2Stream) {
    message = nil
    session.finish(stream, GRPCStatus(.unavailable, RequestFailure.bodyTimeout.message))
  }
}
