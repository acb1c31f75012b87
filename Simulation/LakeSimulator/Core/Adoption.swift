/// Where jobs go that belong to no life: in the `simulate` command the process's own executors hand them on here, so
/// that even a `Task {}` or a `Task.sleep` stays within the simulation.
///
/// `@unchecked Sendable`: set and read on the simulation's thread.
package final class Adoption: @unchecked Sendable {
  private var life: Life?
  package init() {}

  package func adopt(_ life: Life?) { self.life = life }
  package var isActive: Bool { life != nil }

  /// - Precondition: a simulation is running.
  package func enqueue(_ job: consuming ExecutorJob) { life!.executor.enqueue(job) }

  /// Runs the job once `delay` nanoseconds of the simulation have passed.
  package func enqueue(_ job: consuming ExecutorJob, afterNanoseconds delay: Int64) {
    let job = UnownedJob(job)
    let life = life!
    // Whole milliseconds: real time between the call and this point must not be visible.
    let rounded = max(0, (delay + 999_999) / 1_000_000) * 1_000_000
    life.scheduler.schedule(at: life.scheduler.now + rounded) { life.executor.enqueue(ExecutorJob(job)) }
  }
}
