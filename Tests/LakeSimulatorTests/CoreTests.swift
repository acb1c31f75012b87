import LakeModel
import LakePorts
import LakeSimulator
import Testing

enum Seeds {
  static let smoke: [UInt64] = Array(0..<20)
}

@Suite("the simulation")
struct CoreTests {
  @Test("plays one seed alike, twice")
  func replays() async throws {
    for seed in Seeds.smoke {
      let (first, second, third) = try await SimulationThreads.run {
        (
          Scenario.counter.run(seed: seed, isRecording: true), Scenario.counter.run(seed: seed, isRecording: true),
          Scenario.counter.run(seed: seed)
        )
      }
      #expect(first.journal.lines == second.journal.lines)
      #expect(first.digest == second.digest && first.digest == third.digest)
      #expect(first.jobs == second.jobs)
      #expect(first.journal.lines.count > 50)
    }
  }

  @Test("plays different seeds differently")
  func seedsDiffer() async throws {
    let digests = try await SimulationThreads.run { Set(Seeds.smoke.map { Scenario.counter.run(seed: $0).digest }) }
    #expect(digests.count == Seeds.smoke.count)
  }

  @Test("a counter kept with if-match and read back loses no step", arguments: Seeds.smoke)
  func counterHolds(seed: UInt64) async throws {
    try await SimulationThreads.run { try Scenario.counter.play(seed: seed) }
  }

  @Test("the canary dies, and says how to see it die again")
  func canaryDies() async throws {
    let failed = try await SimulationThreads.run {
      Seeds.smoke.lazy.compactMap { seed in
        do throws(FailedRun) {
          try Scenario.canary.play(seed: seed)
          return nil as FailedRun?
        } catch { return error }
      }.first
    }
    let text = try #require(failed).text
    #expect(text.hasPrefix("FAILED SHF-1"))
    #expect(text.contains("profile=swarm commit="))
    #expect(text.contains("replay: swift run simulate canary "))
    #expect(text.contains("\"event\":\"request.landed\""))
  }
}
