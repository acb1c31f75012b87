private import Glibc
import LakeModel
package import LakePorts

/// What one run shares: the seed and what is drawn from it, the scheduler, the journal, the faults, the first failure.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class Simulation: @unchecked Sendable {
  package let seed: UInt64
  package let random: SeededRandom
  package let scheduler: Scheduler
  package let journal: SimulationJournal
  package var faults: FaultPlan
  package private(set) var failure: SimulationFailure?
  /// Every life of the run; kept to its end, since jobs point at their executors.
  package private(set) var lives: [Life] = []
  /// Told of every request at every stage; checkers and stories listen.
  private var listeners: [(RequestEvent) -> Void] = []

  package init(seed: UInt64, profile: Profile, isRecording: Bool) {
    self.seed = seed
    random = SeededRandom(seed: seed)
    scheduler = Scheduler(random: random.fork("schedule"))
    journal = SimulationJournal(isRecording: isRecording)
    faults = FaultPlan(profile: profile, random: random.fork("faults"))
    if isRecording && getenv("ICEGATE_SIM_JOBS") != nil {
      scheduler.onJob = { [unowned self] index, count in
        journal.note("job", life: nil, at: scheduler.now, [("index", "\(index)"), ("of", "\(count)")])
      }
    }
  }

  package func life(of node: String) -> Life {
    let life = Life(node: node, number: lives.count { $0.node == node }, simulation: self)
    lives.append(life)
    return life
  }

  /// The first failure counts; the run ends before another job runs.
  package func fail(_ invariant: Invariant, _ finding: String) {
    guard failure == nil else { return }
    failure = SimulationFailure(kind: .safety, invariant: invariant, finding: finding, time: scheduler.now)
    journal.note("failed", life: nil, at: scheduler.now, [("invariant", invariant.id), ("finding", finding)])
  }

  package func listen(_ listener: @escaping (RequestEvent) -> Void) { listeners.append(listener) }

  func tell(_ event: RequestEvent) {
    journal.note(
      event.stage.name, life: event.life, at: scheduler.now,
      [("operation", event.operation.rawValue), ("subject", event.subject), ("outcome", event.outcome)])
    for listener in listeners { listener(event) }
  }

  /// Runs `body` as the life of a node of its own until it returns, and everything that it started with it.
  ///
  /// - Parameters:
  ///   - timeMax: of the simulation's clock.
  ///   - adopt: told of the scheduler before and nil after: the `simulate` command points the process's executors at it.
  package func run(
    timeMax: Duration, jobsMax: Int, adopt: (Life?) -> Void = { _ in },
    _ body: @escaping @Sendable () async throws -> Void
  ) throws(SimulationFailure) {
    let story = life(of: "story")
    adopt(story)
    defer { adopt(nil) }
    story.start {
      do {
        try await body()
      } catch let error as SimulationFailure {
        if self.failure == nil { self.failure = error }
      } catch {
        if self.failure == nil {
          self.failure = SimulationFailure(
            kind: .crash, invariant: nil, finding: "the story threw \(error)", time: self.scheduler.now)
        }
      }
    }
    let ending = scheduler.run(
      until: { self.failure != nil || story.isOver }, timeMax: timeMax.nanoseconds, jobsMax: jobsMax)
    if let failure { throw failure }
    if scheduler.strayJobs > 0 {
      throw SimulationFailure(
        kind: .safety, invariant: .replaysAlike, finding: "\(scheduler.strayJobs) jobs came from other threads",
        time: scheduler.now)
    }
    if ending != .done { throw stuck(ending) }
  }

  private func stuck(_ ending: Scheduler.Ending) -> SimulationFailure {
    let pending = lives.filter { !$0.isOver }.flatMap(\.pending)
    let why =
      switch ending {
      case .stuck, .done: "nothing can run"
      case .outOfTime: "the run's time is over"
      case .outOfJobs: "\(scheduler.jobsRun) jobs without an end"
      }
    return SimulationFailure(
      kind: .liveness, invariant: .comesToRest,
      finding: "\(why): \(pending.isEmpty ? "nobody waits" : pending.joined(separator: "; "))", time: scheduler.now)
  }
}

/// Why a run failed.
package struct SimulationFailure: Error, CustomStringConvertible {
  package enum Kind: String, Sendable { case safety, liveness, crash }
  package var kind: Kind
  package var invariant: Invariant?
  package var finding: String
  /// Of the simulation's clock, in nanoseconds.
  package var time: Int64

  package init(kind: Kind, invariant: Invariant?, finding: String, time: Int64) {
    self.kind = kind
    self.invariant = invariant
    self.finding = finding
    self.time = time
  }

  package var description: String { "\(invariant.map { "\($0): " } ?? "")\(finding) (t=\(Seconds(time)))" }
}
