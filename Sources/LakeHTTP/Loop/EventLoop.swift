import CLinux
import Glibc
import Synchronization

/// Something with a file descriptor that a loop watches. Called on the loop's thread only.
protocol Pollable: AnyObject {
  /// - Parameter events: EPOLL* bits.
  func ready(_ events: UInt32)
}

/// One thread that waits for sockets and runs the jobs of the tasks that prefer it: an async handler runs where its request was
/// read, without a thread hop.
///
/// `@unchecked Sendable`: everything but `inbox` and the atomics belongs to the loop's own thread.
final class EventLoop: TaskExecutor, @unchecked Sendable {
  private struct Inbox {
    var jobs: [UnownedJob] = []
    var calls: [@Sendable () -> Void] = []
    var isWoken = false
  }

  private struct Watched {
    /// Tells events of a closed descriptor from those of its successor.
    var generation: UInt32 = 0
    var object: (any Pollable)?
  }

  static let inputBytes = 64 << 10
  private static let eventsPerWait = 256
  /// How often jobs may bring forth jobs before sockets are looked at again.
  private static let roundsPerTurn = 8

  private let epoll: Int32
  private let wakeup: Int32
  private let inbox = Mutex(Inbox())
  private let thread = Atomic<UInt>(0)
  /// Connections that live here, for the group's balance.
  let connectionCount = Atomic<Int>(0)

  private var watched: [Watched] = []
  private var jobs: [UnownedJob] = []
  private var jobsRunning: [UnownedJob] = []
  private var resumed: [any Pollable] = []
  private var wheel: TimerWheel
  private var taskCount = 0
  private var onStop: (@Sendable () -> Void)?
  /// Nanoseconds, CLOCK_MONOTONIC, as of the last wakeup.
  private(set) var now: Int64
  /// Where sockets are read into; valid until the next read.
  let input = UnsafeMutableRawBufferPointer.allocate(byteCount: EventLoop.inputBytes, alignment: 64)
  /// Where TLS holds records for a moment.
  let records = UnsafeMutableRawBufferPointer.allocate(byteCount: EventLoop.inputBytes, alignment: 64)
  /// Where responses are put together.
  var writer = ByteWriter()
  private var date = DateField()

  init() {
    epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
    wakeup = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
    precondition(epoll >= 0 && wakeup >= 0, "epoll_create1, eventfd: \(errno)")
    now = EventLoop.readClock()
    wheel = TimerWheel(now: now)
  }

  deinit {
    input.deallocate()
    records.deallocate()
  }

  var isCurrent: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

  // MARK: From any thread

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    if isCurrent { jobs.append(job) } else { deposit { $0.jobs.append(job) } }
  }

  /// Runs `call` on the loop's thread, soon.
  func execute(_ call: @escaping @Sendable () -> Void) { deposit { $0.calls.append(call) } }

  private func deposit(_ put: (inout Inbox) -> Void) {
    let needsWakeup = inbox.withLock { inbox in
      put(&inbox)
      defer { inbox.isWoken = true }
      return !inbox.isWoken
    }
    guard needsWakeup else { return }
    var one: UInt64 = 1
    _ = write(wakeup, &one, 8)
  }

  /// Runs `call` on the loop's thread and returns what it returned.
  func perform<R: Sendable>(_ call: @escaping @Sendable () -> R) async -> R {
    await withCheckedContinuation { continuation in execute { continuation.resume(returning: call()) } }
  }

  // MARK: On the loop's thread

  /// Watches a descriptor, edge-triggered or not as `events` says.
  /// - Returns: false when the kernel has no room for it.
  func watch(_ descriptor: Int32, _ object: any Pollable, events: UInt32) -> Bool {
    let index = Int(descriptor)
    while watched.count <= index { watched.append(Watched()) }
    watched[index].generation &+= 1
    var event = epoll_event()
    event.events = events
    event.data.u64 = UInt64(watched[index].generation) << 32 | UInt64(UInt32(descriptor))
    guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else { return false }
    watched[index].object = object
    return true
  }

  func unwatch(_ descriptor: Int32) {
    watched[Int(descriptor)].object = nil
    epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)
  }

  /// Calls `ready` with no events after everything else had its turn.
  func resumeLater(_ object: any Pollable) { resumed.append(object) }

  func set(_ timer: LoopTimer, to deadline: Int64?) { wheel.set(timer, to: deadline) }

  /// Starts a task that lives on this loop. The loop does not stop before it has ended.
  func spawn(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
    taskCount += 1
    return Task(executorPreference: self) {
      await body()
      self.taskCount -= 1
    }
  }

  /// `Date: ...` with its line end.
  func dateField() -> [UInt8] { date.line(at: EventLoop.secondsSinceEpoch()) }
  func dateText() -> String { date.text(at: EventLoop.secondsSinceEpoch()) }

  private static func secondsSinceEpoch() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME_COARSE, &time)
    return Int64(time.tv_sec)
  }

  /// Every object watched now.
  var objects: [any Pollable] { watched.compactMap(\.object) }

  /// Ends the loop once its tasks have ended, then calls `done`.
  func stop(_ done: @escaping @Sendable () -> Void) { onStop = done }

  // MARK: The thread

  func run() {
    thread.store(UInt(pthread_self()), ordering: .relaxed)
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.u64 = UInt64(UInt32.max)
    epoll_ctl(epoll, EPOLL_CTL_ADD, wakeup, &event)
    withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: EventLoop.eventsPerWait) { events in
      while onStop == nil || taskCount > 0 || !jobs.isEmpty { turn(events) }
    }
    close(epoll)
    close(wakeup)
    onStop?()
  }

  private func turn(_ events: UnsafeMutableBufferPointer<epoll_event>) {
    let count = epoll_wait(epoll, events.baseAddress, Int32(events.count), waitMilliseconds())
    now = EventLoop.readClock()
    var isWoken = false
    for index in 0..<Int(max(0, count)) {
      let tag = events[index].data.u64
      if tag == UInt64(UInt32.max) {
        isWoken = true
        continue
      }
      let entry = watched[Int(tag & 0xFFFF_FFFF)]
      if entry.generation == UInt32(tag >> 32) { entry.object?.ready(events[index].events) }
    }
    if isWoken { emptyInbox() }
    runJobs()
    let again = resumed
    if !again.isEmpty {
      resumed.removeAll(keepingCapacity: true)
      for object in again { object.ready(0) }
    }
    for timer in wheel.advance(to: now) { timer.run(now: now) }
  }

  private func waitMilliseconds() -> Int32 {
    if !jobs.isEmpty || !resumed.isEmpty { return 0 }
    guard let wakeup = wheel.nextWakeup else { return -1 }
    return Int32(max(0, min((wakeup - EventLoop.readClock() + 999_999) / 1_000_000, 60_000)))
  }

  private func emptyInbox() {
    var count: UInt64 = 0
    _ = read(wakeup, &count, 8)
    let taken = inbox.withLock { inbox in
      defer { inbox = Inbox() }
      return inbox
    }
    jobs += taken.jobs
    for call in taken.calls { call() }
  }

  private func runJobs() {
    for _ in 0..<EventLoop.roundsPerTurn where !jobs.isEmpty {
      swap(&jobs, &jobsRunning)
      let executor = asUnownedTaskExecutor()
      for job in jobsRunning { job.runSynchronously(on: executor) }
      jobsRunning.removeAll(keepingCapacity: true)
    }
  }

  private static func readClock() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}
