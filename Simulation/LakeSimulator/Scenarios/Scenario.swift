package import LakePorts

/// A story that can be told with any seed.
package struct Scenario: Sendable, CustomStringConvertible {
  /// As on the command line: `shift-crash`.
  package let name: String
  /// One sentence.
  package let summary: String
  /// nil: drawn from the seed.
  package var profile: Profile?
  /// Of the simulation's clock.
  package var timeMax: Duration
  package let story: @Sendable (World) async throws -> Void

  package init(
    _ name: String, _ summary: String, profile: Profile? = nil, timeMax: Duration = .seconds(86_400),
    story: @escaping @Sendable (World) async throws -> Void
  ) {
    self.name = name
    self.summary = summary
    self.profile = profile
    self.timeMax = timeMax
    self.story = story
  }

  package var description: String { name }

  /// Tells the story once.
  ///
  /// - Parameter adopt: see `Simulation.run`.
  package func run(
    seed: UInt64, planted: PlantedDefect? = nil, isRecording: Bool = false, adopt: (Life?) -> Void = { _ in }
  ) -> RunReport {
    let options = WorldOptions(seed: seed, profile: profile, planted: planted, isRecording: isRecording)
    let world = World(options)
    var failure: SimulationFailure?
    do throws(SimulationFailure) {
      try world.play(timeMax: timeMax, adopt: adopt, story)
    } catch { failure = error }
    return RunReport(scenario: name, planted: planted, world: world, failure: failure)
  }
}

/// What one run was like.
package struct RunReport: Sendable {
  package let scenario: String
  package let seed: UInt64
  package let profile: Profile
  package let planted: PlantedDefect?
  package let failure: SimulationFailure?
  /// Equal for equal histories.
  package let digest: UInt64
  package let jobs: Int
  /// Of the simulation's clock, in nanoseconds.
  package let time: Int64
  package let faultCounts: [Int]
  package let eventCounts: [String: Int]
  package let journal: SimulationJournal

  init(scenario: String, planted: PlantedDefect?, world: World, failure: SimulationFailure?) {
    let simulation = world.simulation
    self.scenario = scenario
    self.planted = planted
    self.failure = failure
    seed = simulation.seed
    profile = simulation.faults.profile
    digest = simulation.scheduler.digest
    jobs = simulation.scheduler.jobsRun
    time = simulation.scheduler.now
    faultCounts = simulation.faults.counts
    eventCounts = simulation.journal.counts
    journal = simulation.journal
  }
}
