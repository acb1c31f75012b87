import Glibc
import LakeModel

/// Bytes that wait for a socket to take them. Pieces are kept as they are, not copied together.
struct OutputQueue {
  private var pieces: [Bytes] = []
  /// Pieces before it are sent; dropped when they are the greater part.
  private var first = 0
  private(set) var byteCount = 0

  private static let piecesPerCall = 32

  var isEmpty: Bool { byteCount == 0 }

  mutating func append(_ bytes: Bytes) {
    if bytes.isEmpty { return }
    pieces.append(bytes)
    byteCount += bytes.count
  }

  mutating func removeAll() { self = OutputQueue() }

  /// One call of `take` with what comes first.
  /// - Returns: bytes taken, or the call's errno, negated.
  mutating func send(_ take: (UnsafeMutableBufferPointer<iovec>) -> Int) -> Int {
    let count = min(pieces.count - first, OutputQueue.piecesPerCall)
    let sent = withUnsafeTemporaryAllocation(of: iovec.self, capacity: count) { vectors in
      for index in 0..<count {
        let piece = pieces[first + index]
        vectors[index] = iovec(
          iov_base: UnsafeMutableRawPointer(mutating: piece.unsafeBase), iov_len: piece.count)
      }
      return withExtendedLifetime(pieces) {
        take(UnsafeMutableBufferPointer(rebasing: vectors[..<count]))
      }
    }
    if sent > 0 { drop(sent) }
    return sent
  }

  private mutating func drop(_ count: Int) {
    byteCount -= count
    var rest = count
    while rest > 0 {
      let piece = pieces[first]
      if rest < piece.count {
        pieces[first] = piece[rest..<piece.count]
        break
      }
      rest -= piece.count
      pieces[first] = Bytes()
      first += 1
    }
    if first == pieces.count {
      pieces.removeAll(keepingCapacity: pieces.count <= 64)
      first = 0
    } else if first > 64, first * 2 > pieces.count {
      pieces.removeFirst(first)
      first = 0
    }
  }
}

/// The calls on a connected, non-blocking socket. Results below zero are errno, negated; EINTR does not come out.
enum Socket {
  static func send(_ socket: Int32, _ vectors: UnsafeMutableBufferPointer<iovec>) -> Int {
    var message = msghdr()
    message.msg_iov = vectors.baseAddress
    message.msg_iovlen = vectors.count
    while true {
      let sent = sendmsg(socket, &message, Int32(MSG_NOSIGNAL))
      if sent >= 0 { return sent }
      if errno != EINTR { return -Int(errno) }
    }
  }

  static func receive(_ socket: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    while true {
      let received = recv(socket, buffer.baseAddress, buffer.count, 0)
      if received >= 0 { return received }
      if errno != EINTR { return -Int(errno) }
    }
  }
}
