private import Glibc
import LakeModel

/// One thread, a bag of jobs, and a clock that moves only when the bag is empty.
///
/// Which job runs next is drawn from the seed. Jobs come from task executors (one for each life, so that a life can be
/// paused) or, in the `simulate` command, from the process's own executors.
///
/// `@unchecked Sendable`: everything is confined to the thread that runs the simulation, except `inbox`, where jobs that
/// arrive from other threads are left under a lock: they have escaped from determinism, and the run says so.
package final class Scheduler: @unchecked Sendable {
  /// A job and whose it is. The world keeps every executor until the run is over.
  private struct Ready {
    let job: UnownedJob
    unowned(unsafe) let executor: LifeExecutor
  }

  private var random: SeededRandom
  private var ready: [Ready] = []
  private var timers = TimerQueue()
  private let thread = pthread_self()
  /// Nanoseconds since the run began.
  package private(set) var now: Int64 = 0
  package private(set) var jobsRun = 0
  /// Jobs that arrived from other threads.
  package private(set) var strayJobs = 0
  /// Changes with every choice made and every moment reached; equal histories have equal digests.
  package private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325
  /// Told of every choice, for finding out where two runs part.
  var onJob: ((_ index: Int, _ of: Int) -> Void)?
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private var inbox: [Ready] = []
  private var isInboxUsed = false

  package init(random: SeededRandom) {
    self.random = random
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  func enqueue(_ job: UnownedJob, on executor: LifeExecutor) {
    if pthread_equal(pthread_self(), thread) != 0 {
      ready.append(Ready(job: job, executor: executor))
      return
    }
    pthread_mutex_lock(mutex)
    inbox.append(Ready(job: job, executor: executor))
    isInboxUsed = true
    pthread_mutex_unlock(mutex)
  }

  /// Calls `action` once the clock has reached `time`, outside of any job.
  @discardableResult
  func schedule(at time: Int64, _ action: @escaping () -> Void) -> TimerQueue.Token {
    timers.add(at: max(time, now), action)
  }

  @discardableResult
  func schedule(after delay: Duration, _ action: @escaping () -> Void) -> TimerQueue.Token {
    schedule(at: now.addingReportingOverflow(max(0, delay.nanoseconds)).partialValue, action)
  }

  func cancel(_ token: TimerQueue.Token) { timers.cancel(token) }

  enum Ending: Equatable {
    case done
    /// Nothing can run and nothing will happen.
    case stuck
    case outOfTime
    case outOfJobs
  }

  /// Runs until `isDone`, at most to the given time and number of jobs of the whole run.
  func run(until isDone: () -> Bool, timeMax: Int64, jobsMax: Int) -> Ending {
    while !isDone() {
      if isInboxUsed { takeInbox() }
      if ready.isEmpty {
        guard let timer = timers.next() else { return .stuck }
        if timer.time > timeMax { return .outOfTime }
        now = timer.time
        mix(UInt64(bitPattern: now))
        timer.action()
        continue
      }
      if jobsRun >= jobsMax { return .outOfJobs }
      runOne()
    }
    return .done
  }

  private func runOne() {
    let index = ready.count == 1 ? 0 : random.uniform(0..<ready.count)
    ready.swapAt(index, ready.count - 1)
    let chosen = ready.removeLast()
    if chosen.executor.isPaused { return chosen.executor.hold(chosen.job) }
    jobsRun += 1
    mix(UInt64(index))
    onJob?(index, ready.count + 1)
    chosen.job.runSynchronously(on: chosen.executor.asUnownedTaskExecutor())
  }

  private func mix(_ value: UInt64) { digest = (digest ^ value) &* 0x100_0000_01b3 &+ (digest >> 47) }

  private func takeInbox() {
    pthread_mutex_lock(mutex)
    strayJobs += inbox.count
    ready += inbox
    inbox = []
    isInboxUsed = false
    pthread_mutex_unlock(mutex)
  }
}
