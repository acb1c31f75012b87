import LakeModel
import LakeSimulator
@_spi(ExperimentalCustomExecutors) @_spi(ExperimentalScheduling) import _Concurrency

/// The executors of this process: everything that would leave the simulation comes back to it.
///
/// `@unchecked Sendable`: this program has one thread.
final class ProcessExecutor: MainExecutor, TaskExecutor, SchedulingExecutor, @unchecked Sendable {
  static let shared = ProcessExecutor()
  let adoption = Adoption()

  static func install() { _createExecutors(factory: Factory.self) }

  private struct Factory: ExecutorFactory {
    static var mainExecutor: any MainExecutor { ProcessExecutor.shared }
    static var defaultExecutor: any TaskExecutor { ProcessExecutor.shared }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    precondition(adoption.isActive, "a task outside of any simulation")
    adoption.enqueue(job)
  }

  func enqueue<C: Clock>(
    _ job: consuming ExecutorJob, after delay: C.Duration, tolerance: C.Duration?, clock: C
  ) {
    adoption.enqueue(job, afterNanoseconds: (delay as! Duration).nanoseconds)
  }

  func enqueue<C: Clock>(
    _ job: consuming ExecutorJob, at instant: C.Instant, tolerance: C.Duration?, clock: C
  ) {
    adoption.enqueue(job, afterNanoseconds: (clock.now.duration(to: instant) as! Duration).nanoseconds)
  }

  func run() throws { preconditionFailure("the simulation runs its own loop") }
  func stop() {}
  func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }
  func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }
  func isIsolatingCurrentContext() -> Bool? { true }
  func checkIsolated() {}
}
