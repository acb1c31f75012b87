import CLinux
import Glibc
import Synchronization

/// The event loops of a process: one thread each, shared by all its servers.
package final class LoopGroup: Sendable {
  let loops: [EventLoop]

  /// - Parameter count: nil: one loop per core.
  package init(count: Int? = nil) {
    let count = max(1, count ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    loops = (0..<count).map { _ in EventLoop() }
    for (index, loop) in loops.enumerated() { LoopGroup.startThread("loop-\(index)", loop) }
  }

  package var count: Int { loops.count }

  /// Ends the loops once no handler runs on them any more. Drain the servers first; nothing may be served afterwards.
  package func shutdown() async {
    for loop in loops {
      await withCheckedContinuation { continuation in
        loop.execute { loop.stop { continuation.resume() } }
      }
    }
  }

  /// Where a connection accepted by `loop` should live: there, unless another loop has at least two fewer. SO_REUSEPORT spreads by a
  /// hash of addresses, which leaves four connections on one of two loops now and then.
  func leastLoaded(insteadOf loop: EventLoop) -> EventLoop {
    var best = loop
    var bestCount = loop.connectionCount.load(ordering: .relaxed) - 1
    for other in loops where other !== loop {
      let count = other.connectionCount.load(ordering: .relaxed)
      if count < bestCount { (best, bestCount) = (other, count) }
    }
    return best
  }

  private static func startThread(_ name: String, _ loop: EventLoop) {
    final class Start {
      let name: String
      let loop: EventLoop
      init(_ name: String, _ loop: EventLoop) { (self.name, self.loop) = (name, loop) }
    }
    var thread = pthread_t()
    let code = pthread_create(
      &thread, nil,
      { argument in
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        _ = icegate_name_thread(start.name)
        start.loop.run()
        return nil
      }, Unmanaged.passRetained(Start(name, loop)).toOpaque())
    precondition(code == 0, "pthread_create: \(code)")
    pthread_detach(thread)
  }
}
