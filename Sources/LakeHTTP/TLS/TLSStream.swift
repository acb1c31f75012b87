import CLinux
import CSSL
import Glibc

/// TLS between a connection and its socket. OpenSSL sees memory only; the socket is read and written here, without waiting.
///
///     session --> plain bytes --> records --> waiting (at most a record or so) --> socket
///     session <-- plain bytes <-- records <------------------------------------- socket
///
/// Results below zero are errno, negated, as `Socket`'s.
final class TLSStream {
  private let ssl: OpaquePointer
  /// Records from the socket, and records for it. Both belong to `ssl`.
  private let incoming: OpaquePointer
  private let outgoing: OpaquePointer
  /// What the socket did not take of the records last tried.
  private var waiting: [UInt8] = []
  private var hasFailed = false
  /// Bytes that the socket took, so that somebody sees progress.
  private(set) var bytesSent = 0

  private static let recordBytes = 16 << 10
  /// Records that wait beyond this mean that the peer asks and does not read: nothing more is read from it.
  private static let outgoingBytesMax = 64 << 10

  init?(_ context: TLSContext) {
    guard let ssl = SSL_new(context.pointer), let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem())
    else { return nil }
    self.ssl = ssl
    self.incoming = incoming
    self.outgoing = outgoing
    SSL_set_bio(ssl, incoming, outgoing)
    SSL_set_accept_state(ssl)
  }

  deinit { SSL_free(ssl) }

  var isWaiting: Bool { !waiting.isEmpty || BIO_ctrl_pending(outgoing) > 0 }
  var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }
  /// Plain bytes into `room`; shakes hands on the way.
  ///
  /// - Returns: their number; 0 at the end; -EAGAIN when the socket has no more; -EPROTO when the peer breaks the rules.
  func receive(_ socket: Int32, into room: UnsafeMutableRawBufferPointer, scratch: UnsafeMutableRawBufferPointer) -> Int
  {
    while true {
      ERR_clear_error()
      let count = SSL_read(ssl, room.baseAddress, Int32(clamping: room.count))
      let reason = count > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, count)
      // Answers of the handshake, alerts, new keys.
      let sent = flush(socket, scratch)
      if count > 0 { return Int(count) }
      if sent < 0, sent != -Int(EAGAIN) { return sent }
      switch reason {
      case SSL_ERROR_WANT_READ: break
      case SSL_ERROR_ZERO_RETURN: return 0
      default:
        hasFailed = true
        return -Int(EPROTO)
      }
      if BIO_ctrl_pending(outgoing) > TLSStream.outgoingBytesMax { return -Int(EAGAIN) }
      let received = Socket.receive(socket, into: scratch)
      guard received > 0 else { return received }
      guard BIO_write(incoming, scratch.baseAddress, Int32(received)) == Int32(received) else { return -Int(ENOMEM) }
    }
  }

  /// Takes plain bytes as long as the socket takes their records.
  ///
  /// - Returns: plain bytes taken; -EAGAIN when there were none. Records of what was taken may still wait.
  func send(
    _ socket: Int32, _ vectors: UnsafeMutableBufferPointer<iovec>, scratch: UnsafeMutableRawBufferPointer
  ) -> Int {
    var taken = 0
    var index = 0
    var offset = 0
    while true {
      let sent = flush(socket, scratch)
      if sent < 0 { return sent == -Int(EAGAIN) && taken > 0 ? taken : sent }
      let count = TLSStream.gather(vectors, &index, &offset, into: scratch)
      guard count > 0 else { return taken }
      ERR_clear_error()
      guard SSL_write(ssl, scratch.baseAddress, Int32(count)) == Int32(count) else {
        hasFailed = true
        return -Int(EPROTO)
      }
      taken += count
    }
  }

  /// Copies the next bytes of several pieces together, at most a record full: a head and its body leave in one.
  private static func gather(
    _ vectors: UnsafeMutableBufferPointer<iovec>, _ index: inout Int, _ offset: inout Int,
    into scratch: UnsafeMutableRawBufferPointer
  ) -> Int {
    var filled = 0
    while index < vectors.count, filled < recordBytes {
      let count = min(vectors[index].iov_len - offset, recordBytes - filled)
      if count > 0 {
        scratch.baseAddress!.advanced(by: filled).copyMemory(from: vectors[index].iov_base + offset, byteCount: count)
      }
      filled += count
      offset += count
      if offset == vectors[index].iov_len {
        index += 1
        offset = 0
      }
    }
    return filled
  }

  /// Sends records that wait.
  /// - Returns: 0 when none waits any more.
  func flush(_ socket: Int32, _ scratch: UnsafeMutableRawBufferPointer) -> Int {
    while true {
      if !waiting.isEmpty {
        let sent = waiting.withUnsafeBytes { TLSStream.sendSome(socket, $0) }
        if sent < 0 { return sent }
        bytesSent += sent
        waiting.removeFirst(sent)
        if !waiting.isEmpty { continue }
      }
      // Sending shares the scratch with what is about to be sent plain: that has become records already.
      let count = Int(BIO_read(outgoing, scratch.baseAddress, Int32(clamping: scratch.count)))
      guard count > 0 else { return 0 }
      let sent = TLSStream.sendSome(socket, UnsafeRawBufferPointer(rebasing: scratch[..<count]))
      bytesSent += max(0, sent)
      if sent < count { waiting = Array(scratch[max(0, sent)..<count]) }
      if sent < 0 { return sent }
    }
  }

  private static func sendSome(_ socket: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    var vector = iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    return withUnsafeMutablePointer(to: &vector) {
      Socket.send(socket, UnsafeMutableBufferPointer(start: $0, count: 1))
    }
  }

  /// Tells the peer that nothing more comes, if the socket takes it at once.
  func sayGoodbye(_ socket: Int32, _ scratch: UnsafeMutableRawBufferPointer) {
    guard !hasFailed, isEstablished else { return }
    ERR_clear_error()
    SSL_shutdown(ssl)
    _ = flush(socket, scratch)
  }
}
