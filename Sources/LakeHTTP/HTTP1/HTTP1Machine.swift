import LakeAPI
import LakeModel

/// One connection's way through its requests: bytes and time in, actions out. No socket, no clock, no task.
///
///                     first byte           header complete           body complete
///     idle ------------> header ------------------> body ------------------> handling
///      ^  idle timeout:   |  header timeout: 408     |  too slow: 408           |
///      |  close           |  malformed: 4xx, 5xx     |  malformed, no memory    |
///      |                  v                          v                          |
///      |                  refused (the connection sends the answer, lingers, closes)
///      +------------------------------------------------------------------------+  responded
///
/// Requests are answered one after the other; what a client sends ahead is kept by the caller.
struct HTTP1Machine {
  enum Phase { case idle, header, body, handling, refused }

  enum Action {
    /// Everything consumed (see `consumed`); more bytes are needed.
    case needInput
    /// As `needInput`, and the client waits for `100 Continue` before it sends the body.
    case needInputAfterContinue
    case dispatch(HTTPRequest, Exchange)
    /// Answer and close. The request is what was understood of it, without its body.
    case refuse(RequestFailure, HTTPRequest?, Exchange)
    case close
  }

  private let limits: HTTPLimits
  private let timing: Timing
  private let budget: BodyBudget
  private let peer: String
  private var parser: RequestParser
  private(set) var phase = Phase.idle
  private var head: RequestHead?
  /// Kept until the request is answered, because the budget counts its memory.
  private var body: BodyBuffer?
  /// Nanoseconds on the loop's clock; nil: nothing to wait for.
  private(set) var deadline: Int64?
  /// Body bytes since the current span of the body timeout began.
  private var bytesInSpan = 0
  private var owesContinue = false

  /// The timeouts in nanoseconds.
  struct Timing {
    var header: Int64
    var bodyProgress: Int64
    var idle: Int64
    var progressBytesMin: Int

    init(_ timeouts: HTTPTimeouts) {
      header = timeouts.header.nanoseconds
      bodyProgress = timeouts.bodyProgress.nanoseconds
      idle = timeouts.idle.nanoseconds
      progressBytesMin = timeouts.progressBytesMin
    }
  }

  init(limits: HTTPLimits, timeouts: HTTPTimeouts, budget: BodyBudget, peer: String, now: Int64) {
    self.limits = limits
    timing = Timing(timeouts)
    self.budget = budget
    self.peer = peer
    parser = RequestParser(limits: limits)
    // A client that connects and says nothing gets no longer than one that sends its header slowly.
    deadline = now + min(timing.header, timing.idle)
  }

  /// Takes bytes in the phases idle, header and body.
  ///
  /// - Parameters:
  ///   - input: all that was received and not consumed.
  ///   - consumed: set to how many of them are done with.
  mutating func process(_ input: UnsafeRawBufferPointer, now: Int64, consumed: inout Int) -> Action {
    consumed = 0
    if phase == .handling || phase == .refused { return .needInput }
    if phase == .idle {
      if input.isEmpty { return .needInput }
      phase = .header
      deadline = now + timing.header
    }
    do {
      while true {
        var taken = 0
        let event = try parser.next(UnsafeRawBufferPointer(rebasing: input[consumed...]), consumed: &taken)
        consumed += taken
        switch event {
        case .needMore:
          guard owesContinue, phase == .body else { return .needInput }
          owesContinue = false
          return .needInputAfterContinue
        case .head(let head): try begin(head, now: now)
        case .body(let count):
          owesContinue = false
          bytesInSpan += count
          try body!.append(UnsafeRawBufferPointer(rebasing: input[(consumed - count)..<consumed]))
        case .end: return dispatch()
        }
      }
    } catch {
      return refuse(error)
    }
  }

  /// Where the next bytes of a body of known length go, so that they need not be copied; nil when bytes go through `process`.
  mutating func directRoom() throws(RequestFailure) -> UnsafeMutableRawBufferPointer? {
    let remaining = parser.fixedBodyRemaining
    guard phase == .body, remaining > 0, let body else { return nil }
    let room = try body.room()
    return UnsafeMutableRawBufferPointer(rebasing: room[..<min(room.count, remaining)])
  }

  /// Bytes were written into `directRoom`.
  mutating func receivedDirectly(_ count: Int) -> Action {
    body!.wrote(count)
    bytesInSpan += count
    return parser.skipFixedBody(count) ? dispatch() : .needInput
  }

  /// The handler is done with the request: its body's memory is free again.
  mutating func answered() { body = nil }

  /// The answer has left; the connection stays open for the next request.
  mutating func responded(now: Int64) {
    phase = .idle
    body = nil
    deadline = now + timing.idle
  }

  /// A deadline has come; what to do about it.
  mutating func deadlineReached(now: Int64) -> Action {
    switch phase {
    case .idle, .refused: return .close
    case .header: return refuse(.headerTimeout)
    case .body:
      guard bytesInSpan >= timing.progressBytesMin else { return refuse(.bodyTimeout) }
      bytesInSpan = 0
      deadline = now + timing.bodyProgress
      return .needInput
    case .handling: return .needInput
    }
  }

  mutating func refuse(_ failure: RequestFailure) -> Action {
    let request = head?.request
    let exchange = Exchange(
      isHead: request?.method == "HEAD", isVersion10: head?.isVersion10 ?? false, isPersistent: false)
    phase = .refused
    deadline = nil
    head = nil
    body = nil
    return .refuse(failure, request, exchange)
  }

  private mutating func begin(_ head: RequestHead, now: Int64) throws(RequestFailure) {
    self.head = head
    self.head!.request.peer = peer
    switch head.framing {
    case .none: return
    case .length(let length):
      if length > limits.bodyBytesMax { throw .bodyTooLarge }
      body = try BodyBuffer(bytesMax: length, isLengthKnown: true, budget: budget)
    case .chunked:
      body = try BodyBuffer(bytesMax: limits.bodyBytesMax, isLengthKnown: false, budget: budget)
    }
    phase = .body
    owesContinue = head.expectsContinue
    bytesInSpan = 0
    deadline = now + timing.bodyProgress
  }

  private mutating func dispatch() -> Action {
    guard var head else { preconditionFailure("a request ends after its head") }
    if let body { head.request.body = body.finish() }
    self.head = nil
    phase = .handling
    deadline = nil
    return .dispatch(
      head.request,
      Exchange(isHead: head.request.method == "HEAD", isVersion10: head.isVersion10, isPersistent: head.isPersistent))
  }
}

/// What of a request decides how its answer is framed.
struct Exchange: Sendable, Hashable {
  var isHead: Bool
  var isVersion10: Bool
  /// Whether the client would send more on this connection.
  var isPersistent: Bool
}
