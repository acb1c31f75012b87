import CLinux
import Glibc
import LakePorts
import Synchronization

/// One thread that sleeps on a timerfd and resumes tasks when their deadline has come.
final class TimerThread: Sendable {
  static let shared = TimerThread()

  private struct State {
    var queue = DeadlineQueue()
    var waiting: [UInt64: CheckedContinuation<Void, any Error>] = [:]
    var nextID: UInt64 = 0
    var armed = Int64.max
    var isRunning = false
  }

  private let state = Mutex(State())
  private let timer: Int32

  init() {
    timer = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC))
    precondition(timer >= 0, "timerfd_create: \(errno)")
  }

  func sleep(until deadline: ClockInstant) async throws {
    try Task.checkCancellation()
    if deadline.nanoseconds <= readClock(CLOCK_BOOTTIME) { return }
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        register(id, deadline.nanoseconds, continuation)
      }
    } onCancel: {
      cancel(id)
    }
  }

  private func register(_ id: UInt64, _ deadline: Int64, _ continuation: CheckedContinuation<Void, any Error>) {
    let isTooLate = state.withLock { state in
      // A task is marked cancelled before its handlers run: either `cancel` finds the waiter, or this finds the mark.
      if Task.isCancelled { return true }
      state.waiting[id] = continuation
      state.queue.insert(deadline: deadline, id: id)
      if !state.isRunning {
        state.isRunning = true
        startThread("timer") { self.run() }
      }
      arm(&state)
      return false
    }
    if isTooLate { continuation.resume(throwing: CancellationError()) }
  }

  private func cancel(_ id: UInt64) {
    let continuation = state.withLock { state in
      let continuation = state.waiting.removeValue(forKey: id)
      if continuation != nil { state.queue.forget(isWaiting: { state.waiting[$0] != nil }) }
      return continuation
    }
    continuation?.resume(throwing: CancellationError())
  }

  private func run() -> Never {
    while true {
      var expirations: UInt64 = 0
      _ = read(timer, &expirations, 8)
      let due = state.withLock { state in
        let now = readClock(CLOCK_BOOTTIME)
        var due: [CheckedContinuation<Void, any Error>] = []
        while let id = state.queue.popFirst(dueAt: now) {
          if let continuation = state.waiting.removeValue(forKey: id) { due.append(continuation) }
        }
        state.armed = .max
        arm(&state)
        return due
      }
      for continuation in due { continuation.resume() }
    }
  }

  /// Sets the timer to the first deadline when that is earlier than what it stands at.
  private func arm(_ state: inout State) {
    guard let first = state.queue.first, first < state.armed else { return }
    state.armed = first
    var setting = itimerspec()
    setting.it_value.tv_sec = Int(first / 1_000_000_000)
    setting.it_value.tv_nsec = Int(max(1, first % 1_000_000_000))  // all zero would disarm
    timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &setting, nil)
  }
}
