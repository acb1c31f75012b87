import Glibc

/// Runs an actor's jobs on one thread of its own, so that calls which block (SQLite, fsync) hold up nobody else.
///
/// The thread ends when the executor goes away.
final class ThreadExecutor: SerialExecutor {
  private let queue = JobQueue()

  init() {
    queue.owner = asUnownedSerialExecutor()
    var thread = pthread_t()
    let context = Unmanaged.passRetained(queue)
    let status = pthread_create(
      &thread, nil,
      { context in
        let queue = Unmanaged<JobQueue>.fromOpaque(context!).takeRetainedValue()
        queue.run()
        return nil
      }, context.toOpaque())
    precondition(status == 0, "pthread_create: \(status)")
    pthread_detach(thread)
  }

  deinit { queue.stop() }

  func enqueue(_ job: consuming ExecutorJob) { queue.append(UnownedJob(job)) }

  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
}

/// `@unchecked Sendable`: everything is read and written with `mutex` held; `owner` is set once, before the thread starts.
private final class JobQueue: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let wake: UnsafeMutablePointer<pthread_cond_t>
  private var jobs: [UnownedJob] = []
  private var isStopped = false
  /// Jobs hold the actor, and the actor its executor: while a job runs, this is alive.
  nonisolated(unsafe) var owner: UnownedSerialExecutor?

  init() {
    mutex = .allocate(capacity: 1)
    wake = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    wake.initialize(to: pthread_cond_t())
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
  }

  deinit {
    pthread_cond_destroy(wake)
    pthread_mutex_destroy(mutex)
    wake.deallocate()
    mutex.deallocate()
  }

  func append(_ job: UnownedJob) {
    pthread_mutex_lock(mutex)
    jobs.append(job)
    pthread_cond_signal(wake)
    pthread_mutex_unlock(mutex)
  }

  func stop() {
    pthread_mutex_lock(mutex)
    isStopped = true
    pthread_cond_signal(wake)
    pthread_mutex_unlock(mutex)
  }

  func run() {
    while let batch = next() {
      for job in batch { job.runSynchronously(on: owner!) }
    }
  }

  /// The jobs that wait, oldest first; nil once stopped.
  private func next() -> [UnownedJob]? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while jobs.isEmpty {
      if isStopped { return nil }
      pthread_cond_wait(wake, mutex)
    }
    let batch = jobs
    jobs.removeAll(keepingCapacity: true)
    return batch
  }
}
