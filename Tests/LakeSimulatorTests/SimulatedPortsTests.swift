import LakeModel
import LakePorts
import PortContracts
import Testing

@testable import LakeSimulator

@Suite("the simulated ports")
struct SimulatedPortsTests {
  /// Tells a story that tries every check on the store that the world's lives get.
  private func failures(_ change: @escaping @Sendable (World) -> Void) async throws -> [String] {
    let found = Found()
    try await World.played(seed: 1) { world in
      change(world)
      world.start("node") { ports, _ in
        found.failures = await ObjectStoreContract.failures(of: ports.store, prefix: "contract/")
        found.isDone = true
      }
      world.restsWhen { found.isDone ? nil : "the contract is being tried" }
      try await world.settle(within: .seconds(36_000))
    }
    #expect(found.isDone)
    return found.failures
  }

  private final class Found: @unchecked Sendable {
    var failures: [String] = []
    var isDone = false
  }

  @Test("the simulated store keeps the contract while nothing goes wrong")
  func store() async throws {
    let found = try await failures { _ in }
    #expect(found == [])
  }

  @Test("the filesystem store keeps the contract on a simulated disk")
  func files() async throws {
    let found = try await failures { world in
      let machine = Machine(world: world)
      world.makeStore = { machine.store(for: $0) }
      world.keep(machine)
    }
    #expect(found == [])
  }

  @Test("what a filesystem store answered survives any loss of power", arguments: Seeds.smoke)
  func powerLoss(seed: UInt64) async throws {
    try await SimulationThreads.run { try Scenario.powerLoss.play(seed: seed) }
  }

  @Test(
    "a filesystem store that does not sync is caught",
    arguments: [PlantedDefect.skipFileSync, .skipDirectorySync, .unlinkWithoutSync])
  func plantedDisk(defect: PlantedDefect) async throws {
    let caught = try await SimulationThreads.run {
      Seeds.smoke.lazy.compactMap { Scenario.powerLoss.run(seed: $0, planted: defect).failure }.first
    }
    #expect(caught?.invariant == .answeredWriteStands)
  }
}
