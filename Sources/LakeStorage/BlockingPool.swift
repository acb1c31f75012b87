import Glibc

/// A few threads for calls that block, so that neither event loops nor the cooperative pool wait for a disk.
///
/// `@unchecked Sendable`: the queue is guarded by `mutex`.
package final class BlockingPool: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let wake: UnsafeMutablePointer<pthread_cond_t>
  private var queue: [@Sendable () -> Void] = []
  private var head = 0

  /// Threads live as long as the process.
  package init(threads: Int) {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    wake = .allocate(capacity: 1)
    wake.initialize(to: pthread_cond_t())
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
    for _ in 0..<threads {
      var thread = pthread_t()
      let context = Unmanaged.passRetained(self).toOpaque()
      let status = pthread_create(
        &thread, nil,
        { context in
          Unmanaged<BlockingPool>.fromOpaque(context!).takeRetainedValue().work()
        }, context)
      precondition(status == 0, "cannot start a thread: \(status)")
      pthread_detach(thread)
    }
  }

  package func run<R: Sendable>(_ work: @escaping @Sendable () -> R) async -> R {
    await withUnsafeContinuation { continuation in
      submit { continuation.resume(returning: work()) }
    }
  }

  private func submit(_ job: @escaping @Sendable () -> Void) {
    pthread_mutex_lock(mutex)
    queue.append(job)
    pthread_cond_signal(wake)
    pthread_mutex_unlock(mutex)
  }

  private func work() -> Never {
    while true {
      pthread_mutex_lock(mutex)
      while head == queue.count { pthread_cond_wait(wake, mutex) }
      let job = queue[head]
      head += 1
      if head == queue.count {
        queue.removeAll(keepingCapacity: true)
        head = 0
      }
      pthread_mutex_unlock(mutex)
      job()
    }
  }
}
