import Glibc

/// A few threads of their own, for calls that block, so that neither event loops nor the cooperative pool wait for a disk; and for tasks
/// that make such calls all the time, as queries do: on a thread of a pool a blocking call is made at once, without a hop to another.
///
/// Of the threads without work, the one that had some last is woken: its memory is still warm.
///
/// `@unchecked Sendable`: queue and sleepers are guarded by `mutex`.
package final class BlockingPool: TaskExecutor, @unchecked Sendable {
  private enum Work {
    case call(() -> Void)
    case job(UnownedJob)
  }

  /// A thread that waits for work. Threads live as long as the process, and so does this.
  private final class Sleeper {
    private let signal: UnsafeMutablePointer<sem_t>

    init() {
      signal = .allocate(capacity: 1)
      signal.initialize(to: sem_t())
      sem_init(signal, 0, 0)
    }

    func wake() { sem_post(signal) }
    func sleep() { while sem_wait(signal) != 0 {} }
  }

  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var queue: [Work] = []
  private var head = 0
  /// Who fell asleep last is last.
  private var sleepers: [Sleeper] = []

  /// Threads live as long as the process.
  package init(threads: Int) {
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
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

  /// Whether the calling thread is one of some pool's, where blocking holds up nobody else.
  package static var mayBlockHere: Bool { pthread_getspecific(mark) != nil }

  /// A thread of a pool has something under this key.
  private static let mark: pthread_key_t = {
    var key = pthread_key_t()
    precondition(pthread_key_create(&key, nil) == 0, "pthread_key_create")
    return key
  }()

  /// Runs `work` where it may block: at once when the caller's thread is such a place.
  package func run<R: Sendable>(_ work: @escaping @Sendable () -> R) async -> R {
    if BlockingPool.mayBlockHere { return work() }
    return await withUnsafeContinuation { continuation in
      submit(.call { continuation.resume(returning: work()) })
    }
  }

  package func enqueue(_ job: consuming ExecutorJob) { submit(.job(UnownedJob(job))) }

  private func submit(_ work: Work) {
    pthread_mutex_lock(mutex)
    queue.append(work)
    let sleeper = sleepers.popLast()
    pthread_mutex_unlock(mutex)
    sleeper?.wake()
  }

  private func work() -> Never {
    pthread_setspecific(BlockingPool.mark, Unmanaged.passUnretained(self).toOpaque())
    let executor = asUnownedTaskExecutor()
    let sleeper = Sleeper()
    while true {
      switch next(sleeper) {
      case .call(let call): call()
      case .job(let job): job.runSynchronously(on: executor)
      }
    }
  }

  private func next(_ sleeper: Sleeper) -> Work {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while head == queue.count {
      sleepers.append(sleeper)
      pthread_mutex_unlock(mutex)
      sleeper.sleep()
      // Somebody who was awake may have taken the work already.
      pthread_mutex_lock(mutex)
    }
    let work = queue[head]
    head += 1
    if head == queue.count {
      queue.removeAll(keepingCapacity: true)
      head = 0
    }
    return work
  }
}
