import LakeModel
import LakePorts

extension Scenario {
  /// The filesystem store alone, on a machine that loses power between any two of its system calls.
  package static let powerLoss = Scenario(
    "power-loss", "programs create, replace and delete files; power goes; everything answered stands",
    story: { world in
      let machine = Machine(world: world)
      let ledger = WriteLedger()
      world.makeStore = { AnsweredWrites(base: machine.store(for: $0), ledger: ledger) }
      world.simulation.faults[.powerLoss] = world.simulation.random.fork("power").unitOnce * 0.01
      if world.simulation.faults.profile != .quiet { world.simulation.faults[.crash] *= 0.1 }
      machine.afterPowerLoss.append {
        let finding = ledger.finding { machine.disk.contents($0.text) }
        if let finding { world.simulation.fail(.answeredWriteStands, finding) }
      }
      let activity = PowerLossActivity()
      for number in 0..<3 {
        world.start("node#\(number)") { ports, life in
          try await PowerLossProgram(ports: ports, life: life, activity: activity).run()
        }
      }
      await world.sleep(for: .seconds(60))
      activity.isOver = true
      try await world.settle(within: .seconds(60))
      await world.losePower(machine)
    })
}

extension SeededRandom {
  fileprivate var unitOnce: Double {
    var copy = self
    return copy.unit()
  }
}

extension World {
  /// A last loss of power, with nothing under way, waited for.
  fileprivate func losePower(_ machine: Machine) async {
    await wait("power to come back", ifCancelled: ()) { wait in
      machine.afterPowerLoss.append { wait.settle(()) }
      machine.losePower()
    }
  }
}

private final class PowerLossActivity: @unchecked Sendable {
  var isOver = false
}

/// Does what the WAL and the tables do to a store, to few keys in few directories.
private struct PowerLossProgram {
  let ports: Ports
  let life: Life
  let activity: PowerLossActivity

  func run() async throws {
    var number = 0
    while !activity.isOver {
      number += 1
      do throws(ObjectStoreError) { try await act(number) } catch { if error == .cancelled { return } }
      try await ports.clock.sleep(for: .milliseconds(ports.random.uniform(1..<300)))
    }
  }

  private func act(_ number: Int) async throws(ObjectStoreError) {
    let key = ObjectKey(
      trusted: "d\(ports.random.uniform(0..<3))/e\(ports.random.uniform(0..<2))/k\(ports.random.uniform(0..<3))")
    let bytes = Bytes("\(life) \(number) " + String(repeating: "x", count: ports.random.uniform(0..<40)))
    switch ports.random.uniform(0..<4) {
    case 0: _ = try await ports.store.put(key, bytes, condition: .ifAbsent)
    case 1: _ = try await ports.store.put(key, bytes, condition: .none)
    case 2:
      let tag = try await ports.store.head(key).tag
      _ = try await ports.store.put(key, bytes, condition: .ifMatch(tag))
    default: try await ports.store.delete(key)
    }
  }
}
