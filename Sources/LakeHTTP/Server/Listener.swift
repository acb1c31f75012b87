import CLinux
import Glibc
import Synchronization

/// One listening socket of a server on one loop.
final class Listener: Pollable {
  private let loop: EventLoop
  private let server: HTTPServer
  private let socket: Int32
  private var isWatched = false
  private var isClosed = false
  private var retry: LoopTimer!

  private static let acceptsPerTurn = 64
  private static let retryNanoseconds: Int64 = 100_000_000

  init(loop: EventLoop, server: HTTPServer, socket: Int32) {
    self.loop = loop
    self.server = server
    self.socket = socket
    retry = LoopTimer { [unowned self] _ in listen() }
  }

  func listen() {
    guard !isClosed, !isWatched else { return }
    isWatched = loop.watch(socket, self, events: EPOLLIN.rawValue)
    if !isWatched { loop.set(retry, to: loop.now + Listener.retryNanoseconds) }
  }

  func ready(_ events: UInt32) {
    for _ in 0..<Listener.acceptsPerTurn where !isClosed {
      let accepted = icegate_accept4(socket, Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue))
      if accepted >= 0 {
        server.accepted(accepted, on: loop)
        continue
      }
      switch errno {
      case EAGAIN: return
      case EMFILE, ENFILE, ENOBUFS, ENOMEM:
        // Out of descriptors or memory: what waits stays in the backlog while connections end, instead of spinning here.
        pause(code: errno)
        return
      default: continue  // ECONNABORTED and the like: that one connection is gone
      }
    }
  }

  /// What the kernel accepted for us already is taken before the socket goes, because closing it would reset them.
  func close() {
    guard !isClosed else { return }
    if isWatched { ready(0) }
    isClosed = true
    retry.cancel()
    if isWatched { loop.unwatch(socket) }
    isWatched = false
    Glibc.close(socket)
  }

  private func pause(code: Int32) {
    server.noteAcceptFailure(code)
    loop.unwatch(socket)
    isWatched = false
    loop.set(retry, to: loop.now + Listener.retryNanoseconds)
  }
}
