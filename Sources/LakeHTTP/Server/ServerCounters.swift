package import LakeAPI
import Synchronization

/// What happened on a server since it started. Cheap enough for every request.
final class ServerCounters: Sendable {
  let connectionsOpen = Atomic<Int>(0)
  let connectionsAccepted = Atomic<Int>(0)
  let requests = Atomic<Int>(0)
  private let writeStalls = Atomic<Int>(0)
  private let clientsGone = Atomic<Int>(0)
  private let connectionsHTTP2 = Atomic<Int>(0)
  private let refusedStreams = Atomic<Int>(0)
  private let tlsFailures = Atomic<Int>(0)
  private let abuses = Mutex<[HTTP2Abuse: Int]>([:])
  private let failedCalls = Mutex<[GRPCCode: Int]>([:])
  private let refusals = Mutex<[RequestFailure: Int]>([:])

  func countRequest() { requests.add(1, ordering: .relaxed) }
  func countWriteStall() { writeStalls.add(1, ordering: .relaxed) }
  func countClientGone() { clientsGone.add(1, ordering: .relaxed) }
  func countHTTP2Connection() { connectionsHTTP2.add(1, ordering: .relaxed) }
  func countRefusedStream() { refusedStreams.add(1, ordering: .relaxed) }
  func countTLSFailure() { tlsFailures.add(1, ordering: .relaxed) }
  func countAbuse(_ abuse: HTTP2Abuse) { abuses.withLock { $0[abuse, default: 0] += 1 } }
  func countFailedCall(_ code: GRPCCode) { failedCalls.withLock { $0[code, default: 0] += 1 } }
  func countRefusal(_ failure: RequestFailure) { refusals.withLock { $0[failure, default: 0] += 1 } }

  func snapshot(bodyBytes: Int) -> HTTPServerStatistics {
    HTTPServerStatistics(
      connectionsOpen: connectionsOpen.load(ordering: .relaxed),
      connectionsAccepted: connectionsAccepted.load(ordering: .relaxed), requests: requests.load(ordering: .relaxed),
      refusals: refusals.withLock { $0 }, writeStalls: writeStalls.load(ordering: .relaxed),
      clientsGone: clientsGone.load(ordering: .relaxed), bodyBytesInMemory: bodyBytes,
      connectionsHTTP2: connectionsHTTP2.load(ordering: .relaxed),
      refusedStreams: refusedStreams.load(ordering: .relaxed), abuses: abuses.withLock { $0 },
      failedCalls: failedCalls.withLock { $0 }, tlsFailures: tlsFailures.load(ordering: .relaxed))
  }
}

package struct HTTPServerStatistics: Sendable {
  package let connectionsOpen: Int
  package let connectionsAccepted: Int
  /// Complete requests given to the handler.
  package let requests: Int
  /// What the server refused by itself, by reason.
  package let refusals: [RequestFailure: Int]
  /// Connections cut because their reader stood still.
  package let writeStalls: Int
  /// Requests whose client went away before the answer.
  package let clientsGone: Int
  package let bodyBytesInMemory: Int
  package let connectionsHTTP2: Int
  /// HTTP/2 streams reset because of what the client sent: too many at once, or malformed.
  package let refusedStreams: Int
  /// HTTP/2 connections ended because of a flood.
  package let abuses: [HTTP2Abuse: Int]
  /// gRPC calls that ended without a message, by status.
  package let failedCalls: [GRPCCode: Int]
  /// Connections that ended because the peer's TLS did not agree with ours.
  package let tlsFailures: Int
}
