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
  @Test("holds what it promises in every story", arguments: Scenario.stories, [1, 2, 3] as [UInt64])
  func stories(story: Scenario, seed: UInt64) throws { try story.play(seed: seed) }

  @Test("holds what it promises under every fault", arguments: 0..<UInt64(12))
  func swarm(seed: UInt64) throws { try Scenario.lake.play(seed: seed) }

  @Test("every seed that once failed holds now", arguments: SeedFile.entries)
  func onceFailed(entry: SeedList.Entry) throws {
    let scenario = try #require(Scenario.named(entry.scenario))
    try scenario.play(seed: entry.seed)
  }

  @Test("a whole lake plays one seed alike, twice")
  func replays() {
    let first = Scenario.lake.run(seed: 2, isRecording: true)
    let second = Scenario.lake.run(seed: 2, isRecording: true)
    #expect(first.journal.lines == second.journal.lines)
    #expect(first.digest == second.digest)
    #expect(first.journal.lines.count > 100)
  }

  // The others take more seeds than a debug build can play here; `simulate plant` plays them.
  @Test(
    "a planted defect is caught",
    arguments: [
      PlantedDefect.acknowledgeBeforePut, .readerKeepsTailRepeats, .readerIgnoresFingerprints,
      .shiftIgnoresFingerprints, .writeIntoQuietLane,
    ])
  func plantedDefect(defect: PlantedDefect) {
    let scenario = Scenario.thatCatches(defect)
    let caught = (0..<UInt64(40)).lazy.compactMap { scenario.run(seed: $0, planted: defect).failure }.first
    #expect(caught != nil, "\(defect.rawValue) was not caught in 40 seeds of \(scenario)")
  }
}
