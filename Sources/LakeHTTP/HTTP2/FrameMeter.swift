/// What a peer of HTTP/2 did too much of.
package enum HTTP2Abuse: String, Hashable, Sendable {
  /// Streams opened and reset at once, again and again.
  case resets
  /// SETTINGS, PING, WINDOW_UPDATE, PRIORITY, empty DATA and unknown frames beyond what traffic explains.
  case controlFrames
  /// A header block larger, or in more pieces, than any request needs.
  case headerBlock
  /// Streams opened beyond the limit, or malformed, again and again: each costs us a reset.
  case refusedStreams
  /// Answers that wait because the peer does not read.
  case unreadAnswers
}

/// Looks at the frames of a connection before nghttp2 does, and finds floods. Pure: bytes and time in, verdict out.
///
/// Two buckets of tokens, refilled by time and by useful traffic: one for control frames, one for resets.
struct FrameMeter {
  private static let controlBurst = 2000.0
  private static let controlPerSecond = 200.0
  /// This many bytes of body, either way, pay for one control frame (WINDOW_UPDATE, and PING to measure the path).
  private static let bytesPerControl = 2048.0
  /// Clients of gRPC send one or two control frames for every small call.
  private static let controlsPerAnswer = 8.0
  private static let resetBurst = 200.0
  private static let resetsPerSecond = 20.0
  private static let continuationsMax = 8

  private let headerBlockBytesMax: Int
  private var header: (UInt64, UInt8) = (0, 0)
  private var headerCount = 0
  private var payloadRemaining = 0
  private var controlTokens = FrameMeter.controlBurst
  private var resetTokens = FrameMeter.resetBurst
  private var refilled: Int64
  private var blockBytes = 0
  private var blockContinuations = 0

  /// - Parameter headerBlockBytesMax: of one HEADERS frame and its CONTINUATIONs, compressed.
  init(headerBlockBytesMax: Int, now: Int64) {
    self.headerBlockBytesMax = headerBlockBytesMax
    refilled = now
  }

  /// - Parameter bytes: what follows on the connection, after the preface, however it is cut.
  mutating func observe(_ bytes: UnsafeRawBufferPointer, now: Int64) -> HTTP2Abuse? {
    refill(now)
    var index = 0
    while index < bytes.count {
      if payloadRemaining > 0 {
        let skipped = min(payloadRemaining, bytes.count - index)
        payloadRemaining -= skipped
        index += skipped
        continue
      }
      // Length (24 bits), type, flags, stream (32 bits): the first eight bytes in one word, big-endian.
      if headerCount < 8 { header.0 = header.0 << 8 | UInt64(bytes[index]) }
      headerCount += 1
      index += 1
      guard headerCount == 9 else { continue }
      headerCount = 0
      payloadRemaining = Int(header.0 >> 40)
      let type = UInt8(truncatingIfNeeded: header.0 >> 32)
      let flags = UInt8(truncatingIfNeeded: header.0 >> 24)
      header.0 = 0
      if let abuse = count(type: type, flags: flags, length: payloadRemaining) { return abuse }
    }
    return nil
  }

  /// A request was answered in full: that pays for some control frames, and for a reset, which clients send when they lose interest.
  mutating func answered() {
    resetTokens = min(FrameMeter.resetBurst, resetTokens + 1)
    controlTokens = min(FrameMeter.controlBurst, controlTokens + FrameMeter.controlsPerAnswer)
  }

  /// So many bytes were sent to the peer.
  mutating func sent(_ bytes: Int) { credit(bytes) }

  /// A stream had to be reset because of what the peer sent. - Returns: whether that was once too often.
  mutating func refused() -> HTTP2Abuse? {
    resetTokens -= 1
    return resetTokens < 0 ? .refusedStreams : nil
  }

  private mutating func credit(_ bytes: Int) {
    controlTokens = min(FrameMeter.controlBurst, controlTokens + Double(bytes) / FrameMeter.bytesPerControl)
  }

  private mutating func refill(_ now: Int64) {
    let seconds = Double(max(0, now - refilled)) / 1e9
    refilled = now
    controlTokens = min(FrameMeter.controlBurst, controlTokens + seconds * FrameMeter.controlPerSecond)
    resetTokens = min(FrameMeter.resetBurst, resetTokens + seconds * FrameMeter.resetsPerSecond)
  }

  private mutating func count(type: UInt8, flags: UInt8, length: Int) -> HTTP2Abuse? {
    switch type {
    case 0:  // DATA
      if length == 0, flags & 1 == 0 { return takeControl() }
      credit(length)
      return nil
    case 1:  // HEADERS
      blockBytes = length
      blockContinuations = 0
    case 9:  // CONTINUATION
      blockBytes += length
      blockContinuations += 1
    case 3:  // RST_STREAM
      resetTokens -= 1
      return resetTokens < 0 ? .resets : nil
    default: return takeControl()
    }
    return blockBytes > headerBlockBytesMax || blockContinuations > FrameMeter.continuationsMax ? .headerBlock : nil
  }

  private mutating func takeControl() -> HTTP2Abuse? {
    controlTokens -= 1
    return controlTokens < 0 ? .controlFrames : nil
  }
}
