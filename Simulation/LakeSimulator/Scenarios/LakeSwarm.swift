import LakeModel
import LakePorts
import LakeWAL

extension Scenario {
  /// Everything at once: several writers, shifters and readers, clients that retry elsewhere, and every fault there is.
  package static let lake = Scenario(
    "lake", "writers, shifters, readers and clients under every fault; each acknowledged row is there exactly once",
    story: { world in
      let lake = try Lake(world)
      var random = world.random("cast")
      var names: [String] = []
      if random.chance(0.3) {
        for index in 0..<random.uniform(1...2) {
          names.append(lake.start("all#\(index)", [.ingest, .shift, .read]).name)
        }
      } else {
        for index in 0..<random.uniform(1...3) { names.append(lake.start("ingest#\(index)", .ingest).name) }
        for index in 0..<random.uniform(1...2) { names.append(lake.start("shift#\(index)", .shift).name) }
        for index in 0..<random.uniform(1...2) { names.append(lake.start("read#\(index)", .read).name) }
      }
      world.unleashChaos(on: names)
      lake.unleashSealer()
      let end = world.now + random.duration(.seconds(60)...(.seconds(400)))
      await lake.runClients(random.uniform(1...3), until: end)
      try await lake.settle()
    })
}

extension Lake {
  /// Faults stop; all rows are shifted, then each tenant is read once more, from the tables alone.
  func settle(within limit: Duration = .seconds(7200)) async throws {
    restConditions()
    try await world.settle(within: limit)
    let ports = world.ports(for: world.story)
    let reader = LakeReader(self, ports, .init(footersMax: 16, fingerprintObjectsMax: 16))
    for tenant in tenants {
      var attempts = 0
      while !(await readOnce(reader, tenant)) {
        attempts += 1
        guard attempts < 20 else {
          throw SimulationFailure(
            kind: .liveness, invariant: .comesToRest, finding: "tenant \(tenant) cannot be read after the last fault",
            time: world.simulation.scheduler.now)
        }
        await world.sleep(for: .seconds(1))
      }
    }
  }
}
