import LakeAPI
import LakeModel

/// One request and its answer on an HTTP/2 connection.
///
/// `@unchecked Sendable`: used on the thread of the connection's loop only; tasks that hold it run there.
final class HTTP2Stream: @unchecked Sendable {
  let id: Int32
  var head = HTTP2Head()
  /// Who takes the body; nil until the header is complete, and again when the request was answered without it.
  var reader: (any HTTP2BodyReader)?
  /// The client has sent everything.
  var hasRequestEnded = false
  /// Gone, whether answered or reset: nothing more can be sent.
  var isClosed = false
  /// A response, at least its header, was submitted.
  var isAnswered = false
  var task: Task<Void, Never>?
  var output = HTTP2Output()
  /// Who produces the body, while it must wait for the client to take what there is.
  var heldProducer: UnsafeContinuation<Bool, Never>?
  /// Fires when the client's own deadline for the call has come.
  var deadline: LoopTimer?
  /// Bytes received and taken since `spanStart`, for the timeouts.
  var bytesReceivedInSpan = 0
  var bytesSentInSpan = 0
  var spanStart: Int64

  init(id: Int32, now: Int64) {
    self.id = id
    spanStart = now
  }

  func releaseProducer(isOpen: Bool) {
    guard let producer = heldProducer else { return }
    heldProducer = nil
    producer.resume(returning: isOpen)
  }
}

/// Takes the body of a request as it comes.
protocol HTTP2BodyReader: AnyObject {
  /// - Returns: how many bytes of flow control may be given back to the client now.
  func received(_ bytes: UnsafeRawBufferPointer, on stream: HTTP2Stream) -> Int
  func receivedEnd(on stream: HTTP2Stream)
  /// The stream is gone.
  func closed()
  /// Whether a body that makes no progress is an error (a request), or its nature (a conversation).
  var mustProgress: Bool { get }
  /// Nothing came for too long.
  func timedOut(on stream: HTTP2Stream)
}

/// The bytes of a response that HTTP/2 has not framed yet.
struct HTTP2Output {
  private var pieces: [Bytes] = []
  private var first = 0
  private(set) var byteCount = 0
  /// No more will be appended.
  var hasEnded = false
  /// To be sent at the end instead of a bare end.
  var trailers: [(name: String, value: String)]?
  /// nghttp2 was told that there is nothing to send for now.
  var isDeferred = false

  mutating func append(_ bytes: Bytes) {
    if bytes.isEmpty { return }
    pieces.append(bytes)
    byteCount += bytes.count
  }

  /// Moves bytes to `target`. - Returns: how many.
  mutating func take(into target: UnsafeMutableRawBufferPointer) -> Int {
    var taken = 0
    while taken < target.count, first < pieces.count {
      let piece = pieces[first]
      let count = min(piece.count, target.count - taken)
      piece.withUnsafeBytes { (target.baseAddress! + taken).copyMemory(from: $0.baseAddress!, byteCount: count) }
      taken += count
      if count == piece.count {
        pieces[first] = Bytes()
        first += 1
      } else {
        pieces[first] = piece[count..<piece.count]
      }
    }
    if first == pieces.count {
      pieces.removeAll(keepingCapacity: true)
      first = 0
    }
    byteCount -= taken
    return taken
  }

  mutating func drop() {
    pieces = []
    first = 0
    byteCount = 0
  }
}
