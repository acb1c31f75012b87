import LakePorts

/// One run of a node between its start and its crash or stop.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class Life: @unchecked Sendable, CustomStringConvertible {
  package let node: String
  /// Lives of this node before this one.
  package let number: Int
  let simulation: Simulation
  package let executor: LifeExecutor
  /// Once true, nothing this life does reaches anything outside of it.
  private(set) var isFenced = false
  /// Whether its main task has returned.
  private(set) var isOver = false
  /// True from `stop` on: it was asked to end in good order.
  var isStopping = false
  var stopWaits: [Wait<Void>] = []
  private var task: Task<Void, Never>?
  /// What its tasks wait for now, by order of asking.
  private var waiting: [UInt64: (what: String, subject: String, since: Int64)] = [:]
  private var waits: UInt64 = 0
  /// Requests on their way to a service.
  var requests: [UInt64: Request] = [:]
  private var whenOver: [() -> Void] = []

  init(node: String, number: Int, simulation: Simulation) {
    self.node = node
    self.number = number
    self.simulation = simulation
    executor = LifeExecutor(scheduler: simulation.scheduler)
  }

  package var description: String { number == 0 ? node : "\(node).\(number)" }
  var scheduler: Scheduler { simulation.scheduler }

  func start(_ body: @escaping @Sendable () async -> Void) {
    precondition(task == nil)
    // The one place where a task is started by itself: everything below it is structured.
    task = Task(executorPreference: executor) {
      await body()
      self.finish()
    }
  }

  private func finish() {
    isOver = true
    waiting = [:]
    for action in whenOver { action() }
    whenOver = []
  }

  /// Calls `action` when the main task has returned; at once when it has already.
  func afterwards(_ action: @escaping () -> Void) { if isOver { action() } else { whenOver.append(action) } }

  /// The end of a life at whatever await its tasks stand: ports first, so that nothing tidies up.
  func fence() {
    guard !isFenced else { return }
    isFenced = true
    for number in requests.keys.sorted() { requests[number]?.senderDied() }
    requests = [:]
    executor.resume()
    task?.cancel()
  }

  /// Suspends the caller until `begin`'s wait is settled, the task is cancelled or the life is fenced.
  func wait<Outcome: Sendable>(
    _ what: String, subject: @autoclosure () -> String, ifCancelled cancelled: Outcome,
    _ begin: (Wait<Outcome>) -> Void
  ) async -> Outcome {
    if isFenced || Task.isCancelled {
      // So that a loop that takes no notice of cancellation still comes back to the scheduler, and is seen.
      await Task.yield()
      return cancelled
    }
    let wait = Wait<Outcome>()
    waits += 1
    let number = waits
    waiting[number] = (what, subject(), scheduler.now)
    begin(wait)
    let outcome = await withTaskCancellationHandler {
      await withUnsafeContinuation { wait.suspended($0) }
    } onCancel: {
      guard !wait.isSettled else { return }
      wait.settle(cancelled)
      wait.onCancel?()
    }
    waiting[number] = nil
    return outcome
  }

  /// What the life waits for, one line each; long-waiting first.
  var pending: [String] {
    waiting.sorted { $0.key < $1.key }.map { _, wait in
      "\(self) waits for \(wait.what)\(wait.subject.isEmpty ? "" : " " + wait.subject) since \(Seconds(wait.since))"
    }
  }
}

/// Nanoseconds as people read them.
struct Seconds: CustomStringConvertible {
  let nanoseconds: Int64
  init(_ nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  var description: String {
    let thousandths = String(nanoseconds / 1_000_000 % 1000)
    return "\(nanoseconds / 1_000_000_000).\(String(repeating: "0", count: 3 - thousandths.count))\(thousandths)s"
  }
}

/// Chance for one life.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class LifeRandomness: Randomness, @unchecked Sendable {
  private var random: SeededRandom
  init(_ random: SeededRandom) { self.random = random }
  package func next() -> UInt64 { random.next() }
}
