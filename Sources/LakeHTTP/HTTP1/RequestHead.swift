import LakeAPI

/// A request's header, understood and checked.
struct RequestHead: Sendable {
  /// Without its body and peer.
  var request: HTTPRequest
  var framing: Framing
  /// Whether the connection may carry another request after this one.
  var isPersistent: Bool
  /// HTTP/1.0: no chunks, no 100 Continue.
  var isVersion10: Bool
  var expectsContinue: Bool

  enum Framing: Hashable, Sendable {
    case none
    /// Bytes, more than 0.
    case length(Int)
    case chunked
  }
}
