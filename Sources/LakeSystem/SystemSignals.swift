import CLinux
import Glibc
import Synchronization

/// Signals as values that a task awaits.
///
/// A handler that does nothing but write the signal's number into a pipe; one thread reads the pipe. So it works whatever threads exist.
package final class SystemSignals: Sendable {
  private struct State {
    var pending: [Int32] = []
    var waiting: [UInt64: CheckedContinuation<Int32?, Never>] = [:]
    var nextID: UInt64 = 0
  }

  private let state = Mutex(State())

  /// Takes the signals over from their default action, for the rest of the process's life.
  package static func watch(_ signals: [Int32]) -> SystemSignals {
    let watcher = SystemSignals()
    let pipe = SignalPipe.shared
    pipe.watchers.withLock { watchers in for signal in signals { watchers[signal] = watcher } }
    for signal in signals {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { signal in
        let saved = errno
        var number = UInt8(truncatingIfNeeded: signal)
        _ = write(signalPipeEnd, &number, 1)
        errno = saved
      }
      action.sa_flags = SA_RESTART
      precondition(sigaction(signal, &action, nil) == 0, "sigaction: \(errno)")
    }
    return watcher
  }

  /// What asks a server to stop.
  package static func watchTermination() -> SystemSignals { watch([SIGTERM, SIGINT]) }

  /// The process outlives writes to closed sockets and pipes: they answer EPIPE instead.
  package static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

  /// The next signal, in the order they came; nil when the task is cancelled first.
  package func next() async -> Int32? {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let answer: Int32?? = state.withLock { state in
          if Task.isCancelled { return .some(nil) }
          if !state.pending.isEmpty { return .some(state.pending.removeFirst()) }
          state.waiting[id] = continuation
          return .none
        }
        if let answer { continuation.resume(returning: answer) }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(returning: nil)
    }
  }

  fileprivate func deliver(_ signal: Int32) {
    let receiver = state.withLock { state -> CheckedContinuation<Int32?, Never>? in
      guard let first = state.waiting.keys.min() else {
        if state.pending.count < 64 { state.pending.append(signal) }
        return nil
      }
      return state.waiting.removeValue(forKey: first)
    }
    receiver?.resume(returning: signal)
  }
}

/// Written once, before the first handler is installed; handlers only read it.
nonisolated(unsafe) private var signalPipeEnd: Int32 = -1

private final class SignalPipe: Sendable {
  static let shared = SignalPipe()
  let watchers = Mutex<[Int32: SystemSignals]>([:])

  private init() {
    var ends: [Int32] = [0, 0]
    precondition(pipe(&ends) == 0, "pipe: \(errno)")
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)  // a handler never waits
    signalPipeEnd = ends[1]
    let readEnd = ends[0]
    startThread("signals") { self.run(readEnd) }
  }

  private func run(_ readEnd: Int32) -> Never {
    while true {
      var number: UInt8 = 0
      guard read(readEnd, &number, 1) == 1 else { continue }
      watchers.withLock { $0[Int32(number)] }?.deliver(Int32(number))
    }
  }
}
