/// Where the tasks of one life run: the simulation's scheduler, behind a gate that a pause closes.
///
/// `@unchecked Sendable`: confined to the simulation's thread, like the scheduler; `enqueue` leaves the rest to it.
package final class LifeExecutor: TaskExecutor, @unchecked Sendable {
  private let scheduler: Scheduler
  private var held: [UnownedJob] = []
  private(set) var isPaused = false
  /// Pauses so far.
  private(set) var pauses = 0

  init(scheduler: Scheduler) { self.scheduler = scheduler }

  package func enqueue(_ job: consuming ExecutorJob) { scheduler.enqueue(UnownedJob(job), on: self) }

  /// From now on no job of this life runs.
  func pause() {
    isPaused = true
    pauses += 1
  }

  func hold(_ job: UnownedJob) { held.append(job) }

  func resume() {
    isPaused = false
    let jobs = held
    held = []
    for job in jobs { scheduler.enqueue(job, on: self) }
  }
}
