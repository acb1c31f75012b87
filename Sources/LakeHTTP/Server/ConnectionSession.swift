/// What speaks on a connection: the protocol's side of it. Called on the loop's thread.
protocol ConnectionSession: AnyObject {
  /// Whether bytes should be read now.
  var wantsInput: Bool { get }
  /// Nanoseconds on the loop's clock; nil: nothing to wait for.
  var deadline: Int64? { get }
  /// Where the next bytes are to be read to; nil: through `received`.
  func directRoom() -> UnsafeMutableRawBufferPointer?
  func receivedDirectly(_ count: Int)
  /// The bytes are valid during the call only.
  func received(_ bytes: UnsafeRawBufferPointer)
  /// Too many connections are open: say so and close.
  func refuseConnection()
  /// The peer closed, or closed its side: it may not want an answer any more.
  func peerClosed()
  /// Everything the peer sent was read, and no more will come.
  func receivedEnd()
  /// All that was sent has left.
  func outputDrained()
  /// `Connection.flushLater` was called, and the loop's turn is over.
  func turnEnded()
  func deadlineReached(now: Int64)
  /// The server is closing: finish what is in flight, start nothing new.
  func drain()
  /// The connection is gone.
  func connectionClosed()
}
