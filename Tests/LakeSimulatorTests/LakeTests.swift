import Foundation
import LakePorts
import LakeSimulator
import Testing

enum SeedFile {
  /// What `Simulation/seeds.txt` lists.
  static let entries: [SeedList.Entry] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try? String(contentsOf: root.appendingPathComponent("Simulation/seeds.txt"), encoding: .utf8)
    guard let list = text.flatMap({ SeedList($0) }) else { preconditionFailure("Simulation/seeds.txt cannot be read") }
    return list.entries
  }()
}

@Suite("a lake in a simulation")
struct LakeTests {
  @Test("holds what it promises in every story", arguments: Scenario.stories, [1, 2] as [UInt64])
  func stories(story: Scenario, seed: UInt64) async throws {
    try await SimulationThreads.run { try story.play(seed: seed) }
  }

  @Test("holds what it promises under every fault, in ten histories each", arguments: 0..<UInt64(20))
  func swarm(ten: UInt64) async throws {
    for seed in ten * 10..<ten * 10 + 10 { try await SimulationThreads.run { try Scenario.lake.play(seed: seed) } }
  }

  @Test("every seed that once failed holds now", arguments: SeedFile.entries)
  func onceFailed(entry: SeedList.Entry) async throws {
    let scenario = try #require(Scenario.named(entry.scenario))
    try await SimulationThreads.run { try scenario.play(seed: entry.seed) }
  }

  @Test("a whole lake plays one seed alike, twice")
  func replays() async throws {
    let (first, second) = try await SimulationThreads.run {
      (Scenario.lake.run(seed: 2, isRecording: true), Scenario.lake.run(seed: 2, isRecording: true))
    }
    #expect(first.journal.lines == second.journal.lines)
    #expect(first.digest == second.digest)
    #expect(first.journal.lines.count > 100)
  }

  // The others take more seeds than a debug build can play here; `simulate plant` plays them all.
  @Test("a planted defect is caught within its limit", arguments: PlantedDefect.allCases.filter { $0.seedsMax <= 10 })
  func plantedDefect(defect: PlantedDefect) async throws {
    let scenario = Scenario.thatCatches(defect)
    let caught = try await SimulationThreads.run {
      (0..<UInt64(defect.seedsMax)).lazy.compactMap { scenario.run(seed: $0, planted: defect).failure }.first
    }
    #expect(caught != nil, "\(defect.rawValue) was not caught in \(defect.seedsMax) seeds of \(scenario)")
  }
}
